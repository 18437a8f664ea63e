"""Owns running Waterbear for the benchmark: a daemon in a directory of its own, spoken to through waterbearctl."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from . import answers, processes
from .engine import Engine, Outcome

SEALED = ("retry-policy=TASK\nfault-tolerant-execution.exchange-encryption-enabled=true\n"
          "exchange.compression-codec=LZ4\n")
PLAIN = ("retry-policy=NONE\nfault-tolerant-execution.exchange-encryption-enabled=false\n"
         "exchange.compression-codec=NONE\n")
TPCH = "connector.name=tpch\ntpch.column-naming=STANDARD\ntpch.double-type-mapping=DECIMAL\n"
# A process that is killed again and again must not end a query by the number of its attempts.
MOST_ATTEMPTS = "task-retry-attempts-per-task=126\n"


class Waterbear(Engine):
    """A daemon with two workers of one thread per core in total. A query's time is that of one `waterbearctl query`
    from its start to its end, its rows written to a file: all that a user of a shell waits for."""

    def __init__(self, name, binaries, config, base, source, schema, workers=2):
        self.name, self.binaries, self.config = name, binaries, config
        self.base, self.source, self.schema, self.workers = base, source, schema, workers
        self.home = self.daemon = self.words = None

    def start(self):
        # Short, since the paths of sockets below it are limited.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="waterbear-bench."))
        catalogs = self.home / "etc/catalog"
        catalogs.mkdir(parents=True)
        (self.home / "etc/config.properties").write_text(self.config)
        (catalogs / "tpch.properties").write_text(TPCH)
        if self.source == "parquet":
            (catalogs / "parquet.properties").write_text(
                f"connector.name=files\nfiles.base-directory={self.base.resolve()}\n")
        self.written = {}
        self.environment = dict(os.environ, WATERBEAR_SOCKET=str(self.home / "data/run/waterbear.sock"))
        self.words = open(self.home / "words", "w")
        self.daemon = processes.start(
            [self.binaries / "waterbeard", "serve", "--etc-dir", self.home / "etc", "--data-dir", self.home / "data",
             "--workers", str(self.workers)], stdin=subprocess.DEVNULL, stdout=self.words, stderr=self.words)
        deadline = time.monotonic() + 30
        while self.control("workers", "--format", "tsv").stdout.count("ACTIVE") < self.workers:
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: the daemon is not ready: {(self.home / 'words').read_text()}")
            time.sleep(0.05)

    def control(self, *arguments):
        return subprocess.run([self.binaries / "waterbearctl", *arguments], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def run(self, sql, seconds_at_most):
        file, output, errors = self.home / "query.sql", self.home / "answer.csv", self.home / "errors"
        file.write_text(sql)
        with open(output, "w") as rows, open(errors, "w") as words:
            command = [self.binaries / "waterbearctl", "query", "--file", file, "--catalog", self.source, "--schema",
                       self.schema, "--format", "csv", "--timeout", f"{seconds_at_most}s"]
            began = time.perf_counter()
            code = subprocess.call(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=rows, stderr=words)
            seconds = time.perf_counter() - began
        if code:
            message = errors.read_text().strip()
            accepted = re.search(r"query (\S+) was accepted", message)
            if accepted:
                self.control("cancel", accepted[1], "--timeout", "60s")
            return Outcome(seconds, error=message or f"exit code {code}")
        with open(output, newline="") as stream:
            return Outcome(seconds, rows=answers.from_csv(stream), own_seconds=self.own_seconds())

    def own_seconds(self):
        """From the acceptance of the last query to its end, by the daemon's clock."""
        shown = self.control("list", "--limit", "1", "--format", "jsonl")
        try:
            return float(json.loads(shown.stdout)["seconds"])
        except (ValueError, KeyError, TypeError):
            return None

    def spooled(self):
        """What the workers wrote by write(2): their spool files, and next to nothing else. What a worker wrote before
        it was killed is missing."""
        before, self.written = self.written, {}
        for process in self.victims():
            try:
                words = pathlib.Path(f"/proc/{process}/io").read_text().split()
            except OSError:
                continue  # It has ended meanwhile.
            self.written[process] = int(words[words.index("wchar:") + 1])
        return sum(count - before.get(process, 0) for process, count in self.written.items())

    def root(self):
        return self.daemon.pid

    def victims(self):
        return self.titled("waterbeard: worker")

    def coordinators(self):
        return self.titled("waterbeard: coordinator")

    def titled(self, title):
        return [process for process in processes.tree(self.daemon.pid)[1:] if title in processes.title(process)]

    def stop(self):
        if self.daemon:
            processes.end(self.daemon)
        if self.words:
            self.words.close()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)
        self.daemon = self.words = self.home = None
