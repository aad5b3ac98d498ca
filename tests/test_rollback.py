"""Rollback handlers: which run, in which order, with what, and what becomes of them when something dies."""

import asyncio
from datetime import timedelta

import pytest
from flows import ORDER, act, caught, eventually, notes, started, worker
from support import Emulated

from emulator.models import StepKind
from emulator.workflows.owners import Limits
from emulator.workflows.rollback import outcome, plan

NOTED = 'note(f"undo {name} {output}")'

# Steps with a handler each; `undo(name)` notes what is undone.
UNDO = """
def undo(name):
    async def handler(output):
        note(f"undo {name} {output}")
    return handler

def stepped(name, fails=False):
    @step.do(name, config={"retries": {"limit": 0, "delay": 0}}, rollback=undo(name))
    async def body():
        note(f"do {name}")
        if fails:
            raise ValueError(f"{name} failed")
        return name.upper()
    return body()
"""

FAILING = (
    UNDO
    + """
await stepped("a")
await stepped("b")
await stepped("c", fails=True)
"""
)

SLEEPING = (
    UNDO
    + """
await stepped("a")
await stepped("b")
await step.sleep("nap", "1 day")
"""
)


async def test_handlers_run_from_the_last_step_started_to_the_first(emu):
    """
    A failed instance undoes its steps in reverse, the one that failed too, and keeps its error.
    """
    order = await started(emu, FAILING)

    assert ["do a", "do b", "do c", "undo c None", "undo b B", "undo a A"] == notes(emu)
    assert "errored" == order.status
    assert {"name": "ValueError", "message": "c failed"} == order.error
    assert {"outcome": "complete", "error": None} == order.shown["rollback"]


@pytest.mark.parked
async def test_the_order_is_that_of_the_starts_also_of_parallel_steps(emu):
    """
    What started last is undone first, whichever ended first; one that was still under way is undone too.
    """
    await started(
        emu,
        UNDO
        + """
@step.do("slow", rollback=undo("slow"))
async def slow():
    await asyncio.Event().wait()

@step.do("quick", rollback=undo("quick"))
async def quick():
    return 1

async def fail():
    await quick()
    raise ValueError("no")

await asyncio.gather(slow(), fail())
""",
    )

    assert ["undo quick 1", "undo slow None"] == notes(emu)


async def test_handlers_run_one_after_the_other(emu):
    """
    A handler begins when the one before it has ended.
    """
    await started(
        emu,
        """
def slowly(name):
    async def handler():
        note(f"begin {name}")
        await asyncio.sleep(0.01)
        note(f"end {name}")
    return handler

for name in "ab":
    @step.do(name, rollback=slowly(name))
    async def body():
        return 1
    await body()
raise ValueError("no")
""",
    )

    assert ["begin b", "end b", "begin a", "end a"] == notes(emu)


async def test_a_step_without_handler_or_that_never_started_is_not_undone(emu):
    """
    Only steps that have started with a handler are undone.
    """
    order = await started(
        emu,
        UNDO
        + """
@step.do("plain")
async def plain():
    return 1

@step.do("never", rollback=undo("never"))
async def never():
    return 1

await plain()
raise ValueError("no")
""",
    )

    assert [] == notes(emu)
    assert "errored" == order.status
    assert "rollback" not in order.shown


async def test_a_caught_failure_is_undone_when_the_instance_fails_later(emu):
    """
    A step that failed, and whose error was caught, has started and so is undone.
    """
    await started(
        emu,
        UNDO
        + """
try:
    await stepped("a", fails=True)
except ValueError:
    pass
await stepped("b")
raise NonRetryableError("enough")
""",
    )

    assert ["do a", "do b", "undo b B", "undo a None"] == notes(emu)


@pytest.mark.parametrize("error", ['NonRetryableError("no")', 'KeyError("no")', "asyncio.CancelledError()"])
async def test_any_error_that_leaves_run_undoes(emu, error):
    """
    Whatever `run` raises, its steps are undone and the instance is errored.
    """
    order = await started(emu, UNDO + f'await stepped("a")\nraise {error}')

    assert ["do a", "undo a A"] == notes(emu)
    assert "errored" == order.status
    assert order.error["name"] in error


@pytest.mark.parametrize("returned", ["object()", "(1, 2)", '"x" * (2**21 - 1)'], ids=["object", "tuple", "too large"])
async def test_a_result_of_run_that_cannot_be_kept_undoes(emu, returned):
    """
    An instance errored for what `run` returned has failed like any other.
    """
    order = await started(emu, UNDO + f'await stepped("a")\nreturn {returned}')

    assert ["do a", "undo a A"] == notes(emu)
    assert "run() returned a value that cannot be kept" in order.error["message"]


async def test_a_step_result_that_cannot_be_kept_undoes(emu):
    """
    A fatal failure of a step's output does not skip the handlers.
    """
    order = await started(
        emu,
        UNDO
        + """
await stepped("a")
@step.do("odd", rollback=undo("odd"))
async def odd():
    return object()
await odd()
""",
    )

    assert ["do a", "undo odd None", "undo a A"] == notes(emu)
    assert "WorkflowFatalError" == order.error["name"]


@pytest.mark.parametrize(
    "ending",
    ["success", "terminate", "restart", "delete"],
)
async def test_what_is_no_failure_undoes_nothing(emu, ending):
    """
    Success, a plain terminate, a restart and a delete run no handler.
    """
    order = await started(emu, SLEEPING)
    if ending == "success":
        await emu.advance(days=1)
    else:
        await order.ask(ending)

    assert not [line for line in notes(emu) if line.startswith("undo")]


async def test_a_handler_gets_what_its_parameters_name(emu):
    """
    ctx is the forward step's own, error what failed the workflow, output the step's result, step_name its label.
    """
    await started(
        emu,
        """
def handler(step_name, output, error, ctx):
    note(f"{step_name} {output} {type(error).__name__}: {error}")
    note(f"{ctx['attempt']} {ctx['step']['name']} {ctx['step']['count']} {ctx['config']['retries']['limit']}")

@step.do("a", config={"retries": {"limit": 3, "delay": 0}}, rollback=handler)
async def a(ctx):
    if ctx["attempt"] < 3:
        raise ValueError("not yet")
    return {"id": 7}

await a()
raise KeyError("lost")
""",
    )
    await emu.advance(seconds=1)

    assert ["a-1 {'id': 7} KeyError: 'lost'", "3 a 1 3"] == notes(emu)


async def test_a_handler_sees_the_context_as_it_was_handed_out(emu):
    """
    What the step's body did to its `ctx` is the body's own, as it is when the code has run again in between.
    """
    order = await started(
        emu,
        """
async def undo(ctx):
    note(f"{sorted(ctx)} {ctx['config']['timeout']}")

@step.do("a", rollback=undo)
async def a(ctx):
    ctx["mine"] = 1
    ctx["config"].clear()

await a()
raise ValueError("no")
""",
    )

    assert "errored" == order.status
    assert ["['attempt', 'config', 'step'] 10 minutes"] == notes(emu)


async def test_a_handler_may_take_nothing_and_be_no_coroutine(emu):
    """
    A plain function without parameters is a handler too.
    """
    await started(
        emu,
        """
@step.do("a", rollback=lambda: note("undone"))
async def a():
    return 1

await a()
raise ValueError("no")
""",
    )

    assert ["undone"] == notes(emu)


@pytest.mark.parked
async def test_a_handler_is_tried_again_by_its_own_config(emu):
    """
    rollback_config decides retries, back-off and time-out of the handler; the forward step's config does not.
    """
    order = await started(
        emu,
        """
tries = []

async def handler(ctx):
    tries.append(1)
    note(f"try {len(tries)}")
    if len(tries) < 3:
        raise OSError("not yet")

@step.do("a", config={"retries": {"limit": 0, "delay": 0}}, rollback=handler, rollback_config={
    "retries": {"limit": 2, "delay": "10 seconds", "backoff": "constant"}, "timeout": "1 minute"})
async def a():
    raise ValueError("no")

await a()
""",
    )

    assert "waiting" == order.status
    assert "rollback" not in order.shown

    await emu.advance(seconds=10)

    assert ["try 1", "try 2"] == notes(emu)

    await emu.advance(seconds=10)

    assert ["try 1", "try 2", "try 3"] == notes(emu)
    assert "errored" == order.status


async def test_without_a_config_a_handler_has_the_usual_retries(emu):
    """
    Five retries from one second on, doubling.
    """
    order = await started(
        emu,
        """
def handler():
    note("try")
    raise OSError("never")

@step.do("a", rollback=handler)
async def a():
    return 1

await a()
raise ValueError("no")
""",
    )
    await emu.advance(seconds=30)

    assert 5 == len(notes(emu))
    assert "waiting" == order.status

    await emu.advance(seconds=1)

    assert 6 == len(notes(emu))
    assert "errored" == order.status


async def test_a_handler_that_takes_too_long_is_cancelled_and_tried_again(emu):
    """
    The time-out of rollback_config is the handler's.
    """
    emu.options["settle_seconds"] = 0.1
    order = await started(
        emu,
        """
tries = []

async def handler():
    tries.append(1)
    if len(tries) == 1:
        await asyncio.Event().wait()
    note("undone")

@step.do("a", rollback=handler, rollback_config={"timeout": "5 seconds", "retries": {"limit": 1, "delay": 0}})
async def a():
    return 1

await a()
raise ValueError("no")
""",
    )
    await emu.advance(seconds=6)

    assert ["undone"] == notes(emu)
    assert "errored" == order.status


async def test_the_first_handler_that_fails_ends_the_chain(emu):
    """
    Those after it are not run; the instance's error stays the first one, and the status says how the rollback went.
    """
    order = await started(
        emu,
        UNDO
        + """
def broken():
    raise NonRetryableError("cannot undo")

await stepped("a")

@step.do("b", rollback=broken)
async def b():
    return 1

await b()
await stepped("c")
raise ValueError("no")
""",
    )

    assert ["do a", "do c", "undo c C"] == notes(emu)
    assert {"name": "ValueError", "message": "no"} == order.error
    failed = {"name": "NonRetryableError", "message": "cannot undo"}
    assert {"outcome": "failed", "error": failed} == order.shown["rollback"]


CHAIN = """
def broken():
    raise ValueError("cannot be undone")

@step.do("b", rollback=broken, rollback_config={"retries": {"limit": 0, "delay": 0}})
async def b():
    return 1

await stepped("a")
await b()
raise ValueError("no")
"""


async def test_a_chain_that_a_failure_has_ended_is_not_taken_up_again(emu):
    """
    Nothing is left to undo once a handler has failed for good, also for a pass that begins then.
    """
    order = await started(emu, UNDO + CHAIN)
    await emu.advance(minutes=1)
    steps = emu.emulator.engine.steps(order.row)
    handlers = [step for step in steps if step.kind is StepKind.ROLLBACK]

    assert ["failed"] == [str(step.state) for step in handlers]
    assert [] == plan(steps)
    assert ["b", "a"] == [step.name for step in plan(step for step in steps if step not in handlers)]


@pytest.mark.parametrize(
    "handler", ["await other()", 'await step.wait_for_event("w", "e")', 'await step.sleep("s", 1)']
)
async def test_a_handler_takes_no_steps(emu, handler):
    """
    Steps, waits and sleeps are refused while steps are undone.
    """
    order = await started(
        emu,
        f"""
@step.do("other")
async def other():
    return 1

async def handler():
    {handler}

@step.do("a", rollback=handler)
async def a():
    return 1

await a()
raise ValueError("no")
""",
    )

    assert "Cannot execute steps during rollback phase" == order.shown["rollback"]["error"]["message"]


async def test_the_status_stays_running_while_steps_are_undone(emu):
    """
    An instance is errored when all is undone, not before.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(
        emu,
        """
async def handler():
    note("undoing")
    await asyncio.sleep(0.2)

@step.do("a", rollback=handler)
async def a():
    return 1

await a()
raise ValueError("no")
""",
    )

    assert ["undoing"] == notes(emu)
    assert "running" == order.status
    assert order.error is None

    with pytest.raises(Exception, match=r"instance\.cannot_pause"):
        await order.ask("pause")

    emu.emulator.quiet._seconds = 5
    await emu.settle()

    assert "errored" == order.status


# terminate(rollback=True)


@pytest.mark.parametrize("state", ["sleeping", "paused", "after a restart", "hibernated", "paused, after a restart"])
async def test_terminate_with_rollback_undoes_also_what_is_in_no_memory(emu, state):
    """
    Handlers that are in no memory are brought back by running the code once more; its steps are not run again.
    """
    order = await started(emu, SLEEPING)
    if "paused" in state:
        await order.ask("pause")
    if state == "hibernated":
        await emu.advance(hours=2)
    if "restart" in state:
        await emu.restart()
    await order.ask("terminate", rollback=True)

    assert ["do a", "do b", "undo b B", "undo a A"] == notes(emu)
    assert "terminated" == order.status
    assert order.error is None
    assert {"outcome": "complete", "error": None} == order.shown["rollback"]


async def test_the_error_of_a_termination_is_called_terminated(emu):
    """
    A handler run by terminate is told so.
    """
    order = await started(
        emu,
        """
@step.do("a", rollback=lambda error: note(f"{getattr(error, 'name', type(error).__name__)}: {error}"))
async def a():
    return 1

await a()
await step.sleep("nap", "1 day")
""",
    )
    await order.ask("terminate", rollback=True)

    assert ["Terminated: Terminated: Instance terminated during rollback"] == notes(emu)


async def test_a_queued_instance_is_terminated_with_rollback(tmp_path):
    """
    One that has done nothing yet has nothing to undo, and gives its place in the queue up.
    """
    emu = Emulated(tmp_path, limits=Limits(most_running=1, hot_window=timedelta()), settle_seconds=0.05)
    try:
        await emu.start(worker("await asyncio.sleep(30)"), config=ORDER)
        await emu.create("order")
        queued = await emu.create("order")

        assert "queued" == queued.status

        await queued.ask("terminate", rollback=True)

        assert "terminated" == queued.status
    finally:
        await emu.stop()


async def test_code_cut_off_in_a_step_is_undone_too(emu):
    """
    terminate(rollback=True) ends a body in the middle, and undoes its step.
    """
    await emu.start(
        worker(
            UNDO
            + """
@step.do("slow", rollback=undo("slow"))
async def slow():
    note("begun")
    await asyncio.Event().wait()
await slow()
"""
        ),
        config=ORDER,
    )
    order = await caught(emu, lambda _: notes(emu) == ["begun"])
    await order.ask("terminate", rollback=True)

    assert ["begun", "undo slow None"] == notes(emu)
    assert "terminated" == order.status


async def test_an_instance_may_terminate_itself_with_rollback(emu):
    """
    Called from inside run(), terminate undoes and ends; nothing after it runs.
    """
    order = await started(
        emu,
        UNDO
        + """
await stepped("a")
me = await self.env.ORDER.get(event["instanceId"])
await me.terminate({"rollback": True})
note("after")
""",
    )

    assert ["do a", "undo a A"] == notes(emu)
    assert "terminated" == order.status


async def test_a_handler_that_the_code_no_longer_has_fails_the_rollback(emu):
    """
    After a code change that dropped a step its handler is missing: the chain ends there, the instance is terminated.
    """
    order = await started(emu, SLEEPING)
    await emu.reload(worker(SLEEPING.replace('await stepped("b")\n', "")))
    await order.ask("terminate", rollback=True)

    assert ["do a", "do b"] == notes(emu)
    assert "terminated" == order.status
    missing = {"name": "RollbackMissing", "message": "Rollback function not available in registry"}
    assert {"outcome": "failed", "error": missing} == order.shown["rollback"]


@pytest.mark.parked
async def test_a_class_that_cannot_be_made_any_more_has_no_handlers(emu):
    """
    Code that fails before its first step brings no handler back; the instance is terminated all the same.
    """
    order = await started(emu, SLEEPING)
    await emu.reload(worker(SLEEPING) + "\n    def __init__(self, *a):\n        raise OSError\n")
    broken = worker(SLEEPING).replace(
        "    async def run(self, event, step):",
        "    def __init__(self, ctx, env):\n        raise OSError('no')\n\n    async def run(self, event, step):",
    )
    await emu.reload(broken)

    assert "errored" == order.status
    assert "RollbackMissing" == order.shown["rollback"]["error"]["name"]


@pytest.mark.parked
async def test_forward_steps_answer_from_their_records_or_not_at_all(emu):
    """
    While the code runs to bring handlers back: results and errors as recorded, nothing for what is not finished.
    """
    order = await started(
        emu,
        UNDO
        + """
note(f"a gives {await stepped('a')}")
try:
    await stepped("b", fails=True)
except ValueError as error:
    note(f"b raises {error}")
await step.sleep("short", 0)
got = await step.wait_for_event("w", "go")
note(f"w gives {got}")
note(f"c gives {await stepped('c')}")
""",
    )
    await order.ask("terminate", rollback=True)
    again = notes(emu)[notes(emu).index("b raises b failed") + 1 :]

    assert ["a gives A", "b raises b failed", "w gives None", "c gives None", "undo b None", "undo a A"] == again


@pytest.mark.parametrize("loop", ['await step.sleep("tick", "1 minute")', "await poll()"])
async def test_code_that_loops_for_ever_can_be_undone(emu, loop):
    """
    A workflow that polls in an endless loop is ended where its record ends, whatever it catches.
    """
    order = await started(
        emu,
        UNDO
        + f"""
await stepped("a")

@step.do("poll")
async def poll():
    return None

while True:
    try:
        await step.sleep("wait", "1 minute")
        {loop}
    except Exception:
        pass
""",
    )
    await emu.advance(minutes=3)
    await order.ask("terminate", rollback=True)

    assert ["do a", "undo a A"] == notes(emu)
    assert "terminated" == order.status


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
async def test_a_restart_in_the_middle_of_undoing_goes_on_with_the_rest(emu, crash):
    """
    Handlers that are done are not run again; the one that was under way is; the steps stay where they are.
    """
    slow = FAILING.replace(
        NOTED, f'{NOTED}\n        if name == "b" and not (FOLDER / "go").exists(): await asyncio.sleep(60)'
    )
    await emu.start(worker(slow), config=ORDER)
    order = await caught(emu, lambda _: "undo b B" in notes(emu))

    assert "running" == order.status

    await (emu.crash() if crash else emu.stop())
    emu.save("go", "")
    await emu.start()

    assert ["do a", "do b", "do c", "undo c None", "undo b B", "undo b B", "undo a A"] == notes(emu)
    assert "errored" == order.status
    assert {"name": "ValueError", "message": "c failed"} == order.error
    assert {"outcome": "complete", "error": None} == order.shown["rollback"]


async def test_a_killed_termination_is_carried_out_after_a_restart(emu):
    """
    Whoever asked for terminate(rollback=True) need not ask again.
    """
    slow = SLEEPING.replace(NOTED, f'{NOTED}\n        if not (FOLDER / "go").exists(): await asyncio.sleep(60)')
    order = await started(emu, slow)
    asked = emu.emulator.engine.terminate("order", order.id, rollback=True)
    task = asyncio.ensure_future(asked)
    await eventually(lambda: "undo b B" in notes(emu))
    await emu.crash()
    await asyncio.gather(task, return_exceptions=True)
    emu.save("go", "")
    await emu.start()

    assert ["do a", "do b", "undo b B", "undo b B", "undo a A"] == notes(emu)
    assert "terminated" == order.status


@pytest.mark.parametrize("action", ["restart", "delete", "terminate"])
async def test_who_waits_for_the_undoing_is_told_when_it_is_cut_short(emu, action):
    """
    terminate(rollback=True) returns when the instance is restarted, deleted or terminated over it.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(emu, SLEEPING.replace(NOTED, "note('undoing')\n        await asyncio.sleep(60)"))
    asked = asyncio.ensure_future(emu.emulator.engine.terminate("order", order.id, rollback=True))
    await eventually(lambda: "undoing" in notes(emu))
    await order.ask(action)
    await asyncio.wait_for(asked, 1)

    assert asked.done()


async def test_a_rollback_that_was_cut_short_is_not_called_complete(emu):
    """
    A plain terminate in the middle of undoing leaves the status without an outcome.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(emu, FAILING.replace(NOTED, 'if name == "b": await asyncio.sleep(60)'))
    await order.ask("terminate")

    assert "terminated" == order.status
    assert "rollback" not in order.shown


async def test_a_restart_forgets_what_was_undone(emu):
    """
    A restarted instance is as new: its steps run, and are undone anew when it fails again.
    """
    order = await started(emu, FAILING)
    first = notes(emu)
    await order.ask("restart")

    assert [*first, *first] == notes(emu)


async def test_a_restart_from_a_step_undoes_the_kept_ones_too(emu):
    """
    The steps before it are kept with their results, and their handlers run again when it fails again.
    """
    order = await started(emu, FAILING)
    await order.restart_from("c")

    assert ["do c", "undo c None", "undo b B", "undo a A"] == notes(emu)[6:]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("rollback=5", 'Rollback for "a" must be a function'),
        ("rollback_config={}", 'Rollback for "a" must be a function'),
        ("rollback=lambda nobody: 1", "unexpected parameter nobody; it may take ctx, error, output, step_name"),
        (
            "rollback=print_, rollback_config={'retries': {'limit': 1}}",
            'Rollback config for "a" is in a invalid format',
        ),
        ("rollback=print_, rollback_config={'timeout': '-1 second'}", 'Rollback config for "a" is in a invalid format'),
        ("rollback=print_, rollback_config={'nope': 1}", 'Rollback config for "a" is in a invalid format'),
    ],
)
async def test_a_handler_that_makes_no_sense_is_refused(emu, given, complaint):
    """
    What cannot undo a step is an error when the step is taken, before its body runs.
    """
    order = await started(
        emu,
        f"""
print_ = lambda: None

@step.do("a", {given})
async def a():
    note("ran")

await a()
""",
    )

    assert "errored" == order.status
    assert complaint in order.error["message"]
    assert [] == notes(emu)


async def test_worker_code_terminates_with_rollback_in_either_spelling(emu):
    """
    terminate({"rollback": True}) and terminate(rollback=True) are the same.
    """
    await started(emu, SLEEPING, id="one")
    await emu.create("order", id="two")
    await act(emu, 'await (await env.ORDER.get("one")).terminate({"rollback": True})')
    await act(emu, 'await (await env.ORDER.get("two")).terminate(rollback=True)')

    assert 4 == len([line for line in notes(emu) if line.startswith("undo")])


def test_no_steps_undone_is_no_outcome():
    """
    A status says nothing of a rollback that never was.
    """

    assert outcome([]) is None
