"""Owns a daemon that is to be harmed: its directories, its processes, and the client that talks to it."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from benchmark import processes

from .hanging import HangingMount

CONFIG = """waterbear.workers={workers}
task.max-worker-threads=1
query.remote-task.max-error-duration=2s
retry-initial-delay=50ms
retry-max-delay=1s
query.min-expire-age=10s
fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min=2MB
fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-max=4MB
fault-tolerant-execution-arbitrary-distribution-write-task-target-size-min=2MB
fault-tolerant-execution-arbitrary-distribution-write-task-target-size-max=4MB
fault-tolerant-execution-hash-distribution-compute-task-target-size=1MB
log.level=DEBUG
"""
TPCH = "connector.name=tpch\ntpch.column-naming=STANDARD\ntpch.double-type-mapping=DECIMAL\n"


class NoAnswer(Exception):
    """A client's command did not end in time."""


class Daemon:
    """A daemon below a directory of its own, with two spool directories and a lake of files."""

    def __init__(self, binaries, workers=2, spool_bytes=None, can_hang=False):
        self.binaries, self.count, self.spool_bytes = pathlib.Path(binaries), workers, spool_bytes
        # Whether the second spool directory lies on a mount that can be made to hang.
        self.can_hang, self.mount = can_hang, None
        # Short, since the paths of sockets below it are limited.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="waterbear-chaos."))
        self.lake, self.data, self.etc = self.home / "lake", self.home / "data", self.home / "etc"
        self.spools = [self.home / "spool-a", self.home / "spool-b"]
        self.process = self.words = None
        self.mounted = []
        # The kernel ends a daemon with the thread that started it, and threads of faults are short-lived.
        self.starter = concurrent.futures.ThreadPoolExecutor(1)

    def prepare(self):
        for directory in [self.lake / "chaos", self.etc / "catalog", *self.spools]:
            directory.mkdir(parents=True)
        if self.spool_bytes:
            for spool in self.spools:
                # Only a file system of its own can be filled without harm to others.
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.spool_bytes},mode=700", "waterbear-chaos",
                                spool], check=True)
                self.mounted.append(spool)
        if self.can_hang:
            self.mount = HangingMount(self.spools[1])
        (self.etc / "config.properties").write_text(
            CONFIG.format(workers=self.count) + ("waterbear.spool-call-timeout=2s\n" if self.can_hang else ""))
        (self.etc / "exchange-manager.properties").write_text(
            "exchange-manager.name=filesystem\nexchange.base-directories=" + ",".join(map(str, self.spools)) + "\n")
        (self.etc / "catalog/tpch.properties").write_text(TPCH)
        (self.etc / "catalog/lake.properties").write_text(
            f"connector.name=files\nfiles.base-directory={self.lake}\n")
        self.environment = dict(os.environ, WATERBEAR_SOCKET=str(self.data / "run/waterbear.sock"))
        self.words = open(self.home / "words", "a")

    def start(self):
        self.process = self.starter.submit(
            processes.start, [self.binaries / "waterbeard", "serve", "--etc-dir", self.etc, "--data-dir", self.data],
            stdin=subprocess.DEVNULL, stdout=self.words, stderr=self.words).result()

    def wait_until_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.control("workers", "--format", "tsv", seconds=10).stdout.count("ACTIVE") >= self.count:
                    return
            except NoAnswer:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon has ended with {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NoAnswer(f"the workers are not ready after {seconds} s: {self.last_words()}")
            time.sleep(0.05)

    def last_words(self):
        return (self.home / "words").read_text()[-600:]

    def control(self, *arguments, seconds=120, text=True):
        """Runs waterbearctl."""
        try:
            return subprocess.run([self.binaries / "waterbearctl", *map(str, arguments)], env=self.environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=text, timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise NoAnswer(f"waterbearctl {arguments[0]} gave no answer in {seconds:.0f} s") from late

    # Processes.

    def children(self, role=""):
        """The daemon's processes of a role, or all but the supervisor."""
        if self.process is None or self.process.poll() is not None:
            return []
        below = processes.tree(self.process.pid)[1:]
        return [process for process in below if f"waterbeard: {role}" in processes.title(process)]

    @property
    def workers(self):
        return self.children("worker")

    @property
    def coordinators(self):
        return self.children("coordinator")

    @staticmethod
    def signal(ids, number):
        for process in ids:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass  # It has ended meanwhile.

    def orphans(self):
        """Processes of this daemon that it does not know: their command lines name its directory."""
        known = set(processes.tree(self.process.pid)) if self.process else set()
        if self.mount:
            known.add(self.mount.server.pid)
        return [process for process in processes.relations()
                if process not in known and f"{self.home}/" in processes.title(process)]

    def worker_reports(self):
        """What the coordinator says of each worker, by the names of its columns."""
        header, *lines = self.control("workers", "--format", "tsv", seconds=10).stdout.splitlines() or [""]
        return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]

    def kill_everything(self):
        """As a loss of power would, but for what the kernel has not written."""
        processes.send(self.process, signal.SIGKILL)
        self.process.wait()
        while processes.session(self.process):
            time.sleep(0.005)

    def stop(self, patience=60):
        """Asks the daemon to end in order; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        finally:
            processes.end(self.process)
            self.process = None

    def remove(self):
        if self.process:
            processes.end(self.process, patience=5)
        self.starter.shutdown()
        if self.mount:
            self.mount.remove()
        if self.words:
            self.words.close()
        for spool in self.mounted:
            subprocess.run(["umount", "-l", spool], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def revive(self):
        """Starts it again where it has ended against all promises, so that the cases after it mean something."""
        if self.process is not None and self.process.poll() is None:
            processes.end(self.process, patience=5)
        self.start()
        self.wait_until_ready()

    def descriptors(self):
        """How many files each process has open."""
        counts = {}
        for process in self.children():
            try:
                counts[process] = len(os.listdir(f"/proc/{process}/fd"))
            except OSError:
                pass  # It has ended meanwhile; its successor is looked at next time.
        return counts

    # What lies on disk.

    def held_in_store(self):
        """What the store keeps of queries though none is under way: keys that are not destroyed, and attempts that have
        not ended."""
        store = sqlite3.connect(f"file:{self.data}/store.sqlite?mode=ro", uri=True, timeout=5)
        try:
            keys = store.execute("SELECT q.id FROM query_key k JOIN query q ON q.number = k.query "
                                 "WHERE k.sealed_key <> zeroblob(length(k.sealed_key))")
            held = [f"the key of {query}" for query, in keys]
            attempts = store.execute("SELECT q.id, a.stage, a.partition, a.attempt FROM attempt a "
                                     "JOIN query q ON q.number = a.query WHERE a.state = 'RUNNING'")
            return held + ["attempt {}.{}.{}.{} in the store".format(*row) for row in attempts]
        finally:
            store.close()

    def spool_files(self, committed_only=True):
        """Spool files of live queries."""
        found = []
        for spool in self.spools:
            try:
                found += [path for path in spool.glob("*/*") if not committed_only or path.suffix == ".spool"]
            except OSError:
                pass  # Removed while it was listed, as such files are.
        return found

    def log_events(self, name):
        """The lines of the log with this event."""
        lines = []
        for file in sorted((self.data / "log").glob("waterbear.jsonl*")):
            for line in file.read_text(errors="replace").splitlines():
                if f'"{name}"' in line:
                    lines.append(json.loads(line))
        return lines
