"""Owns the table of all faults, and those of processes, messages and clients."""
import os
import signal
import subprocess

from . import power, storage
from .fault import Fault
from .messages import Meddler


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


class PowerLoss(Fault):
    """Everything is killed, the store loses what was not synced, and some of the spool is torn; then a new start."""

    ends_attempts_in = ("REMOTE_HOST_GONE", "EXCHANGE_DATA_UNRECOVERABLE")

    def act(self):
        for _ in range(self.random.choice([1, 1, 2])):
            if self.moment():
                self.daemon.kill_everything()
                self.lose()
                self.struck()
                self.daemon.start()

    @property
    def store(self):
        return self.daemon.data / "store.sqlite"

    def is_known(self):
        return not self.query or bool(power.look(self.store, "SELECT 1 FROM query WHERE id = ?", self.query))

    def lose(self):
        # Mostly the query stays known, but what has become of it is forgotten.
        power.lose(self.store, self.random, self.is_known if self.random.random() < 0.8 else lambda: True)
        if not self.is_known():
            # It was accepted in the last second.
            self.may_end_in = ("NOT_FOUND",)
        for file in sorted(self.daemon.spool_files(committed_only=False)):
            # Spool files are not synced, however old they are.
            if file.is_file() and self.random.random() < 0.3:
                left = self.random.choice([None, 0, self.random.randint(0, file.stat().st_size)])
                if left is None:
                    file.unlink()
                else:
                    os.truncate(file, left)


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
    socket = "workers.sock"
    # After how many bytes of a connection its fate comes.
    budgets = (100, 1000, 5000, 50_000)

    def act(self):
        meddler = Meddler(self.daemon.data / "run" / self.socket, self.random, self.budgets)
        try:
            self.begin()
            while self.pause(0.1):
                pass
        finally:
            meddler.stop()
            self.strikes += meddler.harmed

    def begin(self):
        self.pause(self.seconds * self.random.uniform(0, 0.2))
        # Those that take their places come by the meddler.
        for worker in self.daemon.workers:
            self.send(worker, signal.SIGKILL)


class ClientMessages(Messages):
    """The same of what clients and the coordinator say to each other: orders, answers, pages of the result."""

    ends_attempts_in = ()
    socket = "waterbear.sock"
    budgets = (0, 50, 200, 1000, 20_000)

    def begin(self):
        pass


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
    "random-kill": RandomKill, "power-cut": PowerCut, "power-loss": PowerLoss, "restart": Restart,
    "worker-stop": WorkerStop, "worker-hang": WorkerHang, "worker-slow": WorkerSlow, "messages": Messages,
    "client-messages": ClientMessages, "coordinator-stop": CoordinatorStop,
    **storage.FAULTS,
    "descriptors": Descriptors, "client-kill": ClientKill, "cancel": Cancel,
}
