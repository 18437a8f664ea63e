"""Owns speaking to an engine that runs in a Python process of the private environment.

A line of JSON each way: {"sql": …} there, {"seconds": …, "rows": …} or {"seconds": …, "error": …} back. The process
measures its own times, from the call with the SQL to the last row in Python's hands; its start does not count.
"""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading

from . import processes
from .engine import Engine, Outcome

HERE = pathlib.Path(__file__).resolve().parent


class Peer(Engine):
    """An engine in a process that runs one of the programs `…_peer.py` beside this file. Between its queries all of its
    processes are stopped: a Java machine goes on compiling and collecting for seconds, at the cost of whose turn it
    is."""

    def __init__(self, name, python, program, settings, working):
        self.name, self.python, self.program, self.settings, self.working = name, python, program, settings, working
        self.home = self.process = self.words = None

    def start(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"waterbear-bench-{self.name}."))
        self.words = open(self.home / "words", "w")
        self.process = processes.start(
            [self.python, "-B", HERE / self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.words,
            text=True, cwd=self.home)
        self.version = self.ask(dict(self.settings, scratch=str(self.home)), 300)["version"]
        processes.send(self.process, signal.SIGSTOP)

    def ask(self, request, seconds_at_most):
        timer = threading.Timer(seconds_at_most, lambda: processes.end(self.process, patience=1))
        timer.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            words = (self.home / "words").read_text()
            raise RuntimeError(f"{self.name} ended or took more than {seconds_at_most} s:\n{words[-4000:]}")
        return json.loads(line)

    def run(self, sql, seconds_at_most):
        processes.send(self.process, signal.SIGCONT)
        answer = self.ask({"sql": sql}, seconds_at_most)
        processes.send(self.process, signal.SIGSTOP)
        rows = answer.get("rows")
        if rows is not None:
            rows = [[cell and tuple(cell) for cell in row] for row in rows]
        return Outcome(answer["seconds"], rows=rows, error=answer.get("error"))

    def root(self):
        return self.process.pid

    def victims(self):
        if not self.working:
            return []
        below = processes.tree(self.process.pid)[1:]
        return [process for process in below if self.working in processes.title(process)]

    def stop(self):
        if self.process:
            processes.send(self.process, signal.SIGCONT)
            if self.process.poll() is None:
                self.process.stdin.close()
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    pass
            processes.end(self.process, patience=5)
        if self.words:
            self.words.close()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)
        self.process = self.words = self.home = None
