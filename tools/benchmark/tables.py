"""Owns the TPC-H tables as Parquet files: DIR/sf1/lineitem.parquet and so on, one file or one directory each.

All engines read these files, Waterbear through its connector `files` (a schema is a directory, a table a file).
"""
import os
import shutil
import subprocess

from .environment import Refusal

NAMES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def schema(scale):
    """The directory of a scale, and the name of the schema in Waterbear."""
    return f"sf{scale:g}"


def paths(base, scale):
    """Where each table lies: a file, or a directory of files."""
    found = {}
    for name in NAMES:
        file, directory = base / schema(scale) / f"{name}.parquet", base / schema(scale) / name
        found[name] = directory if directory.is_dir() else file
    return found


def are_there(base, scale):
    return all(path.exists() for path in paths(base, scale).values())


def make(base, scale, peers):
    """Generates the tables of a scale that are not there, as tpchgen-cli writes them by default (Snappy)."""
    if are_there(base, scale):
        return
    target = base / schema(scale)
    scratch = base / f".{schema(scale)}.{os.getpid()}"
    # A third of the raw size, which is 10^9 bytes at scale 1.
    needed, free = int(0.5e9 * scale), shutil.disk_usage(base).free
    if free < needed:
        raise Refusal(f"the tables at scale {scale:g} need {needed / 1e9:.1f} GB below {base}, and {free / 1e9:.1f} "
                      "are free; --data names another place")
    peers.install(["tpchgen-cli"])
    print(f"making TPC-H at scale {scale:g} in {target}", flush=True)
    try:
        subprocess.run([peers.program("tpchgen-cli"), "parquet", "--quiet", "--scale-factor", f"{scale:g}",
                        "--output-dir", scratch], check=True, stdin=subprocess.DEVNULL)
        target.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            os.replace(scratch / f"{name}.parquet", target / f"{name}.parquet")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def size(base, scale):
    """Bytes of all tables."""
    total = 0
    for path in paths(base, scale).values():
        files = path.rglob("*.parquet") if path.is_dir() else [path]
        total += sum(file.stat().st_size for file in files)
    return total
