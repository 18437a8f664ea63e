"""Owns what every fault is: something that happens to a daemon while a query runs.

A fault is a class whose `act` is called on a thread of its own from the moment the query is submitted. It may wait with
`pause`, which ends early when the query has; `heal` undoes what does not undo itself. All chances are drawn from
`random`, so that a seed repeats the choices, though not the moments in which the machine carries them out.
"""
import os
import signal
import threading


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
        self.over, self.has_struck = threading.Event(), threading.Event()
        # Strikes while the daemon had the query, and before: those prove little, but may make it fail.
        self.strikes = self.early = 0
        # Processes that this fault keeps stopped.
        self.stopped = set()
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
            self.has_struck.set()

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
        if number == signal.SIGSTOP:
            self.stopped.add(process)
        elif number == signal.SIGCONT:
            self.stopped.discard(process)
        self.struck()
        return True

    def strike(self, processes, number=signal.SIGKILL):
        return bool(processes) and self.send(self.random.choice(processes), number)
