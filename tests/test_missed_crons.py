"""Ticks that nobody fired, because the emulator was down; and ticks that overlap or fail while it is up."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from flows import ORDER, worker
from support import CONFIG, HELLO

from emulator import cron
from emulator.attendance import Attendance, Owned
from emulator.clock import ManualClock
from emulator.cron.missed import missed
from emulator.processes import InProcess
from emulator.server import Emulator, Options
from emulator.terminal import Terminal

CRON = '[triggers]\ncrons = ["*/15 * * * *"]\n'


class Moved(ManualClock):
    """A clock that has been moved away from the machine's, which stands where a ManualClock begins."""

    def __init__(self, ahead):
        super().__init__(ManualClock().now() + ahead)
        self._ahead = ahead

    @property
    def ahead(self):
        return self._ahead


SLOW = """
import asyncio
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    ran = []
    async def scheduled(self, controller, env, ctx):
        self.ran.append(controller.scheduledTime)
        print("tick", len(self.ran))
        if len(self.ran) == 1:
            await asyncio.Event().wait()
        if len(self.ran) == 2:
            raise ValueError("not this time")
"""


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "since", "until", "expected"),
    [
        ("*/15 * * * *", "2030-01-01T00:00", "2030-01-01T00:14", None),
        ("*/15 * * * *", "2030-01-01T00:00", "2030-01-01T00:15", ("1 tick", "2030-01-01T00:15:00Z")),
        ("*/15 * * * *", "2030-01-01T00:01", "2030-01-01T00:31", ("2 ticks", "2030-01-01T00:30:00Z")),
        ("* * * * *", "2030-01-01T00:00", "2030-01-01T01:40", ("100 ticks", "2030-01-01T01:40:00Z")),
        ("* * * * *", "2030-01-01T00:00", "2031-01-01T00:00", ("over 100 ticks", "2030-01-01T01:41:00Z")),
        ("0 0 31 2 *", "2030-01-01T00:00", "2031-01-01T00:00", None),
        ("* * * * *", "2031-01-01T00:00", "2030-01-01T00:00", None),
    ],
)
def test_the_ticks_between_two_times(expression, since, until, expected):
    """
    Those after the one and up to the other are counted, up to a hundred.
    """
    found = missed(cron.parse(expression), at(since), at(until))

    assert expected == (None if found is None else (found.words, found.stamp))


async def down_for(emu, **time):
    await emu.stop()
    emu.clock.settled = emu_is_down
    await emu.clock.advance(timedelta(**time))
    await emu.start()
    return list(emu.emulator.attendance.lines())


async def emu_is_down():
    """Nobody has anything to do."""


async def test_missed_ticks_are_shown_and_not_run(emu):
    """
    After forty minutes down one line names both ticks, and how to run one; no handler was called.
    """
    await emu.start(SLOW, config=CRON)
    lines = await down_for(emu, minutes=40)

    assert [
        "2 ticks of */15 * * * * passed while the emulator was down; run one with:"
        ' emulator cron trigger "*/15 * * * *" --time 2030-01-01T00:30:00Z --worker test-worker'
    ] == lines
    assert "tick" not in emu.lines


async def test_nothing_is_missed_while_it_is_up(emu):
    """
    What fired before the stop is not missed, nor is anything if no tick passed, nor at the very first start.
    """
    await emu.start(HELLO, config=CRON)

    assert [] == list(emu.emulator.attendance.lines())

    await emu.advance(minutes=16)

    assert [] == await down_for(emu, minutes=10)


async def test_a_tick_that_fired_before_a_crash_is_not_missed(emu):
    """
    Each tick is noted as it fires: a crash a moment later makes nobody believe that it was missed.
    """
    await emu.start(HELLO, config=CRON)
    await emu.advance(minutes=15)
    noted = json.loads((emu.folder / ".emulator" / "attendance.json").read_text())

    assert at("2030-01-01T00:15").timestamp() == noted["at"]


async def test_a_new_cron_has_missed_nothing(emu):
    """
    A cron that was written into the config while the emulator was down was not there to be missed.
    """
    await emu.start(HELLO, config=CRON)
    await emu.stop()
    emu.save("wrangler.toml", emu.config.replace("*/15", "*/10"))

    assert [] == await down_for(emu, minutes=40)


async def test_crons_of_workflows_are_missed_too(emu):
    """
    The line says how to start the workflow.
    """
    await emu.start(worker("return 1"), config=ORDER + 'schedules = "0 * * * *"\n')
    (line,) = await down_for(emu, hours=1)

    assert (
        "1 tick of 0 * * * * passed while the emulator was down; run one with: emulator workflows trigger order" == line
    )


async def test_without_crons_nothing_is_missed(emu):
    """
    Who asks for no crons is not told of them.
    """
    emu.options["crons"] = False
    await emu.start(HELLO, config=CRON)

    assert [] == await down_for(emu, hours=1)


@pytest.mark.parametrize(
    "left",
    [
        "",
        "{}",
        "[1]",
        '{"at": "x", "crons": []}',
        '{"at": 0, "ahead": 1e300, "crons": []}',
        '{"at": 0, "ahead": -7e10, "crons": []}',
        "\x00",
    ],
)
async def test_a_file_that_makes_no_sense_is_no_trouble(emu, left):
    """
    Whatever stands in the file, the emulator starts.
    """
    emu.save(".emulator/attendance.json", left)
    await emu.start(HELLO, config=CRON)

    assert [] == list(emu.emulator.attendance.lines())


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (
            timedelta(days=30),
            "the clock had been moved 30 days ahead and is the machine's again;"
            ' move it anew with: emulator clock advance "30 days"',
        ),
        (
            timedelta(hours=-5),
            "the clock had been moved 5 hours back and is the machine's again;"
            " move it anew with: emulator clock set 2029-12-31T19:00:00Z",
        ),
        (
            timedelta(days=-600_000),
            "the clock had been moved 600000 days back and is the machine's again;"
            " move it anew with: emulator clock set 0387-04-05T00:00:00Z",
        ),
        (timedelta(milliseconds=900), None),
    ],
    ids=["ahead", "back", "far back", "as good as not"],
)
def test_a_clock_that_had_been_moved_is_told_of(tmp_path, ahead, told):
    """
    The next start goes by the machine's clock; it says so once, and how to move it again. No tick was missed by that.
    """
    machine, crons = ManualClock(), [Owned("w", "*/15 * * * *")]
    Attendance(tmp_path, Moved(ahead), lambda: crons).note()
    again = Attendance(tmp_path, machine, lambda: crons)
    again.note()

    assert ([told] if told else []) == list(again.lines())
    assert [] == list(Attendance(tmp_path, machine, lambda: crons).lines())


async def test_ticks_that_passed_after_the_clock_had_been_moved(tmp_path):
    """
    They are counted from when the emulator ended, and not from the time that its clock showed then.
    """
    machine, crons = ManualClock(), [Owned("w", "*/15 * * * *")]
    Attendance(tmp_path, Moved(timedelta(days=30)), lambda: crons).note()
    await machine.advance(timedelta(minutes=40))
    _, missed_ticks = Attendance(tmp_path, machine, lambda: crons).lines()

    assert "2 ticks of */15 * * * *" in missed_ticks


async def test_a_clock_that_was_put_right_is_not_told_of(tmp_path):
    """
    `clock reset` is noted at once: also after a crash a moment later there is nothing to tell.
    """
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text(HELLO)
    options = Options(configs=(tmp_path / "wrangler.toml",))
    emulator = Emulator(options, InProcess().start, Terminal(io.StringIO()))
    await emulator.boot()
    await emulator.timekeeper.advance(timedelta(hours=1))
    noted = tmp_path / ".emulator" / "attendance.json"

    assert 3600 == json.loads(noted.read_text())["ahead"]

    emulator.timekeeper.reset()

    assert 0 == json.loads(noted.read_text())["ahead"]

    await emulator.stop()


async def test_ticks_overlap_and_fail(emu):
    """
    A tick does not wait for the one before it, and one that fails is shown and not tried again.
    """
    emu.options["settle_seconds"] = 0.05
    await emu.start(SLOW, config=CRON)
    await emu.advance(minutes=45)

    assert ["tick 1", "tick 2", "tick 3"] == [
        each for each in ("tick 1", "tick 2", "tick 3", "tick 4") if each in emu.lines
    ]
    assert 1 == emu.lines.count("ValueError: not this time")
    ends = [line.split()[6] for line in emu.lines.splitlines() if line.startswith("CRON") and "│" not in line]

    assert ["exception", "ok"] == ends
