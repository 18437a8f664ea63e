"""Owns what a loss of power leaves of a task store that its processes have left: its log loses what was not synced.

SQLite syncs its log (WAL) when it is copied into the file, and not at each commit (`synchronous = NORMAL`). So after a
loss of power all is there that has been copied, and of the rest as much as happened to be written. How much has been
copied stands in the index of the log (-shm); formats: https://sqlite.org/fileformat2.html and walformat.html.
"""
import pathlib
import shutil
import sqlite3
import struct
import tempfile

LOG_HEADER, FRAME_HEADER = 32, 24
# In the index: the number of frames that have been copied, behind two copies of its header.
COPIED = 96


def unsynced(store):
    """From which byte on the log of a store may be lost, and its length."""
    log, index = pathlib.Path(f"{store}-wal"), pathlib.Path(f"{store}-shm")
    length = log.stat().st_size if log.exists() else 0
    # Without an index nobody has written since the last loss.
    if length <= LOG_HEADER or not index.exists():
        return length, length
    with open(log, "rb") as file:
        page, = struct.unpack(">I", file.read(LOG_HEADER)[8:12])
    with open(index, "rb") as file:
        copied, = struct.unpack("=I", file.read(COPIED + 4)[COPIED:])
    return (LOG_HEADER if copied else 0) + copied * (FRAME_HEADER + page), length


def lose(store, random, keeps=lambda: True):
    """Cuts the log of a store that nobody has open, anywhere behind what is synced, but where `keeps` says no longer
    if that can be; how many bytes are lost."""
    first, length = unsynced(store)
    content = pathlib.Path(f"{store}-wal").read_bytes() if length else b""
    pathlib.Path(f"{store}-shm").unlink(missing_ok=True)
    left = random.choice([first, random.randint(first, length)])
    while left < length:
        pathlib.Path(f"{store}-wal").write_bytes(content[:left])
        if keeps():
            break
        left = random.randint(left + 1, length)
        pathlib.Path(f"{store}-wal").write_bytes(content[:left])
    return length - left


def look(store, sql, *values):
    """The rows of a query on a copy, since looking at the store itself would mend its log."""
    with tempfile.TemporaryDirectory(prefix="waterbear-chaos.") as directory:
        for suffix in ("", "-wal"):
            if pathlib.Path(f"{store}{suffix}").exists():
                shutil.copy(f"{store}{suffix}", f"{directory}/copy{suffix}")
        copy = sqlite3.connect(f"{directory}/copy")
        try:
            copy.execute("PRAGMA synchronous = OFF")
            return copy.execute(sql, values).fetchall()
        finally:
            copy.close()
