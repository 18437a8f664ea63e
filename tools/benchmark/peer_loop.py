"""Owns the side of the conversation that peer.py describes which runs inside the process of a peer."""
import datetime
import decimal
import json
import os
import signal
import sys
import time


def cell(value):
    """A value as a kind and a text, see answers.py."""
    if value is None:
        return None
    if isinstance(value, float):
        return ["f", repr(value)]
    if isinstance(value, decimal.Decimal):
        return ["n", f"{value:f}"]
    if isinstance(value, int) and not isinstance(value, bool):
        return ["n", str(value)]
    if isinstance(value, (datetime.date, str)):
        return ["t", str(value)]
    raise TypeError(f"no text is known for {type(value).__name__}")


def serve(prepare):
    """Answers requests until standard input ends. `prepare(settings)` gives a version and a function from SQL to
    rows."""
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ctrl-C is the parent's matter.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def say(answer):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    version, execute = prepare(json.loads(sys.stdin.readline()))
    say({"version": version})
    for line in sys.stdin:
        sql = json.loads(line)["sql"]
        began = time.perf_counter()
        try:
            rows = execute(sql)
            seconds = time.perf_counter() - began
            say({"seconds": seconds, "rows": [[cell(value) for value in row] for row in rows]})
        except Exception as error:  # A peer may refuse anything, in classes of its own.
            say({"seconds": time.perf_counter() - began, "error": f"{type(error).__name__}: {error}"[:2000]})
