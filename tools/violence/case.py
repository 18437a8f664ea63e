"""Owns one case: a query under a fault, its answer compared with the undisturbed one, and what it leaves behind."""
import dataclasses
import hashlib
import math
import os
import re
import signal
import sqlite3
import time

from .daemon import NoAnswer

# waterbearctl's exit code where nobody listens.
NOT_RUNNING = 3
RIGHT, REFUSED, IDLE, BAD = "right", "failed", "idle", "BAD"

# What a person is told whose query has used up a task's attempts: the task, how often it failed, the last attempt, a
# code, and a cause.
USED_UP = re.compile(
    r"Task \d{8}_\d{6}_\d{5}_\w+(\.\d+){2} failed \d+ times? \(task-retry-attempts-per-task = \d+\)"
    r"[^\n]*; the last attempt was number \d+[^\n]* \[[A-Z_]+\]\n\s*cause: \S")
# The same under retry_policy = QUERY.
QUERY_USED_UP = re.compile(
    r"Query \d{8}_\d{6}_\d{5}_\w+ failed \d+ times? \(query-retry-attempts = \d+\), the last time in task "
    r"\d{8}_\d{6}_\d{5}_\w+(\.\d+){2}[^\n]* \[[A-Z_]+\]\n\s*cause: \S")
# An error as waterbearctl ends its first line.
CODE = re.compile(r" \[([A-Z_]+)\]$", re.MULTILINE)


@dataclasses.dataclass
class Expected:
    """What a shape gives undisturbed."""

    digest: str | list
    rows: int
    seconds: float
    # What `untouched` of the shape gives where the statement has not run, and where it has.
    untouched: str | None = None
    touched: str | None = None


@dataclasses.dataclass
class Outcome:
    # right: the answer, although the fault struck; failed: ended with an error that is allowed; idle: the query was
    # over before the fault struck; BAD: anything else.
    verdict: str
    words: str = ""
    seconds: float = 0
    retries: int = 0
    query: str = ""


def digest(shape, text):
    """What an answer is compared by, and its number of rows. An approximate one keeps its rows."""
    lines = text.splitlines()
    rows = lines[1:] if shape.is_ordered else sorted(lines[1:])
    if shape.is_approximate:
        return lines[:1] + rows, len(rows)
    return hashlib.sha256("\n".join(lines[:1] + rows).encode()).hexdigest(), len(rows)


def is_same(shape, found, expected):
    """Whether two digests are of one answer. Doubles may differ by a ten thousand millionth, which is far less than
    any row of theirs; rows of an approximate answer begin with a key, so their order does not depend on it."""
    if not shape.is_approximate or len(found) != len(expected):
        return found == expected
    cells = [(one, other) for lines in zip(found, expected) for one, other in zip(*(line.split(",") for line in lines))]
    return all(one == other or "." in one and "." in other and math.isclose(float(one), float(other), rel_tol=1e-10)
               for one, other in cells)


class Runner:
    """Runs shapes on a daemon."""

    def __init__(self, daemon, schema, policy="TASK"):
        self.daemon, self.schema, self.policy = daemon, schema, policy
        # Files that processes may have open: what they hold after undisturbed work, and a few. Footers are cached.
        self.descriptors_max = 64
        # Bytes that a worker may hold between queries.
        self.resident_max = 1 << 40
        # Seconds for everything of a query to be gone.
        self.patience = 20

    def learn_limits(self):
        self.descriptors_max = 32 + max(self.daemon.descriptors().values())
        held = [int(worker["resident_bytes"]) for worker in self.daemon.worker_reports()]
        self.resident_max = 2 * max(held) + (256 << 20)

    def plain(self, sql, seconds=120):
        """Runs a statement that is not disturbed; its rows as CSV."""
        done = self.daemon.control("query", sql.replace("{schema}", f'tpch."{self.schema}"'), "--catalog", "tpch",
                                   "--schema", self.schema, "--format", "csv", seconds=seconds)
        if done.returncode:
            raise RuntimeError(f"{sql[:80]}…: {done.stderr.strip()}")
        return done.stdout

    def expect(self, shape):
        """The undisturbed answer, twice: an answer that differs by itself proves nothing."""
        first, second = self.expect_once(shape), self.expect_once(shape)
        if not is_same(shape, first.digest, second.digest):
            raise RuntimeError(f"{shape.name} gives two answers undisturbed")
        if second.untouched is not None and second.untouched == second.touched:
            raise RuntimeError(f"{shape.name} leaves no trace by which a failed one could be told")
        return second

    def expect_once(self, shape):
        for sql in shape.before:
            self.plain(sql)
        untouched = self.plain(shape.untouched) if shape.untouched else None
        began = time.monotonic()
        text, _, error = self.disturbed(shape, None, 300)
        if error:
            raise RuntimeError(f"{shape.name} fails undisturbed: {error}")
        seconds = time.monotonic() - began
        found, rows = digest(shape, self.answer(shape, text))
        touched = self.plain(shape.untouched) if shape.untouched else None
        for sql in shape.after:
            self.plain(sql)
        return Expected(found, rows, seconds, untouched, touched)

    def disturbed(self, shape, fault, seconds, holds=False):
        """Submits, waits and fetches: rows as CSV, the query's id, and the error where it failed. `holds`: workers are
        stopped until the fault has struck, or for half a second."""
        deadline = time.monotonic() + seconds
        settings = (*shape.session, f"retry_policy={self.policy}")
        session = [word for setting in settings for word in ("--session", setting)]
        held = self.daemon.workers if holds else []
        self.daemon.signal(held, signal.SIGSTOP)
        try:
            return self.followed(shape, fault, session, deadline, held)
        finally:
            self.release(held, fault)

    def release(self, held, fault):
        """But for those that the fault has stopped."""
        if held:
            self.daemon.signal([process for process in held if process not in fault.stopped], signal.SIGCONT)

    def followed(self, shape, fault, session, deadline, held):
        submitted = self.insist("submit", shape.sql, "--catalog", "tpch", "--schema", self.schema, *session,
                                deadline=deadline)
        if submitted.returncode:
            return None, "", submitted.stderr.strip()
        query = submitted.stdout.strip()
        if fault:
            fault.query = query
        if held:
            fault.has_struck.wait(0.5)
            self.release(held, fault)
        waited = self.insist("wait", query, deadline=deadline)
        if waited.returncode:
            return None, query, waited.stderr.strip() or f"exit code {waited.returncode}"
        fetched = self.insist("fetch", query, "--format", "csv", deadline=deadline)
        if fetched.returncode:
            return None, query, fetched.stderr.strip() or f"exit code {fetched.returncode}"
        return fetched.stdout, query, None

    def answer(self, shape, text):
        """What is compared: what the statement gave, or what it has written."""
        return self.plain(shape.check) if shape.writes else text

    def insist(self, *arguments, deadline):
        """As a script would that knows the daemon to be coming back: a command that did not find it is given again."""
        while True:
            done = self.daemon.control(*arguments, seconds=max(1, deadline - time.monotonic()))
            is_away = done.returncode == NOT_RUNNING or "SERVER_SHUTTING_DOWN" in done.stderr
            if not is_away or time.monotonic() > deadline:
                return done
            time.sleep(0.1)

    def run(self, shape, kind, random, expected, holds=False):
        """One case; its outcome. `holds`: the query cannot end before it is struck, unless the fault is slow. The
        daemon is whole again afterwards, or the outcome is BAD."""
        try:
            for sql in shape.before:
                self.plain(sql)
        except (NoAnswer, RuntimeError) as wrong:
            return Outcome(BAD, f"before the fault: {wrong}")
        before = time.monotonic()
        fault = kind(self.daemon, random, expected.seconds)
        try:
            with fault:
                text, query, error = self.disturbed(shape, fault, 60 + 20 * expected.seconds, holds)
        except NoAnswer as late:
            why = f"; the fault itself failed: {fault.error!r}" if fault.error else ""
            return Outcome(BAD, f"hang: {late}{why}", time.monotonic() - before, query=fault.query or "")
        outcome = Outcome(RIGHT, "", time.monotonic() - before, query=query)
        if fault.error:
            outcome.verdict, outcome.words = BAD, f"the fault itself failed: {fault.error!r}"
        elif error:
            self.judge(outcome, fault, error)
        elif not fault.strikes:
            outcome.verdict = IDLE
        try:
            self.daemon.wait_until_ready()
            if not error:
                self.compare(shape, text, outcome, expected)
            elif shape.writes and outcome.verdict == REFUSED:
                self.check_untouched(shape, outcome, expected)
            if outcome.verdict != BAD:
                self.count_retries(outcome)
            for sql in shape.after:
                self.plain(sql)
            self.check_leaks(outcome)
        except (NoAnswer, RuntimeError) as wrong:
            outcome.verdict, outcome.words = BAD, f"{outcome.words} afterwards: {wrong}".strip()
        return outcome

    def compare(self, shape, text, outcome, expected):
        text = self.answer(shape, text)
        found, rows = digest(shape, text)
        if not is_same(shape, found, expected.digest):
            outcome.verdict = BAD
            outcome.words = f"WRONG ANSWER: {rows} rows instead of {expected.rows}: {text[:300]!r}"

    def judge(self, outcome, fault, error):
        """A failure is allowed only where the fault says that it may end a query so, and in full words."""
        outcome.verdict, outcome.words = BAD, f"failed: {error}"
        codes, allowed = CODE.findall(error), self.allowed(fault)
        if not (fault.strikes or fault.early) or not codes or codes[0] not in allowed:
            return
        words = allowed[codes[0]]
        if words and not words.search(error):
            outcome.words = f"failed, and does not say in which task, how often and why: {error}"
            return
        outcome.verdict, outcome.words = REFUSED, error

    def allowed(self, fault):
        """By the code of an error that may end the query: what its message has to match."""
        words = USED_UP if fault.uses_up_attempts else None
        if self.policy == "TASK":
            return {code: words for code in fault.may_end_in}
        asked_for = {} if words else {code: None for code in fault.may_end_in}
        return asked_for | {code: QUERY_USED_UP if self.policy == "QUERY" else None for code in fault.ends_attempts_in}

    def check_untouched(self, shape, outcome, expected):
        """A write that failed has written nothing."""
        found = self.plain(shape.untouched)
        if found != expected.untouched:
            outcome.verdict = BAD
            outcome.words = f"it has written although it failed ({found!r}): {outcome.words}"

    def attempts(self, query):
        """What `show` says of each attempt, by the names of its columns."""
        shown = self.daemon.control("show", query, "--format", "tsv")
        header, *lines = shown.stdout.splitlines() or [""]
        return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]

    def count_retries(self, outcome):
        attempts = self.attempts(outcome.query)
        outcome.retries = sum(attempt["attempt"] != "0" for attempt in attempts)
        if self.policy != "NONE":
            return
        # An attempt whose start was lost on its way to a worker that lives never ran: it is begun again, and has no
        # error.
        ended = {(attempt["stage"], attempt["task"], attempt["attempt"]) for attempt in attempts if attempt["error"]}
        repeated = [attempt for attempt in attempts if any(
            (attempt["stage"], attempt["task"], str(earlier)) in ended for earlier in range(int(attempt["attempt"])))]
        if repeated:
            outcome.verdict, outcome.words = BAD, f"{len(repeated)} attempts were repeated: {outcome.words}"

    def check_leaks(self, outcome):
        """Waits for everything of the query to be gone. Where a client's word that it has the result died with the
        coordinator, that is when the result expires."""
        deadline = time.monotonic() + self.patience
        while True:
            left = self.leaks(outcome.query)
            if not left:
                return
            if time.monotonic() > deadline:
                outcome.verdict, outcome.words = BAD, f"{outcome.words} left behind: {'; '.join(left)}".strip()
                return
            time.sleep(0.05)

    def leaks(self, query):
        try:
            left = [str(path) for spool in self.daemon.spools if query for path in spool.glob(f"{query}/*")]
        except FileNotFoundError as error:
            # It went while it was looked into, so there was something left; the next look tells.
            left = [str(error.filename)]
        # walk(), unlike rglob(), goes on where a directory is removed while it is listed.
        left += [f"{directory}/{name}" for directory, below, files in os.walk(self.daemon.lake)
                 for name in below + files
                 if name.startswith((".waterbear-write-", ".waterbear-drop-"))]
        count = len(self.daemon.children())
        if count != 1 + self.daemon.count:
            left.append(f"{count} processes instead of {1 + self.daemon.count}")
        left += [f"process {process} holds {files} descriptors" for process, files
                 in self.daemon.descriptors().items() if files > self.descriptors_max]
        left += [f"process {process} without its daemon" for process in self.daemon.orphans()]
        try:
            left += self.daemon.held_in_store()
        except sqlite3.Error as error:
            left.append(f"a store that cannot be read: {error}")
        for worker in self.daemon.worker_reports():
            if worker["running"] != "0":
                left.append(f"{worker['running']} attempts on worker {worker['worker']}")
            if int(worker["resident_bytes"]) > self.resident_max:
                left.append(f"{worker['resident_bytes']} bytes of memory in worker {worker['worker']}")
        return left
