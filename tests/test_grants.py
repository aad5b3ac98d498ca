"""Grants: a step of the usual config that follows another one begins without asking, and nothing of it is lost."""

import asyncio
import json

import pytest
from flows import ORDER, caught, eventually, notes, started, worker

from emulator.runtime.grant import Grant
from emulator.wire import MemoryChannel
from emulator.workflows import step as steps_module

THREE = """
for number in range(3):
    @step.do("s")
    async def s(ctx):
        note(str(ctx["attempt"]))
        return number
    await s()
return "done"
"""

HELD = """
@step.do("held")
async def held(ctx):
    note(str(ctx["attempt"]))
    if ctx["attempt"] == 1:
        await asyncio.Event().wait()
    return ctx["attempt"]

return await held()
"""

BETWEEN = """
@step.do("first")
async def first(ctx):
    return 1

@step.do("second")
async def second(ctx):
    note(f"second, attempt {ctx['attempt']}")

await first()
note("between")
BETWEEN
await second()
"""


@pytest.fixture
def asked(monkeypatch):
    """What the worker's code asks of the engine, in order."""
    found = []
    send = MemoryChannel.send

    def noted(self, kind, id=0, head=None, body=b""):
        if kind == "call" and head["target"] == "step":
            found.append(head["method"])
        send(self, kind, id, head, body)

    monkeypatch.setattr(MemoryChannel, "send", noted)
    return found


def attempts(order):
    """Each attempt on record: the place of its step, its number, and the error it ended with."""
    store = order.emulated.emulator.store
    return [(each.order, each.attempt, each.error and each.error.name) for each in store.steps.attempts(order.row.key)]


@pytest.mark.parked
async def test_steps_one_after_another_begin_without_asking(emu, asked):
    """
    The first one too: what it would be answered came with the start. Each is on record as if it had asked.
    """
    order = await started(emu, THREE)

    assert "done" == order.output
    assert ["begun", "succeed"] * 3 == [method for method in asked if method != "rollbacks"]
    assert [(1, 1, None), (2, 1, None), (3, 1, None)] == attempts(order)
    assert {"s-1": "done", "s-2": "done", "s-3": "done"} == order.steps


@pytest.mark.parked
@pytest.mark.parametrize(
    ("options", "name"),
    [("config={'timeout': '1 minute'}", "s"), ("rollback=lambda: None", "s"), ("", "ein Schritt für sich")],
    ids=["a config", "a rollback handler", "an unusual name"],
)
async def test_what_is_for_the_engine_to_decide_is_asked(emu, asked, options, name):
    """
    A config of the step's own, a handler that is to be noted, a name that may be refused.
    """
    order = await started(emu, f'@step.do("{name}", {options})\nasync def s():\n    return 1\nreturn await s()')

    assert 1 == order.output
    assert ["begin", "succeed"] == asked
    assert [(1, 1, None)] == attempts(order)


@pytest.mark.parked
async def test_of_steps_side_by_side_one_begins_without_asking(emu, asked):
    """
    The others ask, and are recorded as beside it.
    """
    order = await started(
        emu,
        """
async def take(number):
    @step.do(f"s{number}")
    async def s():
        await asyncio.sleep(0)
        return number
    return await s()

return await asyncio.gather(*map(take, range(3)))
""",
    )

    assert [0, 1, 2] == order.output
    assert 1 == asked.count("begun")
    assert 2 == asked.count("begin")
    assert [(1, 1, None), (2, 1, None), (3, 1, None)] == attempts(order)
    recorded = emu.emulator.store.steps.of(order.row.key)

    assert [False, True, True] == [json.loads(step.config).get("beside", False) for step in recorded]


@pytest.mark.parked
async def test_recorded_steps_are_asked_for(emu, asked):
    """
    A pass that runs again asks for each step until it has come to the end of what is recorded.
    """
    body = THREE.replace('return "done"', 'await step.sleep("nap", "1 hour")\n' + THREE.replace('"s"', '"t"'))
    order = await started(emu, body)
    await emu.restart()
    asked.clear()
    await emu.advance(hours=2)

    assert "done" == order.output
    assert ["1"] * 6 == notes(emu)
    assert ["begin", "succeed"] + ["begun", "succeed"] * 2 == asked[-6:]


async def test_a_body_that_goes_on_is_soon_on_record(emu):
    """
    The step is shown at once, and written down when it has not ended a moment later.
    """
    await emu.start(worker(HELD), config=ORDER)
    order = await caught(emu, lambda order: order.steps == {"held-1": "started"})

    assert emu.emulator.store.steps.of(order.row.key) == []

    await eventually(lambda: emu.emulator.store.steps.of(order.row.key) != [])

    assert [1] == [step.attempts for step in emu.emulator.store.steps.of(order.row.key)]


@pytest.mark.parametrize("is_written", [False, True], ids=["at once", "when it is on record"])
async def test_a_crash_in_a_granted_attempt_uses_it_up(emu, monkeypatch, is_written):
    """
    Its number was on disk before the body began, whether the emulator has come to write the step down or not.
    """
    monkeypatch.setattr(steps_module, "_WRITTEN_AFTER", 0.0 if is_written else 3600.0)
    await emu.start(worker(HELD), config=ORDER)
    order = await caught(emu, lambda order: notes(emu) == ["1"])
    await eventually(lambda: is_written == bool(emu.emulator.store.steps.of(order.row.key)))

    assert is_written == bool(emu.emulator.store.steps.of(order.row.key))

    await emu.crash()
    await emu.start()

    assert ["1", "2"] == notes(emu)
    assert 2 == order.output
    assert [(1, 1, "Interrupted"), (1, 2, None)] == attempts(order)


async def test_a_stop_in_a_granted_attempt_puts_it_on_record(emu, monkeypatch):
    """
    A clean end writes down what has begun.
    """
    monkeypatch.setattr(steps_module, "_WRITTEN_AFTER", 3600.0)
    await emu.start(worker(HELD), config=ORDER)
    order = await caught(emu, lambda order: order.steps == {"held-1": "started"})
    await emu.restart()

    assert 2 == order.output
    assert [(1, 1, "Interrupted"), (1, 2, None)] == attempts(order)


async def test_terminating_in_a_granted_attempt_puts_it_on_record(emu, monkeypatch):
    """
    The history shows the step that was under way.
    """
    monkeypatch.setattr(steps_module, "_WRITTEN_AFTER", 3600.0)
    await emu.start(worker(HELD), config=ORDER)
    order = await caught(emu, lambda order: order.steps == {"held-1": "started"})
    await order.ask("terminate")

    assert {"held-1": "started"} == order.steps
    assert [(1, 1, "Canceled")] == attempts(order)


async def test_a_granted_attempt_has_its_time(emu):
    """
    The usual ten minutes, by the emulator's clock.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(emu, HELD)
    await emu.advance(minutes=10)

    assert [(1, 1, "WorkflowTimeoutError")] == attempts(order)


@pytest.mark.parametrize(
    "between",
    [
        'await step.sleep("nap", "1 hour")',
        'await step.wait_for_event("word", "go", timeout="1 hour")',
        "await asyncio.sleep(0.05)",
        "await asyncio.sleep(0.05)\nawait asyncio.Event().wait()",
    ],
    ids=["a sleep", "a wait", "something else", "something for ever"],
)
async def test_a_grant_that_is_not_used_leaves_nothing_behind(emu, between):
    """
    Whatever comes between two steps, the second one's attempts are those that were made.
    """
    between = f"try:\n    {between.replace(chr(10), chr(10) + '    ')}\nexcept TimeoutError:\n    pass"
    await emu.start(worker(BETWEEN.replace("BETWEEN", between)), config=ORDER)
    order = await caught(emu, lambda order: "between" in notes(emu))
    await eventually(lambda: attempts(order) == [(1, 1, None)])

    assert [(1, 1, None)] == attempts(order)


@pytest.mark.parked
async def test_a_pause_between_two_steps_is_kept(emu):
    """
    Code that does something else than take a step asks when it comes to one, and the pass stands still there.
    """
    between = "while not (FOLDER / 'go').exists():\n    await asyncio.sleep(0.001)"
    emu.options["settle_seconds"] = 0.05
    await emu.start(worker(BETWEEN.replace("BETWEEN", between)), config=ORDER)
    order = await caught(emu, lambda order: "between" in notes(emu))
    await eventually(lambda: attempts(order) == [(1, 1, None)])
    await order.ask("pause")
    emu.save("go", "")
    await eventually(lambda: order.status == "paused")

    assert ["between"] == notes(emu)

    await order.ask("resume")

    assert ["between", "between", "second, attempt 1"] == notes(emu)


async def test_a_process_that_ends_in_a_granted_attempt_uses_it_up(emu_processes):
    """
    The attempt is counted when the worker's process dies in it, and the next one may go well.
    """
    emu = emu_processes
    order = await started(emu, HELD.replace("await asyncio.Event().wait()", "import os; os._exit(3)"))
    async with asyncio.timeout(5):
        while order.status != "complete":
            await emu.settle()

    assert ["1", "2"] == notes(emu)
    assert [(1, 1, "Interrupted"), (1, 2, None)] == attempts(order)


async def test_a_grant_is_good_for_a_moment():
    """
    Taken in time it is gone; later it is not given any more, and is returned once.
    """
    returned = []
    grant = Grant(lambda: returned.append(1))
    grant.receive({"go": "attempt"})

    assert {"go": "attempt"} == grant.take()
    assert grant.take() is None

    grant.receive({"go": "attempt"})
    await eventually(lambda: returned == [1])

    assert grant.take() is None


@pytest.mark.parked
async def test_a_crash_uses_up_a_granted_attempt_beside_which_a_step_has_ended(emu):
    """
    What is recorded of one of two steps side by side does not pass over the other one, which goes on for long.
    """
    body = HELD.replace(
        "return await held()",
        """
@step.do("short")
async def short():
    note("short")

beside = asyncio.ensure_future(held())
await asyncio.sleep(0)
await short()
note("over")
return await beside
""",
    )
    await emu.start(worker(body), config=ORDER)
    order = await caught(emu, lambda order: "over" in notes(emu))

    assert {"held-1": "started", "short-1": "done"} == order.steps

    await emu.crash()
    await emu.start()

    assert ["1", "2"] == [noted for noted in notes(emu) if noted.isdigit()]
    assert 2 == order.output
    assert [(1, 1, "Interrupted"), (1, 2, None), (2, 1, None)] == attempts(order)


async def test_an_instance_that_ends_with_a_granted_attempt_under_way_has_ended(emu):
    """
    Its status is what `run` came to, not what the attempt led to, also for the next emulator on the folder.
    """
    body = HELD.replace(
        "return await held()",
        """
asyncio.ensure_future(held())
while not (FOLDER / "notes.txt").exists():
    await asyncio.sleep(0)
return "done"
""",
    )
    order = await started(emu, body)

    assert "complete" == order.status
    assert [(1, 1, "Canceled")] == attempts(order)

    await emu.restart()

    assert "complete" == order.status
    assert ["1"] == notes(emu)


async def test_what_begins_without_asking_among_steps_side_by_side_is_granted_still(emu, monkeypatch):
    """
    What one of them asks while a grant for another one is on its way takes it back: then that one asks as well.
    """
    found = []
    begun = steps_module.Steps._begun

    async def noted(self, run, head, body):
        found.append(run.has_grant)
        await begun(self, run, head, body)

    monkeypatch.setattr(steps_module.Steps, "_begun", noted)
    order = await started(
        emu,
        """
async def chain(name, turns):
    for number in range(6):
        @step.do(f"{name}{number}")
        async def s():
            for _ in range(turns):
                await asyncio.sleep(0)
        await s()

await asyncio.gather(*(chain("abcd"[turns], turns) for turns in range(4)))
""",
    )

    assert "complete" == order.status
    assert {True} == set(found)
    assert [(place, 1, None) for place in range(1, 25)] == attempts(order)


@pytest.mark.parked
async def test_beside_a_failure_that_is_being_answered_nothing_is_granted(emu, asked):
    """
    The one that failed is about to wait: a pause would come true while the other one's next body runs.
    """
    order = await started(
        emu,
        """
async def fails():
    @step.do("fails", config={"retries": {"limit": 1, "delay": "1 hour"}})
    async def fails(ctx):
        if ctx["attempt"] == 1:
            raise ValueError("not yet")
    await fails()

async def goes_on():
    for number in range(2):
        @step.do(f"goes on {number}")
        async def goes_on():
            # So that it ends in the same turn as the one that fails.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await goes_on()

await asyncio.gather(fails(), goes_on())
""",
    )

    assert ["begin", "begin", "fail", "succeed", "begin", "succeed"] == asked

    await emu.advance(hours=2)

    assert "complete" == order.status


async def test_a_grant_on_its_way_is_not_taken_when_something_else_is_asked_meanwhile():
    """
    The engine has taken it back by then.
    """
    grant = Grant(lambda: None)
    first, second = asyncio.Future(), asyncio.Future()
    grant.note_asked(first)
    grant.note_asked(second)
    grant.receive({"go": "attempt"}, first)

    assert grant.take() is None

    grant.receive({"go": "attempt"}, second)

    assert {"go": "attempt"} == grant.take()


@pytest.mark.parked
@pytest.mark.parametrize(
    ("options", "is_counted"),
    [("", True), (', config={"retries": {"limit": 1, "delay": 0}}', False), (", rollback=lambda: None", False)],
    ids=["the usual config", "a config of its own", "a rollback handler"],
)
async def test_a_crash_before_a_step_uses_up_an_attempt_that_may_have_begun(emu, options, is_counted):
    """
    Only a step of the usual config can have begun with the last result; another one has all its attempts still.
    """
    body = f"""
@step.do("first")
async def first():
    pass

@step.do("second"{options})
async def second(ctx):
    note(str(ctx["attempt"]))

await first()
note("between")
await second()
"""
    await emu.start(worker(body), config=ORDER)
    order = await caught(emu, lambda order: "between" in notes(emu))
    await emu.crash()
    await emu.start()

    assert "complete" == order.status
    assert ["2" if is_counted else "1"] == [noted for noted in notes(emu) if noted != "between"][-1:]
