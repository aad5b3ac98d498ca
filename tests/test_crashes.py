"""The emulator ends at any turn of the loop: no attempt is made twice, whatever runs side by side or in a body."""

import asyncio
from collections import Counter

import pytest
from flows import ORDER, notes, worker
from support import Handle

from emulator.workflows.engine import Wanted

STEPS = """
def named(name, turns, inside=None, **config):
    @step.do(name, **config)
    async def body(ctx):
        note(f"{name} {ctx['attempt']}")
        for _ in range(turns):
            await asyncio.sleep(0)
        if inside is not None:
            await inside()
        if config and ctx["attempt"] == 1:
            raise ValueError("not yet")
        return name

    async def take():
        await body()
        note(f"{name} is over")
    return take

async def chain(name, turns, **config):
    for number in range(3):
        await named(f"{name}{number}", turns, **config)()

await named("first", 0)()
await asyncio.gather(chain("a", 0), chain("b", 2), chain("c", 1, config={"retries": {"limit": 9, "delay": 0}}))
await named("outer", 1, named("inner", 2))()
beside = asyncio.ensure_future(named("beside", 20)())
await chain("d", 0)
await beside
"""


def is_over_twice(noted, name):
    """Whether a body of a step has begun after its result was handed over."""
    if f"{name} is over" not in noted:
        return False
    after = noted[noted.index(f"{name} is over") :]
    return any(line.startswith(f"{name} ") and not line.endswith("is over") for line in after)


@pytest.mark.parametrize("turns", range(4, 100, 4))
async def test_what_was_begun_or_is_over_is_so_after_a_crash(emu, turns):
    """
    An attempt that may have begun is counted, and a step whose result was handed over is not run again.
    """
    await emu.start(worker(STEPS), config=ORDER)
    instance = await emu.emulator.engine.create("order", Wanted())
    for _ in range(turns):
        await asyncio.sleep(0)
    await emu.crash()
    await emu.start()
    order = Handle(emu, "order", instance.id)
    noted, store = notes(emu), emu.emulator.store
    bodies = [line for line in noted if not line.endswith("is over")]
    steps = {step.order: step.attempts for step in store.steps.of(order.row.key)}

    assert "complete" == order.status
    assert sorted(set(bodies)) == sorted(bodies)
    assert [] == [name for name in {line.split()[0] for line in noted} if is_over_twice(noted, name)]
    assert steps == Counter(attempt.order for attempt in store.steps.attempts(order.row.key))
