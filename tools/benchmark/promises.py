"""Owns the figures that the README promises for small things: SELECT 1, the idle daemon, generated tables."""
import statistics
import time

from . import processes, queries
from .waterbear import SEALED, Waterbear


def timed(engine, sql, repetitions):
    """Seconds of each repetition, after one that does not count."""
    times = []
    for _ in range(repetitions + 1):
        outcome = engine.run(sql, 60)
        if outcome.error:
            raise RuntimeError(f"{sql}: {outcome.error}")
        times.append(outcome.seconds)
    return times[1:]


def measure(binaries, repetitions):
    """Name, unit, the promise, and values of each figure."""
    engine = Waterbear("waterbear", binaries, SEALED, None, "tpch", "sf1")
    try:
        engine.start()
        time.sleep(2)
        idle = [processes.memory(engine.root()) / 1e6]
        select = [1000 * seconds for seconds in timed(engine, "SELECT 1", max(20, repetitions))]
        six, one = (timed(engine, queries.text(number, 1), repetitions) for number in (6, 1))
        time.sleep(2)
        after = [processes.memory(engine.root()) / 1e6]
    finally:
        engine.stop()
    return [
        ("SELECT 1 through waterbearctl", "ms", 30, select),
        ("idle daemon, two workers", "MB", 150, idle),
        ("query 6, scale 1, generated", "s", 3, six),
        ("query 1, scale 1, generated", "s", 5, one),
        ("the daemon after those queries", "MB", None, after),
    ]


def show(figures):
    print(f"\n{'':31}{'median':>9}{'least':>9}   below")
    for name, unit, limit, values in figures:
        median = statistics.median(values)
        line = f"{name:31}{median:9.2f}{min(values):9.2f} {unit:>2}"
        if limit is not None:
            filled = min(30, round(30 * median / limit))
            line += f" {limit:>4} |{'█' * filled}{'·' * (30 - filled)}|{'' if median < limit else ' missed'}"
        print(line)


def record(figures):
    return [{"name": name, "unit": unit, "below": limit, "values": [round(value, 4) for value in values]}
            for name, unit, limit, values in figures]
