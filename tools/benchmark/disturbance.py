"""Owns killing the processes of an engine while a query runs."""
import os
import random
import signal
import statistics
import threading
import time


def kill_one(victims):
    """Kills one of these processes; whether there was one."""
    if not victims:
        return False
    try:
        os.kill(random.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Killer:
    """Kills one of the processes that `victims` finds after a time, and again after each interval, while this is
    entered."""

    def __init__(self, victims, after, every=None):
        self.victims, self.after, self.every = victims, after, every
        self.kills = 0

    def __enter__(self):
        self.stopped = threading.Event()
        self.due = time.monotonic() + self.after
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def watch(self):
        while not self.stopped.wait(max(0, self.due - time.monotonic())):
            self.kills += kill_one(self.victims())
            if self.every is None:
                return
            self.due += self.every

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


class Disturbed:
    """An engine as the measurement wants it, whose workers are killed while it answers. The interval counts only that
    time, so that queries shorter than it are met as well."""

    def __init__(self, engine, every):
        self.engine, self.every, self.left = engine, every, every
        self.kills = 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def run(self, sql, seconds_at_most):
        with Killer(self.engine.victims, self.left, self.every) as killer:
            outcome = self.engine.run(sql, seconds_at_most)
        self.left = max(0, killer.due - time.monotonic())
        self.kills += killer.kills
        return outcome


def kill_at(engine, sql, undisturbed, fraction, runs, seconds_at_most, check):
    """Times with one worker killed after a part of the undisturbed time. Each answer goes to `check`."""
    times, kills = [], 0
    for _ in range(runs):
        with Killer(engine.victims, undisturbed * fraction) as killer:
            outcome = engine.run(sql, seconds_at_most)
        check(outcome)
        kills += killer.kills
        times.append(outcome.seconds)
    return {"undisturbed": undisturbed, "killed": times, "kills": kills,
            "ratio": statistics.median(times) / undisturbed}


def kill_coordinator(engine, sql, pairs, seconds_at_most):
    """What the coordinator's death at half of a query's time costs: runs with and without it by turns, in an order by
    chance, since a machine's speed changes while it is measured. Raises RuntimeError where rows differ or a run
    fails."""
    def run(killer=None):
        if killer is None:
            outcome = engine.run(sql, seconds_at_most)
        else:
            with killer:
                outcome = engine.run(sql, seconds_at_most)
        if outcome.error:
            raise RuntimeError(f"the query {'failed' if killer is None else 'with its coordinator killed failed'}: "
                               f"{outcome.error}")
        return outcome

    run()
    expected = run()
    plain, killed, kills = [], [], 0
    for _ in range(pairs):
        for is_killed in random.sample([False, True], 2):
            half = statistics.median(plain or [expected.seconds]) / 2
            killer = Killer(engine.coordinators, half) if is_killed else None
            outcome = run(killer)
            if outcome.rows != expected.rows:
                raise RuntimeError("the query gave other rows than before")
            (killed if is_killed else plain).append(outcome.seconds)
            kills += killer.kills if killer else 0
    return {"plain": plain, "killed": killed, "kills": kills}
