"""Two actions and the end of a step, as close together as they come: one of the legal outcomes, and nothing else."""

import asyncio
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from flows import ORDER, eventually, worker
from support import Handle

from emulator.errors import WorkflowError
from emulator.store import Superseded
from emulator.workflows.engine import Wanted
from emulator.workflows.ledger import Ledger

STALLED = """
@step.do("stalled", rollback=lambda: None)
async def stalled():
    for _ in range(event["payload"]["turns"]):
        await asyncio.sleep(0)
    return event["payload"]["turns"]

first = await stalled()
return [first, await stalled()]
"""

# What each action makes of each state; what is missing is refused and changes nothing.
LEADS_TO = {
    "the end": {"busy": "complete", "pausing": "paused"},
    "pause": {"busy": "pausing"},
    "resume": {"pausing": "busy", "paused": "busy"},
    "terminate": {"busy": "terminated", "pausing": "terminated", "paused": "terminated"},
    "terminate with rollback": {"busy": "terminated", "pausing": "terminated", "paused": "terminated"},
    "restart": dict.fromkeys(("busy", "pausing", "paused", "complete", "terminated"), "busy"),
    "delete": dict.fromkeys(("busy", "pausing", "paused", "complete", "terminated"), "gone"),
}

ACTIONS = [action for action in LEADS_TO if action != "the end"]


def legal(actions):
    """The states that the actions and the end of the steps can lead to, in any order."""
    found = set()
    for order in permutations([*actions, "the end"]):
        state = "busy"
        for what in [*order, "the end"]:
            state = LEADS_TO[what].get(state, state)
        found.add(state)
    return found


async def act(engine, id, action):
    if action == "terminate with rollback":
        await engine.terminate("order", id, rollback=True)
    else:
        await getattr(engine, action)("order", id)


async def raced(engine, id, one, other, turns):
    """Both actions, each so many turns after what came before it; their refusals."""
    at_first, between = turns
    for _ in range(at_first):
        await asyncio.sleep(0)
    first = asyncio.ensure_future(act(engine, id, one))
    for _ in range(between):
        await asyncio.sleep(0)
    second = asyncio.ensure_future(act(engine, id, other))
    outcomes = await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 10)
    return [outcome for outcome in outcomes if outcome is not None]


def status(emu, id):
    row = emu.emulator.store.instances.get("order", id)
    return "gone" if row is None else str(row.status)


@pytest.fixture
def written(monkeypatch):
    """The passes that have written a step, each with whether it was the instance's own at that time."""
    found = []
    write = Ledger.write

    def noted(self, run, step):
        write(self, run, step)
        found.append((run.live, run.instance.epoch == self.store.instances.get("order", run.instance.id).epoch))

    monkeypatch.setattr(Ledger, "write", noted)
    return found


async def test_random_pairs_end_in_a_legal_state(emu, written):
    """
    2,000 pairs at random moments: a state that some order explains, no hanging call, no write of a superseded pass.
    """
    random = Random(16)
    await emu.start(worker(STALLED), config=ORDER)
    engine = emu.emulator.engine
    seen = set()
    for _ in range(20):
        pairs = [random.choices(ACTIONS, k=2) for _ in range(100)]
        wanted = [Wanted(params=f'{{"turns": {random.randrange(25)}}}') for _ in pairs]
        ids = [instance.id for instance in await engine.create_batch("order", wanted)]
        turns = [(random.randrange(60), random.choice((0, 0, 1, 2, 5, 20))) for _ in pairs]
        refusals = await asyncio.gather(
            *(raced(engine, id, *pair, turn) for id, pair, turn in zip(ids, pairs, turns, strict=True))
        )
        await emu.settle()
        for id, pair, refused in zip(ids, pairs, refusals, strict=True):
            assert status(emu, id) in legal(pair)
            assert all(isinstance(each, WorkflowError) for each in refused)

            seen.add(status(emu, id))

    assert {"complete", "paused", "terminated", "gone"} == seen
    assert {(True, True)} == set(written)


@pytest.mark.parametrize("action", ["restart", "terminate", "delete"])
@pytest.mark.parametrize("turns", range(0, 30, 5))
async def test_a_pass_that_was_left_writes_nothing_more(emu, written, action, turns):
    """
    Whatever its code still does, the store does not hear of it.
    """
    await emu.start(worker(STALLED), config=ORDER)
    engine = emu.emulator.engine
    order = Handle(emu, "order", (await engine.create("order", Wanted(params='{"turns": 10}'))).id)
    for _ in range(turns):
        await asyncio.sleep(0)
    await getattr(engine, action)("order", order.id)
    before = len(written)
    await emu.settle()

    assert {(True, True)} >= set(written)
    assert action == "restart" or before == len(written)
    assert action != "restart" or ["complete", [10, 10]] == [order.status, order.output]


@pytest.mark.parked
async def test_a_superseded_pass_is_refused_by_the_store_itself(emu):
    """
    Also one that does not know that it was left: its epoch is not the instance's any more.
    """
    await emu.start(worker('await step.sleep("nap", "1 day")'), config=ORDER)
    order = await emu.create("order")
    passes = emu.emulator.engine._passes
    run = passes.of(order.row)
    (step,) = run.steps.values()
    await order.ask("restart")

    with pytest.raises(Superseded):
        passes._steps.ledger.write(run, step)


async def test_a_restarted_step_begins_its_attempts_anew(emu):
    """
    What the pass before the restart had under way is forgotten whole.
    """
    await emu.start(worker(STALLED), config=ORDER)
    engine = emu.emulator.engine
    order = Handle(emu, "order", (await engine.create("order", Wanted(params='{"turns": 30}'))).id)
    for _ in range(20):
        await asyncio.sleep(0)
    for _ in range(5):
        await engine.restart("order", order.id)
        await asyncio.sleep(0)
    await emu.settle()

    assert [30, 30] == order.output
    assert [1, 1] == [attempt.attempt for attempt in engine.attempts(order.row)]


async def test_a_save_between_the_end_of_a_step_and_the_pause_does_not_undo_the_pause(emu):
    """
    What was acknowledged holds: the instance is paused, with the step recorded, and not begun again.
    """
    held = """
@step.do("held")
async def held():
    while not (FOLDER / "go").exists():
        await asyncio.sleep(0)

await asyncio.gather(held(), step.sleep("nap", "1 day"))
"""
    await emu.start(worker(held), config=ORDER)
    engine, owners = emu.emulator.engine, emu.emulator._owners()
    order = Handle(emu, "order", (await engine.create("order", Wanted())).id)
    await eventually(lambda: len(order.steps) == 2)
    run = engine._passes.of(order.row)
    await engine.pause("order", order.id)
    emu.save("go", "")
    await eventually(lambda: run.is_waiting)

    assert (True, "waitingForPause") == (run.live, order.status)

    engine.adopt({"order": replace(owners["order"], generation=None)})
    engine.adopt(owners)
    await emu.settle()

    assert "paused" == order.status
    assert "done" == order.steps["held-1"]
