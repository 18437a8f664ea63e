"""Tests of the loss of power: a store goes back to an earlier state of its own, never behind what was synced."""
import pathlib
import random
import shutil
import sqlite3
import tempfile
import unittest

from . import power


class PowerTests(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory(prefix="waterbear-chaos-test.")
        self.addCleanup(home.cleanup)
        self.home = pathlib.Path(home.name)
        self.writer = sqlite3.connect(self.home / "writer", isolation_level=None)
        self.addCleanup(self.writer.close)
        self.writer.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;"
                                  "CREATE TABLE t (n INTEGER PRIMARY KEY, filler TEXT);"
                                  "CREATE TABLE write (id TEXT PRIMARY KEY, state TEXT);"
                                  "PRAGMA wal_checkpoint(TRUNCATE)")

    def write(self, first, last):
        for number in range(first, last):
            self.writer.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 500))

    def lost(self, seed):
        """The numbers that are there after a loss of power."""
        store = self.home / f"store-{seed}"
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{self.home}/writer{suffix}", f"{store}{suffix}")
        before = power.look(store, "SELECT n FROM t")
        bytes_lost = power.lose(store, random.Random(seed))
        after = power.look(store, "SELECT n FROM t")
        self.assertEqual(power.look(store, "PRAGMA integrity_check"), [("ok",)])
        self.assertTrue(bytes_lost > 0 or after == before)
        return [number for number, in after]

    def test_what_was_not_synced_may_be_lost(self):
        self.write(0, 20)
        self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.write(20, 60)
        lengths = set()
        for seed in range(8):
            numbers = self.lost(seed)
            self.assertEqual(numbers, list(range(len(numbers))))
            lengths.add(len(numbers))
        self.assertEqual(min(lengths), 20)
        self.assertGreater(len(lengths), 2)

    def test_what_was_copied_out_of_the_log_stays(self):
        self.write(0, 20)
        self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        reader = sqlite3.connect(self.home / "writer", isolation_level=None)
        self.addCleanup(reader.close)
        # As long as somebody reads, the log goes on and does not begin anew.
        self.write(20, 21)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self.write(21, 60)
        self.assertEqual(min(len(self.lost(seed)) for seed in range(8)), 21)

    def test_a_second_loss_before_anybody_has_come_back(self):
        self.write(0, 20)
        numbers = self.lost(3)
        self.assertEqual(power.lose(self.home / "store-3", random.Random(1)), 0)
        self.assertEqual(len(power.look(self.home / "store-3", "SELECT n FROM t")), len(numbers))

    def test_what_is_to_be_kept(self):
        self.write(0, 40)
        store = self.home / "store"
        for seed in range(4):
            for suffix in ("", "-wal", "-shm"):
                shutil.copy(f"{self.home}/writer{suffix}", f"{store}{suffix}")
            power.lose(store, random.Random(seed), lambda: power.look(store, "SELECT 1 FROM t WHERE n = 30"))
            self.assertTrue(power.look(store, "SELECT 1 FROM t WHERE n = 30"))

    def test_notes_of_writes_that_were_acted_upon(self):
        self.write(0, 5)
        self.writer.execute("INSERT INTO write VALUES ('a', 'OPEN')")
        self.write(5, 10)
        self.writer.execute("UPDATE write SET state = 'COMMITTING'")
        self.write(10, 15)
        self.writer.execute("UPDATE write SET state = 'COMMITTED'")
        self.writer.execute("DELETE FROM write")
        self.writer.execute("INSERT INTO write VALUES ('b', 'COMMITTED')")
        self.write(15, 20)
        lengths = {len(self.lost(seed)) for seed in range(12)}
        self.assertEqual(min(lengths), 10)
        self.assertGreater(len(lengths), 2)

    def test_an_empty_log(self):
        self.write(0, 5)
        self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertEqual(self.lost(1), list(range(5)))


if __name__ == "__main__":
    unittest.main()
