"""What the terminal shows of crons that fire by the hundred, because the clock is moved."""

import io
from collections import Counter

from flows import ORDER, worker

from emulator.clock import ManualClock
from emulator.firings import Firings
from emulator.terminal import Terminal

CRONS = '[triggers]\ncrons = ["0 * * * *", "0 0 * * *"]\n'

TICKS = """
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    ran = 0
    async def scheduled(self, controller, env, ctx):
        Default.ran += 1
        if Default.ran in (3, 4):
            raise ValueError(f"no {self.ran}")
"""


def crons(emu):
    """The lines of crons, without how long each took."""
    lines = [line.split() for line in emu.lines.splitlines() if line.startswith("CRON")]
    return [" ".join(words[1:-2] if words[-1] == "ms" else words[1:]) for words in lines]


async def test_many_firings_are_counted(emu):
    """
    The first five of each cron and each way to end are lines of their own, errors too; the rest is one line at the end.
    """
    await emu.start(TICKS, config=CRONS)
    await emu.advance(days=3)
    shown = crons(emu)

    assert {"0 * * * * ok": 5, "0 * * * * exception": 2, "0 0 * * * ok": 3, "0 * * * * ok, 65 more": 1} == Counter(
        shown
    )
    assert "0 * * * * ok, 65 more" == shown[-1]
    assert 2 == emu.lines.count("ValueError: no")


async def test_each_move_is_counted_by_itself(emu):
    """
    A handful is shown as it is; so is what fires when no clock is moved.
    """
    await emu.start(TICKS, config=CRONS)
    for _ in range(3):
        await emu.advance(hours=5)
    for _ in range(10):
        await emu.tick("0 * * * *")

    assert {"0 * * * * ok": 23, "0 * * * * exception": 2} == Counter(crons(emu))


async def test_instances_that_a_schedule_creates_are_counted(emu):
    """
    A cron of a workflow's own is gathered as the others are.
    """
    await emu.start(worker("return 1"), config=ORDER + 'schedules = "0 * * * *"\n')
    await emu.advance(days=1)

    assert 6 == len(crons(emu))
    assert "0 * * * * an instance of order, 19 more" == crons(emu)[-1]


async def test_programs_are_told_of_each():
    """
    Nothing is left out of the lines of JSON, and nothing is added.
    """
    out = io.StringIO()
    clock = ManualClock()
    clock.moving_to = clock.now()
    firings = Firings(Terminal(out, as_json=True), clock)
    counted = [firings.count("0 * * * *", "ok") for _ in range(100)]
    firings.tell()

    assert all(counted)
    assert "" == out.getvalue()
