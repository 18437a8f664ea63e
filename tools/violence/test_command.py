"""Tests of the rounds of tools/chaos and of what their table concludes."""
import contextlib
import io
import types
import unittest

from .case import BAD, IDLE, RIGHT, Expected, Outcome
from .command import TURNS, Table, rounds


class MadeUpRunner:
    """Gives the verdicts that a test says, one for each turn, and notes what each turn was drawn from."""

    def __init__(self, verdicts):
        self.verdicts, self.drawn, self.held = list(verdicts), [], []
        self.daemon = types.SimpleNamespace(process=None, revive=lambda: None)

    def run(self, shape, kind, random, expected, holds):
        self.drawn.append(random.random())
        self.held.append(holds)
        return Outcome(self.verdicts.pop(0))


class RoundsTests(unittest.TestCase):
    def concluded(self, verdicts, faults=("worker-kill",)):
        """The exit code, what was printed, and the runner."""
        runner, table = MadeUpRunner(verdicts), Table()
        kind = types.SimpleNamespace(needs_hanging=False)
        shape = types.SimpleNamespace(name="scan")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            rounds(types.SimpleNamespace(seed=1, minutes=None), {False: runner}, [shape],
                   {fault: kind for fault in faults}, {False: {"scan": Expected("", 1, 1)}}, table, 0)
            code = table.conclude(list(faults), ["scan"])
        return code, output.getvalue(), runner

    def test_a_case_that_was_not_struck_has_another_turn(self):
        code, text, runner = self.concluded([IDLE, IDLE, RIGHT])
        self.assertEqual((code, len(set(runner.drawn))), (0, 3))
        self.assertEqual(self.concluded([IDLE] * 4 + [RIGHT])[2].held, [False, False, False, True, True])
        self.assertTrue(text.endswith("3 passed, 0 failed\n"), text)

    def test_a_cell_that_was_never_struck_is_a_failure(self):
        code, text, runner = self.concluded([RIGHT] + [IDLE] * TURNS, ["cancel", "worker-kill"])
        self.assertEqual((code, runner.verdicts), (1, []))
        self.assertRegex(text, r"never struck, so nothing is proved of: (cancel|worker-kill) × scan\n")
        self.assertTrue(text.endswith(f"{1 + TURNS} passed, 1 failed\n"), text)

    def test_bad_is_bad(self):
        code, text, _ = self.concluded([BAD])
        self.assertEqual(code, 1)
        self.assertTrue(text.endswith("0 passed, 1 failed\n"), text)


if __name__ == "__main__":
    unittest.main()
