"""Tests of the checks of tools/chaos on a daemon that is made up: what must be found bad is found bad."""
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from . import shapes
from .case import BAD, IDLE, REFUSED, RIGHT, Runner, digest, is_same
from .daemon import Daemon
from .fault import Fault
from .faults import Cancel, Descriptors, WorkerKill
from .storage import SpoolMissing

QUERY = "20260102_030405_00006_abcde"
CANCELED = f"Query {QUERY} failed: Query was canceled by root [USER_CANCELED]"
USED_UP = (f"Query {QUERY} failed: Task {QUERY}.2.0 failed 5 times (task-retry-attempts-per-task = 4) and lost its "
           "worker 0 times (at most 32); the last attempt was number 4 on worker-1#17 "
           "[GENERIC_INSUFFICIENT_RESOURCES]\n"
           "  cause: Cannot open /spool/a: Too many open files\n  hint: Mend the cause.\n")
LOST = (f"Query {QUERY} failed: Worker worker-1#17 is gone [REMOTE_HOST_GONE]\n")
QUERY_USED_UP = (f"Query {QUERY} failed: Query {QUERY} failed 5 times (query-retry-attempts = 4), the last time in "
                 f"task {QUERY}.1.0 [REMOTE_HOST_GONE]\n  cause: Worker worker-1#17 is gone\n")


class MadeUpDaemon:
    """Answers as a daemon does that runs one query, with what a test puts into it."""

    count = 2

    def __init__(self, home):
        self.lake = pathlib.Path(home) / "lake"
        self.spools = [pathlib.Path(home) / "spool-a", pathlib.Path(home) / "spool-b"]
        for directory in [self.lake, *self.spools]:
            directory.mkdir()
        # By the beginning of a statement: what it answers.
        self.answers = {"SELECT": "n\n1\n", "SHOW TABLES": "Table\n", "DROP": "", "CREATE": ""}
        # What `wait` ends with; and what happens when a query is waited for.
        self.error, self.happening = None, lambda: None
        # The lines of `show`: stage, task, attempt, error.
        self.attempts = "0\t0\t0\t\n0\t0\t1\t\n"
        self.processes, self.strays, self.stored = {1: 8, 2: 8, 3: 8}, [], []
        self.workers, self.signals = [], []
        self.reports = [{"worker": "1", "running": "0", "resident_bytes": "1000"}]

    def control(self, verb, *arguments, seconds=120):
        if verb == "query":
            beginning = next(each for each in self.answers if arguments[0].startswith(each))
            return subprocess.CompletedProcess(verb, 0, self.answers[beginning], "")
        if verb == "wait":
            self.happening()
        shown = "stage\ttask\tattempt\terror\n" + self.attempts
        text = {"submit": QUERY, "show": shown, "fetch": "n\n1\n"}.get(verb, "")
        failed = verb == "wait" and self.error
        return subprocess.CompletedProcess(verb, int(bool(failed)), text, self.error if failed else "")

    def wait_until_ready(self):
        pass

    def children(self):
        return list(self.processes)

    def signal(self, ids, number):
        self.signals += [(process, number) for process in ids]

    def descriptors(self):
        return self.processes

    def orphans(self):
        return self.strays

    def held_in_store(self):
        return self.stored

    def worker_reports(self):
        return self.reports


class Struck(Fault):
    """Strikes as soon as there is a query."""

    def act(self):
        while self.query is None and self.pause(0.001):
            pass
        self.struck()


class CaseTests(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory(prefix="waterbear-chaos-test.")
        self.addCleanup(home.cleanup)
        self.daemon = MadeUpDaemon(home.name)
        self.runner = Runner(self.daemon, "tiny")
        # What a test leaves behind does not go away.
        self.runner.patience = 0.1
        self.expected = None
        self.shapes = {shape.name: shape for shape in shapes.SHAPES}

    def run_case(self, shape="scan", fault=Struck):
        shape = self.shapes[shape]
        if self.expected is None:
            error, self.daemon.error = self.daemon.error, None
            self.expected = self.runner.expect_once(shape)
            self.daemon.error = error
        return self.runner.run(shape, fault, random.Random(1), self.expected)

    # Answers.

    def test_right_answer(self):
        outcome = self.run_case()
        self.assertEqual((outcome.verdict, outcome.retries, outcome.query), (RIGHT, 1, QUERY))

    def test_wrong_answer(self):
        self.run_case()
        self.expected.digest = "another"
        outcome = self.run_case()
        self.assertEqual(outcome.verdict, BAD)
        self.assertIn("WRONG ANSWER", outcome.words)

    def test_sums_of_doubles_differ_in_the_last_digits_only(self):
        shape = self.shapes["doubles"]
        given = {text: digest(shape, f"k,s\n2,1.5E3\n1,{text}\n")[0] for text in ("0.30000000000000004", "0.3", "0.31")}
        self.assertTrue(is_same(shape, given["0.3"], given["0.30000000000000004"]))
        self.assertFalse(is_same(shape, given["0.3"], given["0.31"]))
        self.assertFalse(is_same(shape, given["0.3"], digest(shape, "k,s\n1,0.3\n")[0]))
        self.assertFalse(is_same(shape, given["0.3"], digest(shape, "k,s\n2,1.5E3\n3,0.3\n")[0]))

    def test_not_struck(self):
        class Late(Fault):
            def act(self):
                pass
        self.assertEqual(self.run_case(fault=Late).verdict, IDLE)

    def test_a_held_query_is_released_but_for_what_the_fault_has_stopped(self):
        class Stops(Struck):
            def act(self):
                self.stopped.add(7)
                super().act()
        self.run_case()
        self.daemon.workers = [7, 8]
        self.runner.run(self.shapes["scan"], Stops, random.Random(1), self.expected, holds=True)
        self.assertEqual(self.daemon.signals[:3], [(7, signal.SIGSTOP), (8, signal.SIGSTOP), (8, signal.SIGCONT)])
        self.assertNotIn((7, signal.SIGCONT), self.daemon.signals)

    def test_struck_before_there_was_a_query(self):
        class Early(Fault):
            def act(self):
                self.struck()
        self.assertEqual(self.run_case(fault=Early).verdict, IDLE)

    def test_broken_fault(self):
        class Broken(Fault):
            def act(self):
                raise ValueError("no")
        self.assertEqual(self.run_case(fault=Broken).verdict, BAD)

    # Failures.

    def judged(self, kind, error, strikes=1):
        self.daemon.error = error
        class Given(Struck):
            may_end_in, uses_up_attempts = kind.may_end_in, kind.uses_up_attempts
            ends_attempts_in = kind.ends_attempts_in

            def act(self):
                self.strikes, self.early = strikes, 0
        return self.run_case(fault=Given).verdict

    def test_most_faults_may_end_no_query(self):
        for kind in (WorkerKill, SpoolMissing):
            for error in (CANCELED, USED_UP, "exit code 1"):
                self.assertEqual(self.judged(kind, error), BAD, f"{kind.__name__}: {error}")

    def test_cancel_ends_in_user_canceled_only(self):
        self.assertEqual(self.judged(Cancel, CANCELED), REFUSED)
        for error in (USED_UP, CANCELED.replace("USER_CANCELED", "GENERIC_INTERNAL_ERROR"),
                      CANCELED.replace(" [USER_CANCELED]", ""), "exit code 1"):
            self.assertEqual(self.judged(Cancel, error), BAD, error)
        self.assertEqual(self.judged(Cancel, CANCELED, strikes=0), BAD)

    def test_used_up_attempts_are_told_in_full(self):
        self.assertEqual(self.judged(Descriptors, USED_UP), REFUSED)
        for old, new in [(f"Task {QUERY}.2.0", "A task"), ("failed 5 times", "failed"),
                         ("the last attempt was number 4", ""),
                         ("cause: Cannot open /spool/a: Too many open files", "cause: "), ("\n  cause:", "\n  reason:"),
                         ("GENERIC_INSUFFICIENT_RESOURCES", "GENERIC_INTERNAL_ERROR"),
                         (" [GENERIC_INSUFFICIENT_RESOURCES]", "")]:
            self.assertIn(old, USED_UP)
            self.assertEqual(self.judged(Descriptors, USED_UP.replace(old, new)), BAD, new)
        self.assertEqual(self.judged(Descriptors, CANCELED), BAD)

    def test_without_retries_a_query_ends_as_its_attempt_does(self):
        self.runner.policy = "NONE"
        for kind, error, verdict in [(WorkerKill, LOST, REFUSED), (SpoolMissing, LOST, BAD), (Cancel, LOST, BAD),
                                     (Cancel, CANCELED, REFUSED), (WorkerKill, CANCELED, BAD),
                                     (Descriptors, USED_UP, REFUSED)]:
            self.assertEqual(self.judged(kind, error), verdict, f"{kind.__name__}: {error}")

    def test_without_retries_nothing_is_repeated_that_has_failed(self):
        self.runner.policy = "NONE"
        self.assertEqual(self.run_case().verdict, RIGHT)
        self.daemon.attempts = "0\t0\t0\tREMOTE_HOST_GONE\n0\t0\t1\t\n"
        outcome = self.run_case()
        self.assertEqual(outcome.verdict, BAD)
        self.assertIn("1 attempts were repeated", outcome.words)

    def test_used_up_runs_of_a_query_are_told_in_full(self):
        self.runner.policy = "QUERY"
        for kind, error, verdict in [
                (WorkerKill, QUERY_USED_UP, REFUSED), (WorkerKill, LOST, BAD), (SpoolMissing, QUERY_USED_UP, BAD),
                (WorkerKill, QUERY_USED_UP.replace("failed 5 times", "failed"), BAD), (Cancel, CANCELED, REFUSED),
                (WorkerKill, QUERY_USED_UP.replace("cause: Worker", "Worker"), BAD), (Descriptors, USED_UP, BAD)]:
            self.assertEqual(self.judged(kind, error), verdict, f"{kind.__name__}: {error}")

    # Writes.

    def test_failed_write_that_wrote_nothing(self):
        for shape, answer in (("ctas", "SHOW TABLES"), ("insert", "SELECT")):
            self.daemon.error, self.expected = CANCELED, None
            before = self.daemon.answers[answer]
            self.assertEqual(self.run_case(shape, self.cancel()).verdict, REFUSED)
            self.daemon.happening = lambda: self.daemon.answers.update({answer: before + "written\n"})
            outcome = self.run_case(shape, self.cancel())
            self.assertEqual(outcome.verdict, BAD, shape)
            self.assertIn("it has written although it failed", outcome.words)
            self.daemon.answers[answer], self.daemon.happening = before, lambda: None

    @staticmethod
    def cancel():
        class Canceled(Struck):
            may_end_in = Cancel.may_end_in
        return Canceled

    # What is left behind.

    def test_nothing_left(self):
        self.assertEqual(self.runner.leaks(QUERY), [])

    def left(self, word):
        outcome = self.run_case()
        self.assertEqual(outcome.verdict, BAD)
        self.assertIn("left behind", outcome.words)
        self.assertIn(word, outcome.words)

    def test_spool_file_left(self):
        (self.daemon.spools[1] / QUERY).mkdir()
        (self.daemon.spools[1] / QUERY / "0.0.0.spool").touch()
        self.left("0.0.0.spool")

    def test_hidden_table_file_left(self):
        (self.daemon.lake / "chaos").mkdir()
        (self.daemon.lake / "chaos/.waterbear-write-1").touch()
        self.left(".waterbear-write-1")

    def test_process_left(self):
        self.daemon.processes[4] = 8
        self.left("4 processes instead of 3")

    def test_descriptors_left(self):
        self.daemon.processes[2] = 1000
        self.left("process 2 holds 1000 descriptors")

    def test_orphan_left(self):
        self.daemon.strays = [99]
        self.left("process 99 without its daemon")

    def test_key_left(self):
        self.daemon.stored = [f"the key of {QUERY}"]
        self.left(f"the key of {QUERY}")

    def test_attempt_and_memory_left(self):
        self.runner.learn_limits()
        self.daemon.reports[0]["running"] = "2"
        self.left("2 attempts on worker 1")
        self.daemon.reports[0].update(running="0", resident_bytes=str(1 << 30))
        self.left("1073741824 bytes of memory in worker 1")


class DaemonTests(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon("/nowhere")
        self.addCleanup(self.daemon.remove)

    def test_what_a_store_keeps(self):
        self.daemon.data.mkdir()
        store = sqlite3.connect(self.daemon.data / "store.sqlite")
        self.addCleanup(store.close)
        store.executescript("""
            CREATE TABLE query (number INTEGER PRIMARY KEY, id TEXT);
            CREATE TABLE query_key (query INTEGER PRIMARY KEY, sealed_key BLOB);
            CREATE TABLE attempt (query INTEGER, stage INTEGER, partition INTEGER, attempt INTEGER, state TEXT);
            INSERT INTO query VALUES (1, 'a'), (2, 'b');
            INSERT INTO query_key VALUES (1, zeroblob(40)), (2, zeroblob(40));
            INSERT INTO attempt VALUES (1, 0, 0, 0, 'FINISHED'), (2, 3, 4, 5, 'ABORTED');""")
        self.assertEqual(self.daemon.held_in_store(), [])
        store.executescript("UPDATE query_key SET sealed_key = x'0001' WHERE query = 2;"
                            "UPDATE attempt SET state = 'RUNNING' WHERE query = 2;")
        self.assertEqual(self.daemon.held_in_store(), ["the key of b", "attempt b.3.4.5 in the store"])

    def test_orphans(self):
        self.assertEqual(self.daemon.orphans(), [])
        stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"{self.daemon.home}/etc"])
        self.addCleanup(stray.wait)
        self.addCleanup(stray.kill)
        self.assertEqual(self.daemon.orphans(), [stray.pid])
        self.daemon.process = stray
        self.assertEqual(self.daemon.orphans(), [])
        self.daemon.process = None


if __name__ == "__main__":
    unittest.main()
