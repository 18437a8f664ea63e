"""Owns the faults of storage: what happens to spool files, and to the directories and disks they lie on."""
import errno
import os
import pathlib
import shutil
import subprocess

from .fault import Fault


class SpoolFault(Fault):
    """Something is done to committed spool files, a few times."""

    ends_attempts_in = ("EXCHANGE_DATA_UNRECOVERABLE",)
    times = 3

    def act(self):
        for _ in range(self.times):
            self.pause(self.seconds * self.random.uniform(0.02, 0.3))
            while True:
                files = self.daemon.spool_files()
                if files:
                    break
                if not self.pause(0.005):
                    return
            victim = self.random.choice(sorted(files))
            try:
                self.harm(victim, files)
                self.struck()
            except OSError:
                pass  # Deleted by its owner meanwhile.

    def harm(self, victim, files):
        raise NotImplementedError

    @staticmethod
    def rewrite(victim, content):
        """Another file under the name, as the daemon never changes one in place."""
        other = victim.with_name(victim.name + ".chaos")
        other.write_bytes(content)
        if victim.exists():
            other.rename(victim)
        else:
            other.unlink()


class SpoolMissing(SpoolFault):
    """Committed spool files are deleted."""

    def harm(self, victim, _):
        victim.unlink()


class SpoolTruncated(SpoolFault):
    """Committed spool files are cut, some to nothing."""

    def harm(self, victim, _):
        content = victim.read_bytes()
        self.rewrite(victim, content[:self.random.choice([0, 10, len(content) // 2, max(0, len(content) - 1)])])


class SpoolFlipped(SpoolFault):
    """One bit of committed spool files is turned over."""

    def harm(self, victim, _):
        content = bytearray(victim.read_bytes())
        if content:
            content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        self.rewrite(victim, bytes(content))


class SpoolSwapped(SpoolFault):
    """A committed spool file takes the place of another."""

    def harm(self, victim, files):
        self.rewrite(victim, self.random.choice(sorted(files)).read_bytes())


class SpoolUnreadable(SpoolFault):
    """A directory lies where a committed spool file was."""

    def harm(self, victim, _):
        victim.unlink()
        victim.mkdir()

    def heal(self):
        for spool in self.daemon.spools:
            for path in spool.glob("*/*.spool"):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)


class SpoolGone(Fault):
    """One of two spool directories goes away and comes back."""

    ends_attempts_in = ("EXCHANGE_DATA_UNRECOVERABLE", "SPOOL_UNAVAILABLE")

    def act(self):
        while self.moment():
            spool = self.random.choice(self.daemon.spools)
            aside = spool.with_name(spool.name + "-gone")
            if self.daemon.mounted:
                return self.hide(spool)
            spool.rename(aside)
            self.struck()
            self.over.wait(self.random.uniform(0.1, 2))
            aside.rename(spool)

    def hide(self, spool):
        """An empty directory is mounted over it."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=500", "waterbear-chaos", spool], check=True)
        self.struck()
        self.over.wait(self.random.uniform(0.1, 2))
        subprocess.run(["umount", "-l", spool], check=True)


class SpoolHangs(Fault):
    """One of two spool directories hangs for some seconds, in which the coordinator may be killed."""

    ends_attempts_in = ("EXCHANGE_DATA_UNRECOVERABLE", "SPOOL_UNAVAILABLE")
    needs_hanging = True

    def act(self):
        if self.after(0, 0.5):
            self.daemon.mount.hang()
            self.struck()
            killed = (self.random.random() < 0.5 and self.pause(self.random.uniform(0.1, 3))
                      and self.strike(self.daemon.coordinators))
            self.over.wait(self.random.uniform(1, 8))
            # A process that waits for a directory in which another's call hangs cannot be killed before that returns.
            if killed:
                self.heal()

    def heal(self):
        self.daemon.mount.lift()


class DiskSlow(Fault):
    """Each call on one of two spool directories takes a while, as long as the query runs."""

    needs_hanging = True

    def act(self):
        if self.after(0, 0.2):
            self.daemon.mount.configure(f"latency_ms {self.random.choice([5, 50, 200])}\n")
            self.struck()

    def heal(self):
        self.daemon.mount.lift()


class DiskErrors(Fault):
    """One kind of calls on one of two spool directories fails, all or some of them, for some seconds."""

    needs_hanging = True
    ends_attempts_in = ("EXCHANGE_DATA_UNRECOVERABLE", "SPOOL_UNAVAILABLE")

    def act(self):
        call = self.random.choice(["write", "read", "close", "open", "create", "rename"])
        error = self.random.choice([errno.EIO, errno.EROFS, errno.EDQUOT, errno.ENOSPC])
        if self.after(0, 0.3):
            self.daemon.mount.configure(f"error {error}\nfail_{call} {self.random.choice([1, 2, 5])}\n")
            self.struck()
            self.over.wait(self.random.uniform(1, 4))
            self.heal()

    def heal(self):
        self.daemon.mount.lift()


class DiskFull(Fault):
    """One spool directory runs full and has room again."""

    ends_attempts_in = ("SPOOL_UNAVAILABLE",)
    needs_mounts = True
    count = 1

    def act(self):
        spools = self.random.sample(self.daemon.spools, self.count)
        if self.after(0, 0.3):
            for spool in spools:
                self.fill(spool)
            self.struck()
            self.over.wait(self.random.uniform(1, 4))
            self.heal()

    def fill(self, spool):
        ballast = os.open(spool / "ballast", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while True:
                os.write(ballast, b"x" * 65536)
        except OSError:
            pass  # Full, as was wanted.
        finally:
            os.close(ballast)

    def heal(self):
        for spool in self.daemon.spools:
            pathlib.Path(spool / "ballast").unlink(missing_ok=True)


class DisksFull(DiskFull):
    """All spool directories run full and have room again after some seconds."""

    count = 2


FAULTS = {
    "spool-missing": SpoolMissing, "spool-truncated": SpoolTruncated, "spool-flipped": SpoolFlipped,
    "spool-swapped": SpoolSwapped, "spool-unreadable": SpoolUnreadable, "spool-gone": SpoolGone,
    "spool-hangs": SpoolHangs, "disk-slow": DiskSlow, "disk-errors": DiskErrors, "disk-full": DiskFull,
    "disks-full": DisksFull,
}
