"""Owns what a loss of power leaves of a task store that its processes have left: its log loses what was not synced.

SQLite syncs its log (WAL) when it is copied into the file, and not at each commit (`synchronous = NORMAL`). So after a
loss of power all is there that has been copied, and of the rest as much as happened to be written. How much has been
copied stands in the index of the log (-shm); formats: https://sqlite.org/fileformat2.html and walformat.html.

The daemon itself syncs the log before it acts upon the notes of a write, so that none of them may be lost that says
OPEN or COMMITTING (docs/task-store.md).
"""
import pathlib
import shutil
import sqlite3
import struct
import tempfile

LOG_HEADER, FRAME_HEADER = 32, 24
# In the index, behind two copies of its header, marks of readers and locks: up to which frame the log was synced, and
# copied or about to be (nBackfillAttempted).
COPIED = 128
NOTES = (b"OPEN", b"COMMITTING")


def transactions(log):
    """Where each transaction of a log ends, and its pages."""
    if len(log) < LOG_HEADER:
        return
    size = FRAME_HEADER + struct.unpack(">I", log[8:12])[0]
    pages = []
    for start in range(LOG_HEADER, len(log) - size + 1, size):
        # What is left of an earlier round of the log has other salts.
        if log[start + 8:start + 16] != log[16:24]:
            return
        pages.append(log[start + FRAME_HEADER:start + size])
        # The size of the database, in the last frame of a transaction only.
        if log[start + 4:start + 8] != bytes(4):
            yield start + size, pages
            pages = []


def copied(store, log):
    """Up to which byte a log has been copied."""
    index = pathlib.Path(f"{store}-shm")
    # Without an index nobody has written since the last loss.
    if len(log) <= LOG_HEADER or not index.exists():
        return len(log)
    count, = struct.unpack("=I", index.read_bytes()[COPIED:COPIED + 4])
    return LOG_HEADER + count * (FRAME_HEADER + struct.unpack(">I", log[8:12])[0]) if count else 0


def acted_upon(store, log):
    """Up to which byte a log tells of writes that may have begun or been committed since."""
    found, last = set(), 0
    for end, pages in transactions(log):
        if any(word in page for page in pages for word in NOTES):
            notes = look(store, "SELECT id, state FROM write WHERE state IN ('OPEN', 'COMMITTING')", log=log[:end])
            if not found.issuperset(notes):
                last = end
            found.update(notes)
    return last


def lose(store, random, keeps=lambda: True):
    """Cuts the log of a store that nobody has open, anywhere behind what is synced, but where `keeps` says no longer
    if that can be; how many bytes are lost."""
    log = read_log(store)
    first, length = max(copied(store, log), acted_upon(store, log)), len(log)
    pathlib.Path(f"{store}-shm").unlink(missing_ok=True)
    left = random.choice([first, random.randint(first, length)])
    while left < length:
        pathlib.Path(f"{store}-wal").write_bytes(log[:left])
        if keeps():
            break
        left = random.randint(left + 1, length)
        pathlib.Path(f"{store}-wal").write_bytes(log[:left])
    return length - left


def read_log(store):
    log = pathlib.Path(f"{store}-wal")
    return log.read_bytes() if log.exists() else b""


def look(store, sql, *values, log=None):
    """The rows of a query on a copy, with another log if given; a look at the store itself would mend its log."""
    with tempfile.TemporaryDirectory(prefix="waterbear-chaos.") as directory:
        shutil.copy(store, f"{directory}/copy")
        pathlib.Path(f"{directory}/copy-wal").write_bytes(read_log(store) if log is None else log)
        copy = sqlite3.connect(f"{directory}/copy")
        try:
            copy.execute("PRAGMA synchronous = OFF")
            return copy.execute(sql, values).fetchall()
        finally:
            copy.close()
