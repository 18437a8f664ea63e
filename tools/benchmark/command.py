"""Owns the command line of tools/bench: its options, and the order of things."""
import argparse
import contextlib
import os
import pathlib
import re
import signal
import statistics
import sys

from . import disturbance, environment, processes, promises, queries, report, tables
from .environment import ROOT, Peers, Refusal
from .measuring import Measurement
from .peer import Peer
from .report import DUCKDB, NONE, SPARK, TASK
from .waterbear import MOST_ATTEMPTS, PLAIN, SEALED, Waterbear

# A check with fewer says little.
ENOUGH_KILLS = 22
UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def data_size(text):
    """Trino's data sizes: 2GB is 2^31 bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(B|kB|MB|GB)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no data size such as 512MB or 2GB")
    return int(float(found[1]) * UNITS[found[2]])


def moment(text):
    """`9:0.5` as a query and a part of its time."""
    found = re.fullmatch(r"(\d+):(0?\.\d+)", text)
    if not found or int(found[1]) not in queries.NUMBERS:
        raise argparse.ArgumentTypeError(f"{text} is no query and part of its time such as 9:0.5")
    return int(found[1]), float(found[2])


def engine_names(text):
    names = text.split(",")
    unknown = [name for name in names if name not in (TASK, NONE, DUCKDB, SPARK)]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown engine {unknown[0]}; there are {TASK}, {NONE}, {DUCKDB}, {SPARK}")
    return names


def query_numbers(text):
    try:
        return queries.chosen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse(arguments, description):
    parser = argparse.ArgumentParser(
        prog="tools/bench", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--scale", type=float, default=1, help="of TPC-H; 1 is a gigabyte of raw data (default: 1)")
    add("--runs", type=int, default=3, metavar="N", help="timed runs of each query (default: 3); 0 compares answers")
    add("--queries", type=query_numbers, default=list(queries.NUMBERS), metavar="1,6,9-12", help="default: all")
    add("--engines", type=engine_names, default=[TASK, NONE, DUCKDB, SPARK], metavar="NAMES",
        help=f"with commas between them, of {TASK}, {NONE}, {DUCKDB}, {SPARK} (default: all)")
    add("--source", choices=["parquet", "tpch"], default="parquet",
        help="what Waterbear reads: the Parquet files, or rows that its connector tpch generates")
    add("--data", type=pathlib.Path, default=ROOT / ".build/bench/data", metavar="DIR",
        help="where DIR/sf1/lineitem.parquet and so on are or will be (default: .build/bench/data)")
    add("--cache", type=pathlib.Path, default=ROOT / ".build/bench", metavar="DIR",
        help="where the peers are installed (default: .build/bench)")
    add("--json", type=pathlib.Path, default=ROOT / ".build/bench/bench.jsonl", metavar="FILE",
        help="gets one line (default: .build/bench/bench.jsonl)")
    add("--answers", type=pathlib.Path, metavar="DIR",
        help="official answers as q01.psv and so on (default: those in Tests/sql/answers for the scale)")
    add("--memory-limit", type=data_size, metavar="SIZE", help="for all workers of each engine together, such as 2GB")
    add("--kill", action="store_true", help=f"kill a random worker of {TASK} every 300 ms")
    add("--kill-at", type=moment, metavar="9:0.5",
        help="afterwards, kill a worker at this part of a query's time, and give the ratio; Spark's executors as well")
    add("--kill-coordinator", type=int, default=0, metavar="PAIRS",
        help="afterwards, so many runs of a long query each with and without the coordinator's death at half of it")
    add("--check", action="store_true", help=f"compare answers, time nothing: --runs 0 --engines {TASK},{DUCKDB}")
    add("--no-promises", action="store_true", help="leave out SELECT 1, idle memory and generated tables")
    add("--timeout", type=int, default=600, metavar="SECONDS", help="for one query (default: 600)")
    add("--cores", type=int, default=2, metavar="N", help="the first N of the machine's (default: 2)")
    add("--nice", type=int, metavar="N",
        help="run all engines with this niceness; below 0, which root may, others disturb them less")
    add("--build-dir", type=pathlib.Path, metavar="DIR", help="built programs; nothing is built then")
    options = parser.parse_args(arguments)
    if options.check:
        options.runs, options.engines, options.no_promises = 0, [TASK, DUCKDB], True
    if options.kill_at and (not options.runs or options.kill_at[0] not in options.queries):
        parser.error("--kill-at needs timed runs of its query")
    if options.kill_coordinator and TASK not in options.engines:
        parser.error(f"--kill-coordinator needs {TASK}")
    return options


def engines(options, binaries, peers):
    """The engines that were asked for, not started."""
    schema, found = tables.schema(options.scale), []
    files = {name: str(path.resolve()) for name, path in tables.paths(options.data, options.scale).items()}
    common = dict(threads=options.cores, memory_limit=options.memory_limit, tables=files)
    for name in options.engines:
        if name in (TASK, NONE):
            config = SEALED if name == TASK else PLAIN
            workers = max(2, options.cores)
            if options.memory_limit:
                config += f"waterbear.worker-memory={options.memory_limit // workers}B\n"
            if options.kill and name == TASK:
                config += MOST_ATTEMPTS
            found.append(Waterbear(name, binaries, config, options.data, options.source, schema, workers))
        elif name == DUCKDB:
            found.append(Peer(name, peers.python, "duckdb_peer.py", common, None))
        else:
            memory = (options.memory_limit or options.cores * (3 << 30)) // options.cores >> 20
            settings = dict(common, executors=options.cores, executor_megabytes=memory)
            found.append(Peer(name, peers.python, "spark_peer.py", settings, "CoarseGrainedExecutorBackend"))
    if options.kill:
        found = [disturbance.Disturbed(engine, 0.3) if engine.name == TASK else engine for engine in found]
    return found


def known_answers(options):
    directory = options.answers or ROOT / "Tests/sql/answers" / tables.schema(options.scale)
    if options.answers and not directory.is_dir():
        raise Refusal(f"--answers: there is no directory {directory}")
    # The repository's answers at other scales than 1 keep the fraction of query 11 as it is at scale 1.
    return directory if options.answers or options.scale == 1 else None


def kill_at(options, started, measurement):
    """The times of --kill-at for the engines whose workers can be killed."""
    number, fraction = options.kill_at
    found = {}
    for engine in started:
        undisturbed = measurement.figures[engine.name][number].seconds
        if engine.name not in (TASK, SPARK) or not undisturbed:
            continue

        def check(outcome, name=engine.name):
            if outcome.error:
                measurement.wrong.append(f"query {number} on {name} with a killed worker failed: {outcome.error}")
            else:
                measurement.check(name, number, outcome.rows)

        result = disturbance.kill_at(engine, queries.text(number, options.scale), undisturbed, fraction,
                                     options.runs, options.timeout, check)
        found[engine.name] = dict(result, query=number, fraction=fraction)
        print(f"{engine.name}: query {number} undisturbed {undisturbed:.3f} s; with {result['kills']} workers killed "
              f"in {options.runs} runs at {fraction:g} of that, median {undisturbed * result['ratio']:.3f} s: "
              f"{result['ratio']:.2f} times")
    return found


def kill_coordinator(options, started):
    """The times of --kill-coordinator."""
    engine = next(engine for engine in started if engine.name == TASK)
    sql = queries.LONG
    found = disturbance.kill_coordinator(engine, sql, options.kill_coordinator, options.timeout)
    for words, figure in [("median", statistics.median), ("least", min)]:
        plain, killed = figure(found["plain"]), figure(found["killed"])
        print(f"coordinator killed at half of a long query, {words} of {options.kill_coordinator}: {plain:.3f} s, "
              f"killed {killed:.3f} s: {100 * (killed / plain - 1):+.1f} %")
    print(f"{found['kills']} coordinators were killed")
    return found


def kills(started):
    return sum(engine.kills for engine in started if isinstance(engine, disturbance.Disturbed))


def bench(options):
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: options.cores]))
    if options.nice is not None:
        processes.prefer(options.nice)
    peers = Peers(options.cache.resolve() / "venv")
    if SPARK in options.engines:
        environment.need_java()
    binaries = (options.build_dir or environment.build()).resolve()
    options.data.mkdir(parents=True, exist_ok=True)
    tables.make(options.data, options.scale, peers)
    peers.install([package for name, package in [(DUCKDB, "duckdb"), (SPARK, "pyspark")] if name in options.engines])
    extra = {}
    with contextlib.ExitStack() as ends:
        if not options.no_promises:
            figures = promises.measure(binaries, options.runs)
            promises.show(figures)
            extra["figures"] = promises.record(figures)
        started = engines(options, binaries, peers)
        for engine in started:
            ends.callback(engine.stop)
            engine.start()
        measurement = Measurement(started, options.queries, options.scale, options.timeout, known_answers(options))
        measurement.warm_up()
        rounds = 1
        # On a fast machine one round is over before much has been killed.
        while options.check and options.kill and kills(started) < ENOUGH_KILLS and rounds < 20:
            measurement.warm_up()
            rounds += 1
        measurement.time(options.runs)
        report.explain(options, measurement)
        report.show(measurement, options.runs)
        if options.kill:
            extra["kills"] = kills(started)
            print(f"\n{extra['kills']} workers of {TASK} were killed")
        if options.kill_at:
            print()
            extra["kill_at"] = kill_at(options, started, measurement)
        if options.kill_coordinator:
            print()
            extra["kill_coordinator"] = kill_coordinator(options, started)
    for words in measurement.wrong:
        print(f"WRONG: {words}", file=sys.stderr)
    if not measurement.wrong:
        compared = sum(len(figures) for figures in measurement.figures.values())
        print(f"\nall {compared} answers agree" if len(started) > 1 else "")
    report.keep(options.json, report.line(options, measurement, tables.size(options.data, options.scale), extra))
    return 1 if measurement.wrong else 0


def main(arguments, description):
    # All that ends a program by asking goes through the ends of `bench`.
    def interrupted(*_):
        # A second one must not disturb the ends.
        handle(signal.SIG_IGN)
        raise KeyboardInterrupt

    def handle(handler):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, handler)

    handle(interrupted)
    options = parse(arguments, description)
    try:
        return bench(options)
    except RuntimeError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except Refusal as refusal:
        print(f"bench: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbench: interrupted; all that it started has ended", file=sys.stderr)
        return 130
