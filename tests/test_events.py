"""Events: each goes to one wait, in order, once, whatever else happens; and a race has one outcome, which is kept."""

import asyncio

import pytest
from flows import ORDER, act, notes, started, worker
from support import Handle

from emulator.errors import WorkflowError
from emulator.workflows.engine import Wanted


@pytest.mark.parked
async def test_a_thousand_events_arrive_in_order(emu):
    """
    Sent all at once, taken one after the other: none lost, none twice, none out of its place.
    """
    order = await started(
        emu,
        """
found = []
for n in range(1000):
    found.append((await step.wait_for_event("w", "go"))["payload"])
return found
""",
    )
    engine = emu.emulator.engine
    await asyncio.gather(*(engine.send_event("order", order.id, event_type="go", payload=str(n)) for n in range(1000)))
    await emu.settle()

    assert list(range(1000)) == order.output


async def test_events_sent_before_in_between_and_while_down_arrive_in_order(emu):
    """
    Half before the first wait, a crash after every few, the rest one by one.
    """
    order = await started(
        emu,
        """
await step.sleep("nap", "1 hour")
return [(await step.wait_for_event("w", "go"))["payload"] for _ in range(60)]
""",
    )
    for n in range(30):
        await order.send("go", n)
    await emu.crash()
    await emu.start()
    await emu.advance(hours=1)
    for n in range(30, 60):
        await order.send("go", n)
        if n % 10 == 0:
            await emu.crash()
            await emu.start()

    assert list(range(60)) == order.output


async def test_waits_of_one_type_are_served_in_their_order(emu):
    """
    Parallel waits take events in the order in which they began to wait; other types pass them by.
    """
    order = await started(
        emu,
        """
waits = [step.wait_for_event(f"w{n}", "go") for n in range(5)]
return [each["payload"] for each in await asyncio.gather(*waits)]
""",
    )
    for n in range(5):
        await order.send("other", f"other {n}")
        await order.send("go", n)

    assert list(range(5)) == order.output


@pytest.mark.parked
async def test_a_wait_that_timed_out_takes_no_event_from_a_later_one(emu):
    """
    An event that comes after the time-out goes to the next wait of its type.
    """
    order = await started(
        emu,
        """
try:
    await step.wait_for_event("first", "go", timeout="1 minute")
except Exception as error:
    note(type(error).__name__)
return (await step.wait_for_event("second", "go"))["payload"]
""",
    )
    await emu.advance(minutes=1)
    await order.send("go", 1)

    assert ["WorkflowTimeoutError"] == notes(emu)
    assert 1 == order.output


async def _at_once():
    """The clock waits for nobody, so that all 200 time out while the events are being sent."""


RACE = """
try:
    got = (await step.wait_for_event("w", "go", timeout="10 seconds"))["payload"]
except Exception:
    got = "timed out"
note(f"{event['instanceId']} {got}")
await step.sleep("nap", "1 hour")
return got
"""


@pytest.mark.parametrize("crash", [False, True], ids=["running on", "killed after it"])
async def test_a_time_out_that_races_an_event_has_one_outcome(emu, crash):
    """
    200 races: each wait has the event or has timed out, every pass sees the same, and an event not taken is kept.
    """
    await emu.start(worker(RACE), config=ORDER)
    engine = emu.emulator.engine
    orders = [Handle(emu, "order", (await engine.create("order", Wanted(id=f"i{n}"))).id) for n in range(200)]
    await emu.settle()

    async def send(order, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        await engine.send_event("order", order.id, event_type="go", payload='"event"')

    settled, emu.clock.settled = emu.clock.settled, _at_once
    await asyncio.gather(emu.advance(seconds=10), *(send(order, n % 40) for n, order in enumerate(orders)))
    emu.clock.settled = settled
    if crash:
        await emu.crash()
        await emu.start()
    await emu.advance(hours=1)
    seen = {order.id: {line.split(" ", 1)[1] for line in notes(emu) if line.split()[0] == order.id} for order in orders}
    buffered = {key for (key,) in emu.emulator.store._db.execute("select instance from events")}

    assert {"event", "timed out"} == {order.output for order in orders}
    assert {order.id: {order.output} for order in orders} == seen
    assert {order.row.key for order in orders if order.output == "timed out"} == buffered


@pytest.mark.parametrize("state", ["paused", "queued"])
async def test_an_event_to_one_that_stands_still_is_kept(emu, state):
    """
    It is taken when the instance goes on.
    """
    order = await started(emu, 'return (await step.wait_for_event("w", "go"))["payload"]')
    if state == "paused":
        await order.ask("pause")
        await order.send("go", 1)
        await order.ask("resume")
    else:
        emu.save("entry.py", "def broken(:")
        await emu.restart()

        assert "queued" == (await emu.create("order", id="new")).status

        await order.send("go", 1)
        await emu.reload(worker('return (await step.wait_for_event("w", "go"))["payload"]'))

    assert 1 == order.output


@pytest.mark.parametrize("ending", ["complete", "errored", "terminated"])
async def test_an_event_to_one_that_is_over_is_refused(emu, ending):
    """
    Nothing is kept of it.
    """
    order = await started(
        emu,
        """
if event["payload"] == "complete":
    return 1
if event["payload"] == "errored":
    raise ValueError("no")
await step.sleep("nap", "1 hour")
""",
        ending,
    )
    if ending == "terminated":
        await order.ask("terminate")

    with pytest.raises(WorkflowError, match=f"cannot_receive_event.*is {ending}"):
        await order.send("go", 1)

    assert 0 == emu.emulator.store._db.execute("select count(*) from events").fetchone()[0]


async def test_an_event_to_nobody_is_not_found(emu):
    """
    An unknown id is an unknown id.
    """
    await emu.start(worker("return 1"), config=ORDER)

    with pytest.raises(WorkflowError, match="not_found"):
        await emu.emulator.engine.send_event("order", "nobody", event_type="go", payload="1")


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_crash_between_two_waits_repeats_no_event(emu, turns):
    """
    Wherever the emulator dies after the first event was sent: the first wait has it, the second gets the next one.
    """
    order = await started(
        emu,
        """
first = await step.wait_for_event("first", "go")
second = await step.wait_for_event("second", "go", timeout="1 hour")
return [first["payload"], second["payload"]]
""",
    )
    engine = emu.emulator.engine
    sent = asyncio.ensure_future(engine.send_event("order", order.id, event_type="go", payload='"first"'))
    for _ in range(turns):
        await asyncio.sleep(0)
    was_taken = sent.done()
    await emu.crash()
    sent.cancel()
    await emu.start()
    if not was_taken and {"first-1": "started"} == order.steps:
        await order.send("go", "first")
    await order.send("go", "second")

    assert ["first", "second"] == order.output


@pytest.mark.parked
async def test_an_event_wakes_one_that_hibernates(emu):
    """
    An instance that is in no memory is run when its event comes, long before its time-out.
    """
    order = await started(emu, 'return (await step.wait_for_event("w", "go", timeout="30 days"))["payload"]')
    await emu.advance(hours=1)
    emu.emulator.engine._passes._hibernate(emu.emulator.engine._passes.of(order.row))

    assert emu.emulator.engine._passes.of(order.row) is None

    await order.send("go", 1)

    assert 1 == order.output


@pytest.mark.parked
async def test_one_that_is_given_up_in_the_moment_of_its_event_still_gets_it(emu):
    """
    An event that has woken its wait is not left lying when the pass is given up a turn later.
    """
    order = await started(emu, 'return (await step.wait_for_event("w", "go", timeout="30 days"))["payload"]')
    passes = emu.emulator.engine._passes
    run = passes.of(order.row)
    sent = asyncio.ensure_future(emu.emulator.engine.send_event("order", order.id, event_type="go", payload="1"))
    await asyncio.sleep(0)
    await passes._hibernation._watch(run, 0)
    await sent
    await emu.settle()

    assert 1 == order.output


async def test_an_instance_may_send_itself_an_event(emu):
    """
    From inside run(), before the wait.
    """
    order = await started(
        emu,
        """
me = await self.env.ORDER.get(event["instanceId"])
await me.send_event(type="go", payload="mine")
return (await step.wait_for_event("w", "go"))["payload"]
""",
    )

    assert "mine" == order.output
    assert {"value": "complete"} == await act(
        emu, f'return (await (await env.ORDER.get("{order.id}")).status()).status'
    )


@pytest.mark.parametrize("nothing", ["0", '""', "None", "timedelta(0)"])
async def test_no_time_out_is_a_day(emu, nothing):
    """
    Nothing, or none at all, means 24 hours.
    """
    order = await started(emu, f'await step.wait_for_event("w", "go", timeout={nothing})')
    await emu.advance(hours=23, minutes=59)

    assert "waiting" == order.status

    await emu.advance(minutes=1)

    assert {"name": "WorkflowTimeoutError", "message": "Execution timed out after 86400000ms"} == order.error


@pytest.mark.parametrize(
    "call", ['step.sleep("w", "2 years")', 'step.wait_for_event("w", "go", timeout="2 years")'], ids=["sleep", "wait"]
)
async def test_a_year_is_the_longest_wait(emu, call):
    """
    A longer one ends after 365 days.
    """
    order = await started(emu, f"try:\n    await {call}\nexcept Exception:\n    pass\nreturn 1")
    await emu.advance(days=364, hours=23)

    assert "waiting" == order.status

    await emu.advance(hours=1)

    assert "complete" == order.status
