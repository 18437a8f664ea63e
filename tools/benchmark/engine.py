"""Owns what an engine is to the benchmark."""
import dataclasses


@dataclasses.dataclass
class Outcome:
    """One run of a query: its time as its client saw it, and its rows or why there are none."""

    seconds: float
    rows: list | None = None
    error: str | None = None
    # Time by the engine's own clock, where that is another than the client's.
    own_seconds: float | None = None


class Engine:
    """Something that answers queries in processes of its own. Nothing runs before `start` or after `stop`."""

    name = ""

    def start(self):
        raise NotImplementedError

    def run(self, sql, seconds_at_most):
        """The outcome of one query. An error of the query is an outcome; one of the engine itself is raised."""
        raise NotImplementedError

    def root(self):
        """The process above all others of the engine."""
        raise NotImplementedError

    def victims(self):
        """The processes that do the work, for who wants to kill one."""
        return []

    def coordinators(self):
        """The process that plans and hands out the work, for who wants to kill it."""
        return []

    def spooled(self):
        """Bytes of intermediate data written since the last call, None where the engine does not tell."""
        return None

    def stop(self):
        """Ends all its processes and removes its files. May be called at any time, also twice."""
        raise NotImplementedError
