"""Owns the command line of tools/chaos and the table it prints."""
import argparse
import collections
import dataclasses
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

from benchmark.environment import ROOT

from . import shapes
from .case import BAD, IDLE, REFUSED, RIGHT, Runner
from .daemon import Daemon
from .faults import FAULTS
from .hanging import obstacle

# How often a case has its turn at most, until it is struck.
TURNS = 6
# After so many turns the query is held until it is struck.
FREE_TURNS = 3


def parse(arguments, description):
    summary, _, epilog = description.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="tools/chaos", description=summary, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, help="go on with further seeds for so long (default: one round)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--faults", default="all", help="with commas between them, of " + ", ".join(FAULTS))
    parser.add_argument("--shapes", default="all", help="with commas between them; all, tpch (22 queries), or names")
    parser.add_argument("--schema", default="sf0.5", help="of the catalog tpch (default: sf0.5)")
    parser.add_argument("--policy", default="TASK", choices=("NONE", "QUERY", "TASK"), type=str.upper,
                        help="retry_policy of the queries (default: TASK)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the daemon's directory where something was bad")
    parser.add_argument("--build-dir", help="built programs; nothing is built then")
    return parser.parse_args(arguments)


def binaries(options):
    if options.build_dir:
        return pathlib.Path(options.build_dir).resolve()
    for product in ("waterbeard", "waterbearctl"):
        subprocess.run(["swift", "build", "-c", "release", "--product", product], cwd=ROOT, check=True,
                       stdout=sys.stderr)
    shown = subprocess.run(["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, check=True,
                           capture_output=True, text=True)
    return pathlib.Path(shown.stdout.strip())


def chosen_faults(names):
    if names == "all":
        names = ",".join(name for name in FAULTS if name != "none")
    unknown = [name for name in names.split(",") if name not in FAULTS or name == "none"]
    if unknown:
        sys.exit(f"chaos: there is no fault {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    faults = {name: FAULTS[name] for name in names.split(",")}
    if os.geteuid() != 0 or os.environ.get("WATERBEAR_NO_MOUNTS"):
        for name in [name for name, kind in faults.items() if kind.needs_mounts]:
            print(f"chaos: {name} is left out: only root can mount a file system that may run full", file=sys.stderr)
            del faults[name]
    if why := obstacle():
        for name in [name for name, kind in faults.items() if kind.needs_hanging]:
            print(f"chaos: {name} is left out: {why}", file=sys.stderr)
            del faults[name]
    return faults


class Table:
    """Fault × shape × outcome."""

    def __init__(self):
        self.cells = collections.defaultdict(collections.Counter)
        # By fault: how much longer queries took that were struck and gave the right answer.
        self.delays = collections.defaultdict(list)
        self.bad, self.refusals, self.cases, self.retries = [], [], 0, 0
        # Whether every cell has had its turn.
        self.is_complete = False

    def add(self, seed, fault, shape, outcome, undisturbed):
        self.cells[fault, shape][outcome.verdict] += 1
        if outcome.verdict == RIGHT:
            self.delays[fault].append(outcome.seconds - undisturbed)
        self.cases += 1
        self.retries += outcome.retries
        line = f"seed {seed} {fault} × {shape}: {outcome.words}"
        if outcome.verdict == BAD:
            self.bad.append(line)
            print(f"\nBAD {line}", flush=True)
        elif outcome.verdict == REFUSED:
            self.refusals.append(line)

    def never_struck(self, faults, names):
        """The cells that prove nothing."""
        return [f"{fault} × {name}" for fault in faults for name in names
                if not any(self.cells[fault, name][verdict] for verdict in (RIGHT, REFUSED, BAD))]

    def conclude(self, faults, names):
        """Prints all; the exit code. A cell that was never struck is a failure once every cell has had its turn."""
        self.print(faults, names)
        never = self.never_struck(faults, names)
        if self.is_complete and never:
            print(f"  never struck, so nothing is proved of: {', '.join(never)}")
        failed = len(self.bad) + (len(never) if self.is_complete else 0)
        print(f"{self.cases - len(self.bad)} passed, {failed} failed")
        return 1 if failed or not self.cases else 0

    def print(self, faults, names):
        marks = {RIGHT: ".", REFUSED: "f", IDLE: "-", BAD: "X"}
        width = max(map(len, faults)) + 2
        print(f"\n{'':{width}}" + " ".join(f"{index + 1:>2}" for index in range(len(names))) + "   median delay, s")
        for fault in faults:
            cells = []
            for name in names:
                counts = self.cells[fault, name]
                worst = next((verdict for verdict in (BAD, REFUSED, RIGHT, IDLE) if counts[verdict]), None)
                cells.append(f"{marks[worst] if worst else ' ':>2}")
            delay = f"{statistics.median(self.delays[fault]):>10.2f}" if self.delays[fault] else ""
            print(f"{fault:{width}}" + " ".join(cells) + delay)
        print("\n. right although struck   - over before it was struck   f failed as allowed   X bad")
        print("  ".join(f"{index + 1} {name}" for index, name in enumerate(names)))
        total = collections.Counter()
        for counts in self.cells.values():
            total.update(counts)
        print(f"\n{self.cases} cases: {total[RIGHT]} right, {total[IDLE]} not struck, "
              f"{total[REFUSED]} failed as allowed, {total[BAD]} bad; {self.retries} attempts were repeated")
        for line in self.refusals[:10]:
            print(f"  allowed: {line[:300]}")
        for line in self.bad:
            print(f"  BAD: {line[:1000]}")


def scale(schema):
    return 0.01 if schema == "tiny" else float(schema.removeprefix("sf"))


def main(arguments, description):
    options = parse(arguments, description)
    wanted, faults = shapes.chosen(options.shapes, scale(options.schema)), chosen_faults(options.faults)
    mounts = any(kind.needs_mounts for kind in faults.values())
    programs = binaries(options)
    # What lies on a mount that can hang obeys other rules than most faults break, so it has a daemon of its own.
    daemons = {can_hang: Daemon(programs, options.workers, "512m" if mounts and not can_hang else None, can_hang)
               for can_hang in sorted({kind.needs_hanging for kind in faults.values()})}
    table, began, runners, expected = Table(), time.monotonic(), {}, {}
    try:
        for can_hang, daemon in daemons.items():
            daemon.prepare()
            shapes.make_tables(daemon.lake)
            daemon.start()
            daemon.wait_until_ready()
            runners[can_hang] = runner = Runner(daemon, options.schema, options.policy)
            expected[can_hang] = {shape.name: runner.expect(shape) for shape in wanted}
            runner.learn_limits()
            print("undisturbed: " + ", ".join(
                f"{name} {each.seconds:.2f} s" for name, each in expected[can_hang].items()), flush=True)
        rounds(options, runners, wanted, faults, expected, table, began)
        for daemon in daemons.values():
            ended = daemon.stop()
            if ended != 0:
                table.bad.append(f"the daemon ended with {ended} when it was asked to stop")
            if orphans := daemon.orphans():
                table.bad.append(f"processes after the daemon has ended: {orphans}")
            left = [str(path) for spool in daemon.spools for path in spool.glob("*/*")]
            if left:
                table.bad.append(f"left in the spool at the end: {left[:5]}")
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        code = table.conclude(list(faults), [shape.name for shape in wanted])
        for daemon in daemons.values():
            if options.keep and table.bad:
                print(f"kept: {daemon.home}")
                if daemon.process:
                    daemon.stop()
            else:
                daemon.remove()
    return code


def rounds(options, runners, wanted, faults, expected, table, began):
    seed = options.seed
    while True:
        cases = [(fault, shape) for fault in faults for shape in wanted]
        random.Random(seed).shuffle(cases)
        for fault, shape in cases:
            runner = runners[faults[fault].needs_hanging]
            undisturbed = expected[faults[fault].needs_hanging][shape.name]
            for turn in range(TURNS):
                # Each draws from a source of its own, so it can be run alone.
                source = random.Random(f"{seed}/{fault}/{shape.name}" + (f"/{turn}" if turn else ""))
                # Sooner each time, for the query may have been slower when it was measured.
                sooner = dataclasses.replace(undisturbed, seconds=undisturbed.seconds / 2**turn)
                outcome = runner.run(shape, faults[fault], source, sooner, holds=turn >= FREE_TURNS)
                table.add(seed, fault, shape.name, outcome, undisturbed.seconds)
                if outcome.verdict != IDLE:
                    break
            daemon = runner.daemon
            if outcome.verdict == BAD and (daemon.process is None or daemon.process.poll() is not None):
                daemon.revive()
            if sys.stderr.isatty():
                print(f"\r{table.cases} cases, {len(table.bad)} bad; {fault} × {shape.name}: {outcome.verdict}"
                      f" in {outcome.seconds:.1f} s\033[K", end="", file=sys.stderr)
            if options.minutes is not None and time.monotonic() - began > options.minutes * 60:
                return
        table.is_complete = True
        if options.minutes is None:
            return
        seed += 1
