"""Which passes are given up: those with nothing left but a long wait, all of them, and no others."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flows import ORDER, notes, started, worker
from support import Emulated, Handle

from emulator.workflows.engine import Wanted
from emulator.workflows.owners import Limits

SHORT_AND_LONG = """
@step.do("x")
async def x():
    while not (FOLDER / "go").exists():
        await asyncio.sleep(0.001)
    note("x")

async def short():
    await step.sleep("short", "1 second")
    await x()

await asyncio.gather(short(), step.sleep("long", "1 day"))
"""


@pytest.fixture
async def emu(tmp_path):
    """One instance runs at a time, and every wait gives its place up."""
    emulated = Emulated(tmp_path, limits=Limits(most_running=1, hot_window=timedelta()), settle_seconds=0.05)
    yield emulated
    await emulated.stop()


async def test_code_that_has_just_woken_is_let_go_on(emu):
    """
    A step after a short sleep runs in its time, though a long sleep stands beside it.
    """
    emu.save("go", "")
    order = await started(emu, SHORT_AND_LONG)
    await emu.advance(seconds=1)

    assert ["x"] == notes(emu)
    assert "done" == order.steps["x-1"]


async def test_one_with_nothing_left_but_a_long_wait_holds_no_place(emu):
    """
    Also where the wait was there first and the step beside it ended later.
    """
    order = await started(emu, SHORT_AND_LONG)
    await emu.advance(seconds=1)
    other = await emu.create("order")

    assert ["running", "queued"] == [order.status, other.status]

    emu.save("go", "")
    await emu.settle()

    assert ["waiting", "waiting"] == [order.status, other.status]
    assert emu.emulator.engine._passes.of(order.row) is None


async def test_an_instance_given_up_many_times_runs_each_step_once(emu):
    """
    Waits side by side, of which each wakes a pass of its own.
    """
    order = await started(
        emu,
        """
async def branch(number):
    await step.sleep(f"nap {number}", f"{number} seconds")
    @step.do(f"x {number}")
    async def x():
        note(f"x {number}")
    await x()
    await step.sleep(f"rest {number}", "10 seconds")

await asyncio.gather(*(branch(number) for number in range(1, 6)))
""",
    )
    await emu.advance(seconds=16)

    assert [f"x {number}" for number in range(1, 6)] == notes(emu)
    assert "complete" == order.status


async def test_a_workflow_without_a_worker_keeps_no_other_from_its_place(emu):
    """
    Queued instances of a worker that is not there are passed over, however long they have queued.
    """
    config = ORDER + ORDER.replace('"order"', '"absent"').replace('"ORDER"', '"ABSENT"')
    await emu.start(worker("await step.sleep('nap', '1 hour')\nnote(event['instanceId'])"), config=config)
    passes = emu.emulator.engine._passes
    owners = emu.emulator._owners()
    passes.adopt({"order": owners["order"], "absent": replace(owners["absent"], generation=None)})
    absent = await emu.create("absent")
    made = await emu.emulator.engine.create_batch("order", [Wanted(id=id) for id in "abc"])
    orders = [Handle(emu, "order", each.id) for each in made]
    await emu.settle()

    assert "queued" == absent.status
    assert ["waiting"] * 3 == [order.status for order in orders]


async def test_a_move_of_the_clock_wakes_each_sleeper_at_its_moment(tmp_path):
    """
    Also one that falls asleep on the way, and is in no memory: time does not go on before its alarm is set.
    """
    emulated = Emulated(tmp_path, limits=Limits(hot_window=timedelta()))
    try:
        code = "for number in range(20):\n    await step.sleep(f'nap {number}', '1 hour')"
        order = await started(emulated, code)
        began = emulated.clock.now()
        await emulated.advance(hours=20, minutes=59)

        assert "complete" == order.status
        assert [began + timedelta(hours=hour) for hour in range(1, 21)] == [
            step.ended_at for step in emulated.emulator.engine.steps(order.row)
        ]
    finally:
        await emulated.stop()
