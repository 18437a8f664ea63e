"""Owns the order in which engines run queries, and what is kept of it. Knows no engine and prints progress only.

Run 0 warms up: files come into the page cache, Java compiles. Its times do not count; the memory of all processes is
sampled and answers are compared in it. Then each query runs on one engine after the other, so that a disturbance of
the machine meets all of them, and in a random order, so that none always follows the same other and finds what that
left in the processor's caches.
"""
import dataclasses
import math
import random
import statistics
import sys
import time

from . import answers, processes, queries


@dataclasses.dataclass
class Figures:
    """What one engine needed for one query."""

    times: list = dataclasses.field(default_factory=list)
    own_times: list = dataclasses.field(default_factory=list)
    memory: int = 0
    spooled: int | None = None
    warm_up: float | None = None
    error: str | None = None

    @property
    def seconds(self):
        """The median; None where a run failed or none was timed."""
        return statistics.median(self.times) if self.times and not self.error else None

    @property
    def own_seconds(self):
        return statistics.median(self.own_times) if self.own_times and not self.error else None


class Measurement:
    """Runs queries on engines that are started already."""

    def __init__(self, engines, numbers, scale, seconds_at_most, known_answers):
        self.engines, self.numbers, self.scale = engines, numbers, scale
        self.seconds_at_most, self.known_answers = seconds_at_most, known_answers
        self.figures = {engine.name: {number: Figures() for number in numbers} for engine in engines}
        self.reference = {}
        self.wrong = []

    def warm_up(self):
        # The reference comes first: what others answer is compared with it.
        for number in self.numbers:
            for engine in sorted(self.engines, key=lambda engine: engine.name != "duckdb"):
                self.tell(f"query {number} on {engine.name}, not timed")
                engine.spooled()
                with processes.Sampler(engine.root()) as sampler:
                    outcome = self.run(engine, number)
                figures = self.figures[engine.name][number]
                figures.memory, figures.warm_up = sampler.peak, outcome.seconds
                figures.spooled = engine.spooled()
        self.tell("")

    def time(self, runs):
        for run in range(runs):
            for number in self.numbers:
                for engine in random.Random(f"{run}/{number}").sample(self.engines, len(self.engines)):
                    figures = self.figures[engine.name][number]
                    if figures.error:
                        continue
                    self.tell(f"run {run + 1} of {runs}: query {number} on {engine.name}")
                    outcome = self.run(engine, number)
                    figures.times.append(outcome.seconds)
                    if outcome.own_seconds is not None:
                        figures.own_times.append(outcome.own_seconds)
        self.tell("")

    def run(self, engine, number):
        outcome = engine.run(queries.text(number, self.scale), self.seconds_at_most)
        if outcome.error:
            self.figures[engine.name][number].error = outcome.error
            self.wrong.append(f"query {number} on {engine.name} failed: {outcome.error}")
        else:
            self.check(engine.name, number, outcome.rows)
        return outcome

    def check(self, name, number, rows):
        """Compares an answer with the first engine's, and that with the file of answers where there is one."""
        if number not in self.reference:
            self.reference[number] = (name, rows)
            file = self.known_answers and self.known_answers / f"{queries.name(number)}.psv"
            if file and file.exists():
                known = answers.from_psv(file.read_text())
                self.note(number, name, file.name, answers.difference(rows, known, queries.ORDER[number]))
            return
        other, expected = self.reference[number]
        self.note(number, name, other, answers.difference(rows, expected, queries.ORDER[number]))

    def note(self, number, name, other, difference):
        if difference:
            self.figures[name][number].error = "wrong answer"
            self.wrong.append(f"query {number}: {name} differs from {other}: {difference}")

    @staticmethod
    def tell(words):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{time.strftime('%H:%M:%S')} {words}" if words else "\r\x1b[K", end="", file=sys.stderr,
                  flush=True)

    def total(self, name, own=False):
        """Sum of the medians; None where one is missing."""
        seconds = [figures.own_seconds if own else figures.seconds for figures in self.figures[name].values()]
        return None if None in seconds else sum(seconds)

    def ratios(self, over, under):
        """The quotients of two engines' medians by query, where both have one."""
        found = {}
        for number in self.numbers:
            one, other = self.figures[over][number].seconds, self.figures[under][number].seconds
            if one and other:
                found[number] = one / other
        return found


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None
