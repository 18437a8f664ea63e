"""Owns starting, measuring and ending trees of processes on Linux. Knows nothing of what they do."""
import ctypes
import os
import pathlib
import signal
import subprocess
import threading
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def prefer(priority):
    """Gives this process and what it starts from now on a niceness. Linux may schedule each session as one (see
    autogroup in sched(7)); what a process has of niceness then counts within its session only, so that of the session
    is set as well."""
    os.setpriority(os.PRIO_PROCESS, 0, priority)
    try:
        pathlib.Path("/proc/self/autogroup").write_text(str(priority))
    except FileNotFoundError:
        pass  # There are no autogroups.


def start(command, **options):
    """A process in a session of its own, so that Ctrl-C reaches this program alone, which then ends all in order. It
    is killed by the kernel should this program be killed."""
    parent = os.getpid()
    priority = os.getpriority(os.PRIO_PROCESS, 0)

    def prepare():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        if priority:
            prefer(priority)

    return subprocess.Popen(command, start_new_session=True, preexec_fn=prepare, **options)


def relations():
    """Parent and session of each process of the machine that has not ended."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = stat.read_text().rsplit(")", 1)[1].split()[:4]
        except (OSError, ValueError):
            continue  # It has ended meanwhile.
        if state not in "ZX":
            found[int(stat.parent.name)] = int(parent), int(session)
    return found


def tree(root):
    """A process and all below it."""
    children = {}
    for process, (parent, _) in relations().items():
        children.setdefault(parent, []).append(process)
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def title(process):
    """The command line of a process; empty where it has ended."""
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def memory(root):
    """Proportional set size of a tree in bytes: what its processes share counts once."""
    total = 0
    for process in tree(root):
        try:
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass  # It has ended meanwhile.
    return total


def session(process):
    """The processes that one from `start` has begun, itself among them, as far as they have not ended."""
    return [other for other, (_, session) in relations().items() if session == process.pid]


def send(process, number):
    """Sends a signal to all of a session."""
    for other in session(process):
        try:
            os.kill(other, number)
        except ProcessLookupError:
            pass  # It has ended meanwhile.


def end(process, patience=40):
    """Asks a process from `start` to end, waits for all of its session, and kills what does not end in time."""
    if process.poll() is None:
        process.terminate()
    deadline = time.monotonic() + patience
    while process.poll() is None or session(process):
        if time.monotonic() > deadline:
            send(process, signal.SIGKILL)
        time.sleep(0.02)


class Sampler:
    """The most memory that a tree held while this was entered, looked at some twenty times a second."""

    def __init__(self, root, period=0.05):
        self.root, self.period = root, period
        self.peak = 0

    def __enter__(self):
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def watch(self):
        while True:
            self.peak = max(self.peak, memory(self.root))
            if self.stopped.wait(self.period):
                return

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
