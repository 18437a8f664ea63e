"""Owns the faults: what each does to a daemon while a query runs, and how it is made good afterwards.

A fault is a class whose `act` is called on a thread of its own from the moment the query is submitted. It may wait with
`pause`, which ends early when the query has; `heal` undoes what does not undo itself. All chances are drawn from
`random`, so that a seed repeats the choices, though not the moments in which the machine carries them out.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import threading

from .messages import Meddler


class Fault:
    """What happens is counted by `struck`; a case in which nothing could be struck proves nothing and is told apart."""

    # The codes of errors that the query may end in instead of giving its answer.
    may_end_in = ()
    # Whether such an error has to say that a task's attempts are used up.
    uses_up_attempts = False
    # The codes in which attempts end: what a query ends in under retry_policy = NONE, and may end in under QUERY.
    ends_attempts_in = ()
    needs_mounts = False
    # Whether it takes a daemon with a spool directory that can be made to hang.
    needs_hanging = False

    def __init__(self, daemon, random, seconds):
        # `seconds` is how long the query takes undisturbed.
        self.daemon, self.random, self.seconds = daemon, random, seconds
        self.over = threading.Event()
        # Strikes while the daemon had the query, and before: those prove little, but may make it fail.
        self.strikes = self.early = 0
        self.error = None
        self.query = None

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def run(self):
        try:
            self.act()
        except Exception as error:  # Told by the case: a fault that breaks proves nothing.
            self.error = error

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.heal()

    def act(self):
        raise NotImplementedError

    def heal(self):
        pass

    def struck(self):
        if self.query is None:
            self.early += 1
        else:
            self.strikes += 1

    def pause(self, seconds):
        """Whether the query still runs after that time."""
        return not self.over.wait(seconds)

    def beats(self, seconds):
        """Comes soon, and again and again while the query runs, each time a fiftieth later than the last: however slow
        the machine is, there comes a time when processes get to work between two deaths."""
        wait = self.random.uniform(0, min(0.2, seconds, self.seconds))
        while self.pause(wait):
            yield
            wait = seconds
            seconds *= 1.02

    def moment(self):
        """A wait for some part of the query's time; now and then it is over before the daemon has the query."""
        if self.query is None and self.random.random() < 0.1:
            return self.pause(self.seconds * self.random.uniform(0, 0.1))
        return self.after(0, 0.7)

    def after(self, low, high):
        """A wait until the daemon has the query, and then for between these parts of its time."""
        while self.query is None:
            if not self.pause(0.002):
                return False
        return self.pause(self.seconds * self.random.uniform(low, high))

    def send(self, process, number):
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return False
        self.struck()
        return True

    def strike(self, processes, number=signal.SIGKILL):
        return bool(processes) and self.send(self.random.choice(processes), number)


class WorkerKill(Fault):
    """kill -9 of a random worker, again and again."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        interval = self.random.choice([0.3, 0.5, max(0.3, self.seconds / 3)])
        for _ in self.beats(interval):
            self.strike(self.daemon.workers)


class AllWorkersKill(Fault):
    """kill -9 of all workers at once, twice."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        for _ in range(2):
            if self.moment():
                for worker in self.daemon.workers:
                    self.send(worker, signal.SIGKILL)


class CoordinatorKill(Fault):
    """kill -9 of the coordinator, again and again."""

    def act(self):
        interval = self.random.choice([0.2, 0.5, max(0.2, self.seconds / 2)])
        for _ in self.beats(interval):
            self.strike(self.daemon.coordinators)


class RandomKill(Fault):
    """kill -9 of any process but the supervisor every 200 ms."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        for _ in self.beats(0.2):
            self.strike(self.daemon.workers + self.daemon.coordinators)


class PowerCut(Fault):
    """kill -9 of everything, the supervisor included, and a new start."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        if self.moment():
            self.daemon.kill_everything()
            self.struck()
            self.daemon.start()


class Restart(Fault):
    """SIGTERM to the daemon in the middle, which drains, and a new start."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        if self.moment():
            self.daemon.process.terminate()
            self.struck()
            self.daemon.process.wait(60)
            self.daemon.start()


class WorkerStop(Fault):
    """SIGSTOP of a worker for a second, now and then."""

    def act(self):
        while self.moment():
            stopped = self.random.choice(self.daemon.workers or [0])
            if stopped and self.send(stopped, signal.SIGSTOP):
                self.over.wait(1)
                self.send(stopped, signal.SIGCONT)


class WorkerHang(Fault):
    """SIGSTOP of a worker for good: only its silence tells."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        if self.moment():
            self.strike(self.daemon.workers, signal.SIGSTOP)

    def heal(self):
        for worker in self.daemon.workers:
            try:
                os.kill(worker, signal.SIGCONT)
            except ProcessLookupError:
                pass  # It was found out and replaced.


class WorkerSlow(Fault):
    """A worker gets a twentieth of its time: its tasks are done twice, and the second attempt wins."""

    def act(self):
        slow = 0
        while self.pause(0.02):
            if slow not in self.daemon.workers:
                slow = self.random.choice(self.daemon.workers or [0])
            if slow and self.send(slow, signal.SIGSTOP):
                self.over.wait(0.38)
                self.send(slow, signal.SIGCONT)


class Messages(Fault):
    """What coordinator and workers say to each other is delayed, cut in half, or not passed on."""

    ends_attempts_in = ("REMOTE_HOST_GONE",)

    def act(self):
        if not self.pause(self.seconds * self.random.uniform(0, 0.2)):
            return
        meddler = Meddler(self.daemon.data / "run/workers.sock", self.random)
        try:
            # Those that take their places come by the meddler.
            for worker in self.daemon.workers:
                self.send(worker, signal.SIGKILL)
            while self.pause(0.1):
                pass
        finally:
            meddler.stop()
            self.strikes += meddler.harmed


class CoordinatorStop(Fault):
    """SIGSTOP of the coordinator for up to three seconds: it accepts and does not answer, and wakes up late."""

    def act(self):
        if self.moment():
            stopped = self.daemon.coordinators
            if self.strike(stopped, signal.SIGSTOP):
                self.over.wait(self.random.uniform(0.5, 3))
                self.heal()

    def heal(self):
        for process in self.daemon.coordinators:
            try:
                os.kill(process, signal.SIGCONT)
            except ProcessLookupError:
                pass  # The supervisor has replaced it.


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


class Descriptors(Fault):
    """A worker may open only a few more files: what it is given fails at once, and it is given more."""

    may_end_in = ("GENERIC_INSUFFICIENT_RESOURCES",)
    ends_attempts_in = ("GENERIC_INSUFFICIENT_RESOURCES", "REMOTE_HOST_GONE")
    uses_up_attempts = True

    def act(self):
        if self.moment() and self.daemon.workers:
            worker = self.random.choice(self.daemon.workers)
            used = len(os.listdir(f"/proc/{worker}/fd"))
            done = subprocess.run(["prlimit", "--pid", str(worker), f"--nofile={used + 1}:{used + 1}"],
                                  capture_output=True)
            if done.returncode == 0:
                self.struck()
                self.over.wait(2)
                # A limit that was lowered may be hard to raise; its successor has the old one.
                self.send(worker, signal.SIGKILL)


class ClientKill(Fault):
    """Clients that wait for the query are killed; it goes on without them."""

    def act(self):
        # Short beside the query, which else is over before the first client is there.
        longest = min(0.3, self.seconds / 2)
        while self.pause(self.random.uniform(0, longest)):
            if self.query is None:
                continue
            waiting = subprocess.Popen(
                [self.daemon.binaries / "waterbearctl", "fetch", self.query, "--keep", "--format", "csv"],
                env=self.daemon.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            self.over.wait(self.random.uniform(0, longest))
            if waiting.poll() is None:
                waiting.kill()
                self.struck()
            waiting.wait()


class Cancel(Fault):
    """The query is canceled: it ends at once, and nothing of it is left."""

    may_end_in = ("USER_CANCELED",)

    def act(self):
        if self.after(0, 0.7):
            done = self.daemon.control("cancel", self.query)
            if "already" not in done.stderr:
                self.struck()


FAULTS = {
    "none": None,
    "worker-kill": WorkerKill, "all-workers-kill": AllWorkersKill, "coordinator-kill": CoordinatorKill,
    "random-kill": RandomKill, "power-cut": PowerCut, "restart": Restart, "worker-stop": WorkerStop,
    "worker-hang": WorkerHang, "worker-slow": WorkerSlow, "messages": Messages, "coordinator-stop": CoordinatorStop,
    "spool-missing": SpoolMissing, "spool-truncated": SpoolTruncated, "spool-flipped": SpoolFlipped,
    "spool-swapped": SpoolSwapped,
    "spool-unreadable": SpoolUnreadable, "spool-gone": SpoolGone, "spool-hangs": SpoolHangs,
    "disk-full": DiskFull, "disks-full": DisksFull,
    "descriptors": Descriptors, "client-kill": ClientKill, "cancel": Cancel,
}
