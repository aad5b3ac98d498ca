"""Which action is possible in which state of an instance, what it leads to, and who runs when not all can."""

import asyncio
from datetime import timedelta

import pytest
from flows import ORDER, act, caught, eventually, notes, started, worker
from support import Emulated, Handle

from emulator import worker as worker_module
from emulator.errors import WorkflowError
from emulator.models import Status, StepKind
from emulator.workflows.engine import Wanted
from emulator.workflows.owners import Limits
from emulator.workflows.retention import Retention, parse
from emulator.workflows.transitions import POSSIBLE, Action, check

# Does what its parameters say.
OBEDIENT = """
@step.do("first")
async def first():
    return 1

@step.do("busy")
async def busy():
    await asyncio.Event().wait()

await first()
match event["payload"].get("do"):
    case "raise":
        raise ValueError("as told")
    case "sleep":
        await step.sleep("nap", "1 day")
    case "busy":
        await busy()
return "done"
"""

TOLD = {"queued": "sleep", "running": "busy", "waitingForPause": "busy", "complete": "return", "errored": "raise"}

TABLE = {
    # state: pause, resume, terminate, restart, restart from an unknown step, send_event
    "queued": ("paused", "cannot_resume", "terminated", "queued", "cannot_restart", "queued"),
    "running": ("waitingForPause", "cannot_resume", "terminated", "running", "cannot_restart", "running"),
    "waiting": ("paused", "cannot_resume", "terminated", "waiting", "cannot_restart", "waiting"),
    "waitingForPause": ("cannot_pause", "running", "terminated", "running", "cannot_restart", "waitingForPause"),
    "paused": ("cannot_pause", "waiting", "terminated", "waiting", "cannot_restart", "paused"),
    "complete": (
        "cannot_pause",
        "cannot_resume",
        "cannot_terminate",
        "complete",
        "cannot_restart",
        "cannot_receive_event",
    ),
    "errored": (
        "cannot_pause",
        "cannot_resume",
        "cannot_terminate",
        "errored",
        "cannot_restart",
        "cannot_receive_event",
    ),
    "terminated": (
        "cannot_pause",
        "cannot_resume",
        "cannot_terminate",
        "waiting",
        "cannot_restart",
        "cannot_receive_event",
    ),
}

ACTIONS = ("pause", "resume", "terminate", "restart", "restart from", "send_event")

CALLS = {
    "pause": "await one.pause()",
    "resume": "await one.resume()",
    "terminate": "await one.terminate()",
    "restart": "await one.restart()",
    "restart from": 'await one.restart({"from": {"name": "nobody"}})',
    "send_event": 'await one.send_event({"type": "go", "payload": 1})',
    "delete": "await one.delete()",
}


def limited(folder, **options):
    """An emulator in which one instance runs at a time."""
    return Emulated(folder, limits=Limits(most_running=1, hot_window=timedelta()), settle_seconds=0.05, **options)


async def in_state(emu, state, id):
    """An instance in that state."""
    params = {"do": TOLD.get(state, "sleep")}
    if state == "queued":
        await emu.emulator.engine.create("order", Wanted(id=f"{id}-before", params='{"do": "busy"}'))
        await eventually(lambda: len(emu.emulator.engine.steps(emu.emulator.engine.get("order", f"{id}-before"))) == 2)
    instance = await emu.emulator.engine.create("order", Wanted(id=id, params=f'{{"do": "{params["do"]}"}}'))
    handle = Handle(emu, "order", instance.id)
    if state in ("running", "waitingForPause"):
        await eventually(lambda: "busy-1" in handle.steps)
    if state in ("waiting", "paused", "terminated"):
        await eventually(lambda: handle.status == "waiting")
    action = {"waitingForPause": "pause", "paused": "pause", "terminated": "terminate"}.get(state)
    if action:
        await getattr(emu.emulator.engine, action)("order", id)
    await eventually(lambda: handle.status == state)
    return handle


async def asked(engine, action, id):
    """The engine is asked; the code of its refusal, if it refuses."""
    try:
        match action:
            case "restart from":
                await engine.restart("order", id, from_step=(StepKind.DO, "nobody", 1))
            case "send_event":
                await engine.send_event("order", id, event_type="go", payload="1")
            case _:
                await getattr(engine, action)("order", id)
    except WorkflowError as error:
        return error.code.removeprefix("instance.")
    return None


@pytest.mark.parametrize("via", ["engine", "worker"])
@pytest.mark.parametrize("state", TABLE)
async def test_the_table_of_actions(tmp_path, state, via):
    """
    Every action in every state: it leads to the state of the table, or is refused with its code and changes nothing.
    """
    emu = limited(tmp_path) if state == "queued" else Emulated(tmp_path)
    await emu.start(worker(OBEDIENT), config=ORDER)
    found = {}
    for action in ACTIONS:
        id = f"i-{ACTIONS.index(action)}"
        if state == "queued" and action != "pause":
            # The first one's predecessor holds the only place.
            instance = await emu.emulator.engine.create("order", Wanted(id=id, params='{"do": "sleep"}'))
            handle = Handle(emu, "order", instance.id)
        else:
            handle = await in_state(emu, state, id)
        before = (handle.status, handle.steps)
        if via == "engine":
            refused = await asked(emu.emulator.engine, action, id)
        else:
            answer = await act(emu, f'one = await env.ORDER.get("{id}")\n{CALLS[action]}')
            refused = answer.get("code", "").removeprefix("instance.") or None
        if refused:
            assert before == (handle.status, handle.steps)

            found[action] = refused
            continue
        wanted = TABLE[state][ACTIONS.index(action)]
        await eventually(lambda handle=handle, wanted=wanted: handle.status == wanted)
        found[action] = handle.status
    await emu.stop()

    assert dict(zip(ACTIONS, TABLE[state], strict=True)) == found


@pytest.mark.parametrize("state", TABLE)
async def test_an_instance_is_deleted_in_any_state(tmp_path, state):
    """
    After delete the id is unknown, whatever the instance was doing, and free for a new one.
    """
    emu = limited(tmp_path) if state == "queued" else Emulated(tmp_path)
    await emu.start(worker(OBEDIENT), config=ORDER)
    await in_state(emu, state, "one")
    await act(emu, 'await (await env.ORDER.get("one")).delete()')
    after = await act(emu, 'await env.ORDER.get("one")')
    again = await act(emu, 'return (await env.ORDER.create(id="one")).id')
    await emu.stop()

    assert "instance.not_found" == after["code"]
    assert {"value": "one"} == again


@pytest.mark.parametrize("action", CALLS)
async def test_a_handle_of_nothing_finds_nothing(emu, action):
    """
    Every method of a handle whose instance is gone raises instance.not_found.
    """
    await emu.start(worker(OBEDIENT), config=ORDER)
    answer = await act(emu, f"one = await env.ORDER.create()\nawait one.delete()\n{CALLS[action]}")

    assert ("WorkflowError", "instance.not_found") == (answer["error"], answer["code"])


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
def test_what_is_not_possible_is_refused_with_a_code(action, status):
    """
    The table of possible actions is the whole of the check.
    """
    if status in POSSIBLE[action]:
        assert check(action, status) is None

        return
    with pytest.raises(WorkflowError) as refused:
        check(action, status)

    assert f"instance.cannot_{action}" == refused.value.code


# Restart

STEPS = """
@step.do("a")
async def a():
    note("a")
    return len((FOLDER / "notes.txt").read_text().splitlines())

first = await a()
await step.sleep("nap", "1 hour")
got = await step.wait_for_event("w", "go")
note("b")
second = await a()
return [first, got["payload"], second]
"""


async def finished(emu):
    order = await started(emu, STEPS)
    await order.send("go", 1)
    await emu.advance(hours=1)
    return order


@pytest.mark.parked
@pytest.mark.parametrize(
    ("kind", "name", "count", "ran"),
    [
        (StepKind.DO, "a", 1, ["a", "b", "a"]),
        (StepKind.SLEEP, "nap", 1, ["b", "a"]),
        (StepKind.WAIT, "w", 1, ["b", "a"]),
        (StepKind.DO, "a", 2, ["b", "a"]),
    ],
    ids=["do", "sleep", "waitForEvent", "second of its name"],
)
async def test_restart_from_a_step_of_any_kind(emu, kind, name, count, ran):
    """
    The step and all after it are forgotten; those before keep what is recorded.
    """
    order = await finished(emu)

    assert ["a", "b", "a"] == notes(emu)

    await order.restart_from(name, count, kind)
    if kind is not StepKind.DO or count == 1:
        await order.send("go", 2)
    await emu.advance(hours=1)

    assert "complete" == order.status
    assert ran == notes(emu)[3:]


@pytest.mark.parked
@pytest.mark.parametrize(
    ("kind", "name", "count"),
    [(StepKind.DO, "nap", 1), (StepKind.SLEEP, "a", 1), (StepKind.DO, "a", 3), (StepKind.WAIT, "go", 1)],
)
async def test_restart_from_what_never_was_leaves_all_as_it_is(emu, kind, name, count):
    """
    A step is named by kind, name and count; where one is wrong nothing is restarted.
    """
    order = await finished(emu)

    with pytest.raises(WorkflowError, match=f'Step "{name}" not found in execution history'):
        await order.restart_from(name, count, kind)

    assert "complete" == order.status
    assert [1, 1, 3] == order.output


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"from": {"name": "a"}}, None),
        ({"from": {"name": "nap", "type": "sleep"}}, None),
        ({"from": {"name": "w", "type": "waitForEvent", "count": 1}}, None),
        ({"from": {"name": "a", "type": None, "count": None}}, None),
        ({"from": {"name": "a", "type": "rollback"}}, "instance.cannot_restart"),
        ({"from": {"name": "a", "count": "x"}}, "instance.cannot_restart"),
        ({"from": {"name": "a", "count": 1.5}}, "instance.cannot_restart"),
        ("'a'", "instance.cannot_restart"),
        ({"from": {}}, "instance.cannot_restart"),
        ({"from": "a"}, "instance.cannot_restart"),
        ({}, None),
    ],
    ids=str,
)
async def test_restart_as_worker_code_writes_it(emu, given, code):
    """
    `from` is {name, count?, type?}; anything else is refused, and restarts nothing.
    """
    order = await finished(emu)
    answer = await act(emu, f'await (await env.ORDER.get("{order.id}")).restart({given})')

    assert code == answer.get("code")


@pytest.mark.parametrize(("name", "count", "again"), [("b", 1, ["b", "c"]), ("a", 2, ["a 2", "b", "c"])])
async def test_a_restart_from_one_of_several_at_once_goes_by_their_starts(emu, name, count, again):
    """
    Those that began before it are kept, those that began after it are not, whichever ended first.
    """
    order = await started(
        emu,
        """
def taken(name, seconds):
    @step.do(name)
    async def body(ctx):
        await asyncio.sleep(seconds)
        note(name if ctx["step"]["count"] == 1 else f"{name} {ctx['step']['count']}")
    return body()

await asyncio.gather(taken("a", 0.01), taken("a", 0), taken("b", 0), taken("c", 0))
""",
    )
    before = len(notes(emu))
    await order.restart_from(name, count)

    assert ["a", "a 2", "b", "c"] == sorted(notes(emu)[:before])
    assert again == sorted(notes(emu)[before:])


async def test_a_restart_keeps_events_that_nobody_took_only_from_a_step_on(emu):
    """
    Restarting from a step keeps the buffered events, a full restart drops them.
    """
    order = await started(
        emu, 'await step.sleep("nap", "1 hour")\nreturn (await step.wait_for_event("w", "go"))["payload"]'
    )
    await order.send("go", 1)
    await order.restart_from("nap", kind=StepKind.SLEEP)
    await emu.advance(hours=1)

    assert 1 == order.output

    await order.ask("restart")
    await order.send("go", 2)
    await order.ask("restart")
    await emu.advance(hours=1)

    assert "waiting" == order.status


async def test_what_was_under_way_ends_with_its_instance(emu):
    """
    An attempt that a termination cuts off says so, and when; the instance began when its first pass did.
    """
    await emu.start(worker(OBEDIENT), config=ORDER)
    order = await in_state(emu, "running", "one")
    began, ended = emu.clock.now(), emu.clock.now() + timedelta(hours=1)
    emu.clock._jump(ended)
    await emu.emulator.engine.terminate("order", "one")
    _, cut_off = emu.emulator.engine.attempts(order.row)

    assert (began, ended) == (order.row.started_at, order.row.ended_at)
    assert ("Canceled", ended) == (cut_off.error.name, cut_off.ended_at)


async def test_an_instance_began_with_its_first_pass(emu):
    """
    However many more there are.
    """
    order = await started(emu, 'await step.sleep("nap", "1 hour")')
    began = emu.clock.now()
    await emu.advance(minutes=30)
    await emu.restart()
    await emu.advance(minutes=30)

    assert ("complete", began) == (order.status, order.row.started_at)


async def test_an_instance_may_delete_itself(emu):
    """
    delete() from inside run() ends it there; nothing after it runs and nothing is left.
    """
    order = await started(
        emu, 'me = await self.env.ORDER.get(event["instanceId"])\nnote("before")\nawait me.delete()\nnote("after")'
    )

    assert ["before"] == notes(emu)

    with pytest.raises(WorkflowError, match="not_found"):
        order.row  # noqa: B018


@pytest.mark.parametrize(("action", "status"), [("terminate", "terminated"), ("restart", "complete")])
async def test_an_instance_may_end_its_own_pass(emu, action, status):
    """
    terminate() and restart() from inside run() end the pass there.
    """
    order = await started(
        emu,
        f"""
note("run")
if len((FOLDER / "notes.txt").read_text().splitlines()) == 1:
    me = await self.env.ORDER.get(event["instanceId"])
    await me.{action}()
    note("after")
""",
    )

    assert status == order.status
    assert "after" not in notes(emu)


# Pause

WAITS = {
    "sleep": 'await step.sleep("nap", "1 hour")',
    "sleep_until": 'await step.sleep_until("noon", datetime(2030, 1, 1, 1))',
    "wait": 'try:\n    await step.wait_for_event("w", "go", timeout="1 hour")\nexcept Exception:\n    pass',
    "back-off": """
@step.do("flaky", config={"retries": {"limit": 1, "delay": "1 hour"}})
async def flaky(ctx):
    if ctx["attempt"] == 1:
        raise ValueError("not yet")
await flaky()
""",
    "two at once": 'await asyncio.gather(step.sleep("one", "30 minutes"), step.sleep("two", "1 hour"))',
}


@pytest.mark.parametrize("parked", [True, False], ids=["parked", "given up"])
@pytest.mark.parametrize("wait", WAITS)
async def test_a_pause_stops_the_clock_of_what_is_waited_for(tmp_path, wait, parked):
    """
    Paused at once, also a second time; after each resume the rest of the time is waited, no more and no less.
    """
    emu = Emulated(tmp_path, limits=Limits(hot_window=timedelta(seconds=1 if parked else 0)))
    order = await started(emu, WAITS[wait] + "\nreturn 'over'")
    await emu.advance(minutes=20)
    for _ in range(2):
        await order.ask("pause")

        assert "paused" == order.status

        await emu.advance(days=3)

        assert "paused" == order.status

        await order.ask("resume")

        assert "waiting" == order.status

        await emu.advance(minutes=15)
    await emu.advance(minutes=9)

    assert "waiting" == order.status

    await emu.advance(minutes=1)

    assert "over" == order.output

    await emu.stop()


SLOW = """
@step.do("slow", config={"retries": {"limit": 1, "delay": "1 hour"}})
async def slow(ctx):
    note(f"slow {ctx['attempt']}")
    while not (FOLDER / "go").exists():
        await asyncio.sleep(0.001)
    if (FOLDER / "go").read_text() == "fail" and ctx["attempt"] == 1:
        raise ValueError("as told")
    return "slow"

@step.do("next")
async def next_one():
    note("next")
    return "next"

return [await slow(), await next_one()]
"""


async def caught_in_slow(emu, body=SLOW):
    await emu.start(worker(body), config=ORDER)
    return await caught(emu, lambda _: notes(emu) == ["slow 1"])


async def test_a_pause_lets_the_attempt_end_and_no_more(emu):
    """
    waitingForPause while the attempt runs, paused when it has ended, its result kept, the next step not begun.
    """
    order = await caught_in_slow(emu)
    await order.emulated.emulator.engine.pause("order", order.id)

    assert "waitingForPause" == order.status

    emu.save("go", "")
    await emu.settle()

    assert "paused" == order.status
    assert {"slow-1": "done"} == order.steps
    assert ["slow 1"] == notes(emu)

    await order.ask("resume")

    assert ["slow", "next"] == order.output
    assert ["slow 1", "next"] == notes(emu)


async def test_a_pause_does_not_wait_for_a_back_off(emu):
    """
    When the attempt that was under way fails, the instance is paused, not first backed off.
    """
    order = await caught_in_slow(emu)
    await emu.emulator.engine.pause("order", order.id)
    emu.save("go", "fail")
    await emu.settle()

    assert "paused" == order.status

    await emu.advance(days=1)
    await order.ask("resume")
    await emu.advance(minutes=59)

    assert "waiting" == order.status

    await emu.advance(minutes=1)

    assert ["slow", "next"] == order.output


async def test_a_pause_that_is_called_off_changes_nothing(emu):
    """
    Resumed while waitingForPause: the same pass goes on.
    """
    order = await caught_in_slow(emu)
    await emu.emulator.engine.pause("order", order.id)
    await emu.emulator.engine.resume("order", order.id)

    assert "running" == order.status

    emu.save("go", "")
    await emu.settle()

    assert ["slow", "next"] == order.output
    assert ["slow 1", "next"] == notes(emu)


async def test_a_pause_that_is_called_off_after_a_save_goes_on_with_the_new_code(emu):
    """
    The pass gives way to the newer code at the end of the attempt, as if it had never been about to pause.
    """
    order = await caught_in_slow(emu)
    await emu.emulator.engine.pause("order", order.id)
    emu.save("entry.py", worker(SLOW.replace('note("next")', 'note("new next")')))
    await emu.emulator.reload(emu.emulator.workers[0])
    await emu.emulator.engine.resume("order", order.id)
    emu.save("go", "")
    await emu.settle()

    assert ["slow 1", "new next"] == notes(emu)
    assert "complete" == order.status


@pytest.mark.parked
async def test_an_attempt_that_fails_after_a_save_backs_off_in_the_new_code(emu):
    """
    A pass that is to give way does not sit out its back-off in the old code.
    """
    order = await caught_in_slow(emu)
    emu.save("entry.py", worker(SLOW.replace('note("next")', 'note("new next")')))
    await emu.emulator.reload(emu.emulator.workers[0])
    emu.save("go", "fail")
    await emu.settle()

    assert emu.emulator.workers[0].current is emu.emulator.engine._passes.of(order.row).generation

    await emu.advance(hours=1)

    assert ["slow 1", "slow 2", "new next"] == notes(emu)


async def test_a_pause_waits_for_all_parallel_attempts(emu):
    """
    Both results are recorded; a third step that waits at the gate does not run.
    """
    order = await caught_in_slow(
        emu,
        SLOW.replace("return [await slow(), await next_one()]", "")
        + """
@step.do("other")
async def other():
    while not (FOLDER / "go").exists():
        await asyncio.sleep(0.001)
    return "other"

async def then():
    await other()
    return await next_one()

return await asyncio.gather(slow(), then())
""",
    )
    await eventually(lambda: len(order.steps) == 2)
    await emu.emulator.engine.pause("order", order.id)
    emu.save("go", "")
    await emu.settle()

    assert "paused" == order.status
    assert {"slow-1": "done", "other-1": "done"} == order.steps

    await order.ask("resume")

    assert ["slow", "next"] == order.output


async def test_a_step_inside_a_step_belongs_to_its_attempt(emu):
    """
    A pause lets the outer attempt end with all that it does, and does not hang.
    """
    order = await caught_in_slow(
        emu,
        """
@step.do("inner")
async def inner():
    note("inner")
    return 1

@step.do("outer")
async def outer():
    note("slow 1")
    while not (FOLDER / "go").exists():
        await asyncio.sleep(0.001)
    await step.sleep("short", 0)
    return await inner()

@step.do("next")
async def next_one():
    note("next")

return [await outer(), await next_one()]
""",
    )
    await emu.emulator.engine.pause("order", order.id)
    emu.save("go", "")
    await emu.settle()

    assert "paused" == order.status
    assert ["slow 1", "inner"] == notes(emu)

    await order.ask("resume")

    assert [1, None] == order.output


async def test_a_pause_in_plain_code_comes_true_at_the_next_step(emu):
    """
    Code between steps goes on until it takes a step; only then is the instance paused.
    """
    await emu.start(
        worker(
            """
note("slow 1")
while not (FOLDER / "go").exists():
    await asyncio.sleep(0.001)
note("plain code is over")
await step.sleep("nap", 0)
note("after")
"""
        ),
        config=ORDER,
    )
    order = await caught(emu, lambda _: notes(emu) == ["slow 1"])
    await emu.emulator.engine.pause("order", order.id)

    assert "waitingForPause" == order.status

    emu.save("go", "")
    await emu.settle()

    assert "paused" == order.status
    assert ["slow 1", "plain code is over"] == notes(emu)


PAUSES_ITSELF = """
@step.do("a")
async def a():
    if event["payload"] == "in a step":
        await pause()
    return "a"

@step.do("b")
async def b():
    return "b"

async def pause():
    me = await self.env.ORDER.get(event["instanceId"])
    if not (FOLDER / "notes.txt").exists():
        await me.pause()
        note((await me.status())["status"])

await a()
if event["payload"] != "in a step":
    await pause()
if event["payload"] != "at the end":
    await b()
return "over"
"""


@pytest.mark.parametrize(
    ("where", "ran"),
    [("in a step", ["a-1"]), ("between two", ["a-1", "b-1"]), ("at the end", ["a-1"])],
    ids=["in a step", "between two", "at the end"],
)
async def test_an_instance_may_pause_itself(emu, where, ran):
    """
    It is waitingForPause until its next step is to begin or one has ended; without a further step it is complete.
    """
    order = await started(emu, PAUSES_ITSELF, where)

    assert ["waitingForPause"] == notes(emu)

    if where == "at the end":
        assert ("complete", "over") == (order.status, order.output)

        return
    assert "paused" == order.status
    assert set(order.steps) <= set(ran)

    await order.ask("resume")

    assert ("complete", {"a-1": "done", "b-1": "done"}) == (order.status, order.steps)


async def test_a_pause_right_after_create_is_honoured(emu):
    """
    An instance paused before its first step does not run it.
    """
    await emu.start(worker(SLOW), config=ORDER)
    instance = await emu.emulator.engine.create("order", Wanted())
    await emu.emulator.engine.pause("order", instance.id)
    await emu.settle()

    assert "paused" == str(emu.emulator.engine.get("order", instance.id).status)
    assert [] == notes(emu)


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_pause_that_was_under_way_is_carried_out_after_a_restart(emu, end):
    """
    waitingForPause is paused when the emulator comes back, and can be resumed.
    """
    order = await caught_in_slow(emu)
    await emu.emulator.engine.pause("order", order.id)
    await getattr(emu, end)()
    emu.save("go", "")
    await emu.start()

    assert "paused" == order.status

    await order.ask("resume")

    assert ["slow 1", "slow 2", "next"] == notes(emu)


@pytest.mark.parametrize("end", ["pausing", "paused after it"])
async def test_a_pause_holds_when_the_version_is_stopped(emu, monkeypatch, end):
    """
    A save whose old version does not end in time cuts the attempt off: the instance is paused, not begun again.
    """
    monkeypatch.setattr(worker_module, "DRAIN_SECONDS", 0.05)
    order = await caught_in_slow(emu)
    if end == "pausing":
        await emu.emulator.engine.pause("order", order.id)
    await emu.emulator.reload(emu.emulator.workers[0])
    if end != "pausing":
        await emu.emulator.engine.pause("order", order.id)
    for _ in range(100):
        await asyncio.sleep(0.002)

    assert "paused" == order.status

    emu.save("go", "")
    await order.ask("resume")

    assert ["slow", "next"] == order.output


# Who stops waiting for a step


async def test_who_stops_waiting_for_a_step_does_not_stop_it(emu):
    """
    A time limit of the worker's own around a step: the step goes on and is recorded, and a pause does not hang.
    """
    order = await caught_in_slow(
        emu,
        SLOW.replace(
            "return [await slow(), await next_one()]",
            'try:\n    await asyncio.wait_for(slow(), 0.01)\nexcept TimeoutError:\n    note("too slow")\n'
            'await step.sleep("nap", "1 hour")\nreturn await slow()',
        ),
    )
    await eventually_slowly(lambda: "too slow" in notes(emu))
    emu.save("go", "")
    await emu.settle()

    assert {"slow-1": "done", "nap-1": "started"} == order.steps
    assert "waiting" == order.status

    await emu.advance(hours=1)

    assert "slow" == order.output


async def eventually_slowly(is_true):
    for _ in range(1000):
        if is_true():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


async def test_a_body_cancelled_by_the_workers_own_code_has_failed(emu):
    """
    A CancelledError of the body's own is a failure like another: tried again, then raised as an Exception.
    """
    order = await started(
        emu,
        """
@step.do("odd", config={"retries": {"limit": 1, "delay": 0}})
async def odd():
    note("odd")
    raise asyncio.CancelledError

try:
    await odd()
except Exception as error:
    return str(error)
""",
    )
    await emu.advance(seconds=1)

    assert ["odd", "odd"] == notes(emu)
    assert "CancelledError" in order.output


async def test_run_cancelled_by_the_workers_own_code_has_failed(emu):
    """
    The instance is errored; it does not stay running for ever.
    """
    order = await started(emu, "raise asyncio.CancelledError")

    assert "errored" == order.status
    assert "CancelledError" == order.error["name"]


async def test_a_body_that_does_not_listen_to_its_time_out_is_left_behind(emu):
    """
    The attempt has failed when its time is over, also where the body goes on.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(
        emu,
        """
@step.do("deaf", config={"timeout": "5 seconds", "retries": {"limit": 0, "delay": 0}})
async def deaf():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "never mind"

try:
    await deaf()
except Exception as error:
    return str(error)
""",
    )
    await emu.advance(seconds=6)

    assert "Execution timed out after 5000ms" == order.output


# Places

HELD = """
note(event["instanceId"])

@step.do("s")
async def s():
    while not (FOLDER / event["instanceId"]).exists() and not (FOLDER / "go").exists():
        await asyncio.sleep(0.001)

await s()
"""


async def test_places_are_taken_in_the_order_of_creation(tmp_path):
    """
    With one place, the second and third instance are queued, and run in their order when it is free.
    """
    emu = limited(tmp_path)
    await emu.start(worker(HELD), config=ORDER)
    orders = [await emu.create("order", id=id) for id in "abc"]

    assert ["running", "queued", "queued"] == [order.status for order in orders]

    for id in "abc":
        emu.save(id, "")
        await emu.settle()

    assert ["a", "b", "c"] == notes(emu)
    assert ["complete"] * 3 == [order.status for order in orders]

    await emu.stop()


async def test_one_that_waits_holds_no_place(tmp_path):
    """
    Sleepers give their place up; when their time comes they queue again.
    """
    emu = limited(tmp_path)
    await emu.start(worker('await step.sleep("nap", "1 hour")\nnote(event["instanceId"])'), config=ORDER)
    orders = [await emu.create("order", id=id) for id in "abc"]
    await emu.settle()

    assert ["waiting"] * 3 == [order.status for order in orders]

    await emu.advance(hours=1)
    await emu.settle()

    assert ["complete"] * 3 == [order.status for order in orders]
    assert ["a", "b", "c"] == sorted(notes(emu))

    await emu.stop()


async def test_one_that_backs_off_holds_no_place(tmp_path):
    """
    Between two attempts another instance has its turn, at once.
    """
    emu = Emulated(tmp_path, limits=Limits(most_running=1))
    body = """
@step.do("s", config={"retries": {"limit": 1, "delay": "1 hour"}})
async def s(ctx):
    if event["payload"] == "fail" and ctx["attempt"] == 1:
        raise OSError("not yet")

await s()
"""
    first = await started(emu, body, "fail")
    second = await emu.create("order", "succeed")

    assert ("waiting", "complete") == (first.status, second.status)

    await emu.advance(hours=1)

    assert "complete" == first.status

    await emu.stop()


@pytest.mark.parametrize("action", ["pause", "terminate", "delete"])
async def test_one_that_leaves_the_queue_is_not_run(tmp_path, action):
    """
    The place goes to the next one.
    """
    emu = limited(tmp_path)
    await emu.start(worker(HELD), config=ORDER)
    _, second, third = [await emu.create("order", id=id) for id in "abc"]
    await second.ask(action)
    emu.save("go", "")
    emu.emulator.quiet._seconds = 5
    await emu.settle()

    assert ["a", "c"] == notes(emu)
    assert "complete" == third.status

    await emu.stop()


async def test_a_resumed_instance_queues_where_no_place_is_free(tmp_path):
    """
    Resume leads to queued, and to running when it is its turn.
    """
    emu = limited(tmp_path)
    await emu.start(worker(OBEDIENT), config=ORDER)
    paused = await emu.create("order", {"do": "sleep"})
    await paused.ask("pause")
    busy = await emu.create("order", {"do": "busy"})
    await paused.ask("resume")

    assert "queued" == paused.status

    await busy.ask("terminate")
    await emu.settle()

    assert "waiting" == paused.status

    await emu.stop()


# Retention, and deaths


@pytest.mark.parametrize(
    ("do", "days"), [("return", 1), ("raise", 2), ("terminate", 2)], ids=["complete", "errored", "terminated"]
)
async def test_what_has_ended_is_kept_as_long_as_was_said(emu, do, days):
    """
    successRetention counts from complete, errorRetention from errored and terminated.
    """
    await emu.start(worker(OBEDIENT), config=ORDER)
    kept = Retention(success=timedelta(days=1), error=timedelta(days=2))
    do_ = "sleep" if do == "terminate" else do
    instance = await emu.emulator.engine.create("order", Wanted(params=f'{{"do": "{do_}"}}', retention=kept))
    await emu.settle()
    order = Handle(emu, "order", instance.id)
    if do == "terminate":
        await order.ask("terminate")
    await emu.advance(days=days, minutes=-1)

    assert order.row.status.is_final

    await emu.advance(minutes=1)

    with pytest.raises(WorkflowError, match="not_found"):
        order.row  # noqa: B018


async def test_retention_goes_on_after_a_restart_of_the_emulator(emu):
    """
    What expired while it was down is forgotten, what was not said to expire is kept.
    """
    await emu.start(worker(OBEDIENT), config=ORDER)
    kept = await emu.create("order")
    instance = await emu.emulator.engine.create("order", Wanted(retention=Retention(success=timedelta(hours=1))))
    await emu.settle()
    await emu.stop()
    await emu.clock.advance(timedelta(hours=2))
    await emu.start()

    assert "complete" == kept.status
    with pytest.raises(WorkflowError, match="not_found"):
        emu.emulator.engine.get("order", instance.id)


async def test_a_restart_forgets_that_it_was_to_be_forgotten(emu):
    """
    Retention counts from the end; a restarted instance has not ended.
    """
    await emu.start(worker(OBEDIENT), config=ORDER)
    wanted = Wanted(params='{"do": "sleep"}', retention=Retention(error=timedelta(hours=1)))
    order = Handle(emu, "order", (await emu.emulator.engine.create("order", wanted)).id)
    await emu.settle()
    await order.ask("terminate")
    await order.ask("restart")
    await emu.advance(hours=2)

    assert "waiting" == order.status


async def lose_the_process(emu):
    """What the engine is told when the worker's process has ended, and when there is a new one."""
    worker = emu.emulator.workers[0]
    emu.emulator.engine.lost(worker.current)
    emu.emulator._swapped(worker)


@pytest.mark.parametrize(
    ("progress", "status"), [(False, "paused"), (True, "running")], ids=["in a row", "not in a row"]
)
async def test_deaths_count_only_in_a_row(emu, progress, status):
    """
    A step that succeeds between two deaths of the process clears the instance of them.
    """
    await emu.start(worker(HELD + HELD.replace('"s"', '"t"').replace('event["instanceId"]', '"second"')), config=ORDER)
    order = await caught(emu, lambda handle: handle.steps == {"s-1": "started"})
    for _ in range(4):
        await lose_the_process(emu)
        await eventually(lambda: emu.emulator.engine._passes.of(order.row) is not None)
        await eventually(lambda: emu.emulator.engine._passes.of(order.row).executing)
    if progress:
        emu.save(order.id, "")
        for _ in range(500):
            await asyncio.sleep(0.001)
            if "t-1" in order.steps:
                break
    await lose_the_process(emu)

    assert status == order.status


@pytest.mark.slow
async def test_one_that_kills_its_process_again_and_again_is_held(emu_processes):
    """
    After five deaths in a row it is paused and says why; the others go on; resume tries again.
    """
    emu = emu_processes
    body = """
@step.do("s")
async def s():
    note("dies" if event["payload"].get("die") else "lives")
    if event["payload"].get("die") and not (FOLDER / "mended").exists():
        import os
        os._exit(1)
    return 1
return await s()
"""
    await emu.start(worker(body), config=ORDER)
    bad = Handle(emu, "order", (await emu.emulator.engine.create("order", Wanted(params='{"die": true}'))).id)
    for _ in range(4000):
        if bad.status == "paused":
            break
        await asyncio.sleep(0.005)

    assert "paused" == bad.status
    assert "crash-loop" == bad.row.hold_reason
    assert 5 == len(notes(emu))

    emu.save("mended", "")
    await emu.emulator.workers[0].ready()
    good = await emu.create("order")
    await bad.ask("resume")

    assert "complete" == good.status
    assert "complete" == bad.status


async def test_who_waits_for_the_undoing_is_told_that_the_instance_is_held(emu):
    """
    terminate(rollback=True) of one whose handler ends the process again and again is refused, with what to do.
    """
    emu.options["settle_seconds"] = 0.05
    body = """
async def undo():
    await asyncio.Event().wait()

@step.do("a", rollback=undo)
async def a():
    return 1

await a()
await step.sleep("nap", "1 day")
"""
    order = await started(emu, body)
    asked = asyncio.ensure_future(emu.emulator.engine.terminate("order", order.id, rollback=True))
    passes = emu.emulator.engine._passes
    for _ in range(5):
        await eventually(lambda: passes.of(order.row) is not None and passes.of(order.row).executing)
        await lose_the_process(emu)

    with pytest.raises(WorkflowError, match=r"cannot_terminate.*resume"):
        await asyncio.wait_for(asked, 1)
    assert "paused" == order.status


@pytest.mark.parked
async def test_one_goes_on_when_the_old_version_dies_before_it_has_let_go(emu):
    """
    A save, and then the end of the old process in the middle of a step: the new one, already there, takes it over.
    """
    await emu.start(worker(HELD), config=ORDER)
    order = await caught(emu, lambda handle: handle.steps == {"s-1": "started"})
    old = emu.emulator.workers[0].current
    emu.options["settle_seconds"] = 0.05
    await emu.emulator.reload(emu.emulator.workers[0])
    emu.save("go", "")
    old.channel.close()
    await emu.settle()

    assert old is not emu.emulator.workers[0].current
    assert "complete" == order.status
    assert 2 == len(notes(emu))


@pytest.mark.parametrize("given", ["9000 years", "2000000 years"])
async def test_a_retention_beyond_the_calendar_does_not_keep_an_instance_from_its_end(emu, given):
    """
    It is kept for as long as anybody will look.
    """
    await emu.start(worker("return 1"), config=ORDER)
    kept = parse({"successRetention": given})
    instance = await emu.emulator.engine.create("order", Wanted(retention=kept))
    await emu.settle()

    assert "complete" == Handle(emu, "order", instance.id).status


@pytest.mark.parametrize("where", ["emulator.workflows.passes.event_of", "emulator.workflows.ledger.Ledger.new_step"])
async def test_a_fault_of_the_emulator_is_the_instances_error(emu, monkeypatch, caplog, where):
    """
    Nobody waits for ever for what went wrong on this side; the traceback is in the log.
    """

    def broken(*_, **__):
        raise RuntimeError("a bug")

    await emu.start(worker(HELD), config=ORDER)
    monkeypatch.setattr(where, broken)
    order = await emu.create("order")

    assert "errored" == order.status
    assert {"name": "RuntimeError", "message": "a bug"} == order.error
    assert "a bug" in caplog.text
    assert "fault of the emulator" in caplog.text
