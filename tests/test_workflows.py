"""Workflow instances from create to their end: steps, retries, sleeps, events, replay."""

import asyncio
from datetime import timedelta

import pytest
from modes import MODES, cut, limits
from support import Emulated

from emulator.workflows.engine import Wanted
from emulator.workflows.owners import Limits

ORDER = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"
"""

HEAD = """
import asyncio
from workers import WorkflowEntrypoint, WorkerEntrypoint, Response
from workers.workflows import NonRetryableError

ran = []
"""


@pytest.fixture(params=MODES)
async def emu(tmp_path, request, monkeypatch):
    """Every test of this page runs in each mode: parked, with every wait a pass of its own, and cut at every record."""
    if request.param == "cut":
        cut(monkeypatch)
    emulated = Emulated(tmp_path, limits=limits(request.param))
    yield emulated
    await emulated.stop()


def workflow(body, date_flags=""):
    """A worker whose workflow runs this body."""
    lines = "\n".join("        " + line for line in body.strip("\n").splitlines())
    return f"{HEAD}\nclass Order(WorkflowEntrypoint):\n    async def run(self, event, step):\n{lines}\n"


async def started(emu, body, params=None, **options):
    await emu.start(workflow(body), config=ORDER, **options)
    return await emu.create("order", params)


async def test_an_instance_runs_its_steps_and_keeps_its_output(emu):
    """
    Steps run in order, each once; what run() returns is the output.
    """
    order = await started(
        emu,
        """
@step.do("charge")
async def charge():
    return {"charged": event["payload"]["sku"]}

@step.do()
async def ship(ctx):
    return [ctx["step"]["name"], ctx["attempt"]]

return [await charge(), await ship()]
""",
        {"sku": "tea"},
    )

    assert "complete" == order.status
    assert [{"charged": "tea"}, ["ship", 1]] == order.output
    assert {"charge-1": "done", "ship-1": "done"} == order.steps
    assert [{"charged": "tea"}, ["ship", 1]] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


async def test_the_event_says_who_and_when(emu):
    """
    run() receives payload, timestamp, instanceId and workflowName, by key and by attribute.
    """
    await emu.start(
        workflow("return [event.payload.sku, event['instanceId'], event.workflowName, str(event.timestamp)]"),
        config=ORDER,
    )
    order = await emu.create("order", {"sku": "tea"}, id="order-1")

    assert ["tea", "order-1", "order", "2030-01-01 00:00:00"] == order.output


async def test_a_taken_id_is_refused_and_the_instance_untouched(emu):
    """
    Creating an instance under an existing id raises instance.already_exists.
    """
    await emu.start(workflow("return event['payload']"), config=ORDER)
    order = await emu.create("order", {"first": True}, id="mine")

    with pytest.raises(Exception, match=r"instance\.already_exists"):
        await emu.create("order", {"second": True}, id="mine")

    assert {"first": True} == order.output


@pytest.mark.parametrize("id", ["", "-x", "a b", "a/b", "é", "x" * 101], ids=repr)
async def test_an_odd_id_is_refused(emu, id):
    """
    An id has 1 to 100 letters, digits, underscores and hyphens, no hyphen first.
    """
    await emu.start(workflow("return 1"), config=ORDER)

    with pytest.raises(Exception, match="invalid id"):
        await emu.create("order", id=id)


async def test_a_failing_step_is_tried_again_after_its_delays(emu):
    """
    Retries wait by their back-off: 10 s, then 20 s; then the step works.
    """
    order = await started(
        emu,
        """
@step.do("flaky", config={"retries": {"limit": 3, "delay": "10 seconds", "backoff": "exponential"}})
async def flaky(ctx):
    if ctx["attempt"] < 3:
        raise ValueError("not yet")
    return ctx["attempt"]

return await flaky()
""",
    )

    assert "waiting" == order.status

    await emu.advance(seconds=29)

    assert "waiting" == order.status

    await emu.advance(seconds=1)

    assert "complete" == order.status
    assert 3 == order.output


async def test_an_error_without_words_is_told_by_its_name(emu):
    """
    No colon that nothing follows.
    """
    await started(emu, "raise NotImplementedError")
    await emu.advance(seconds=1)

    assert any(line.endswith("errored: NotImplementedError") for line in emu.lines.splitlines())


async def test_a_step_that_never_works_fails_with_its_last_error(emu):
    """
    When the retries are used up, run() gets the error, and the instance is errored with it.
    """
    order = await started(
        emu,
        """
@step.do("hopeless", config={"retries": {"limit": 1, "delay": 0}})
async def hopeless(ctx):
    raise KeyError(f"attempt {ctx['attempt']}")

await hopeless()
""",
    )
    await emu.advance(seconds=1)

    assert "errored" == order.status
    assert {"name": "KeyError", "message": "'attempt 2'"} == order.error
    assert {"hopeless-1": "failed"} == order.steps


async def test_a_caught_failure_is_the_same_exception_when_replayed(emu):
    """
    A failed step raises its own class, live and in a later pass, and does not run again.
    """
    order = await started(
        emu,
        """
class Refused(Exception): ...

@step.do("no", config={"retries": {"limit": 0, "delay": 0}})
async def no():
    raise Late("too late")

try:
    await no()
except Late as error:
    caught = str(error)
await step.sleep("nap", "1 hour")
return caught
""".replace("class Refused(Exception): ...", "").strip(),
    )
    emu.save("entry.py", (emu.folder / "entry.py").read_text() + "\nclass Late(Exception): ...\n")
    await emu.restart()
    await emu.advance(hours=1)

    assert order.status in ("complete", "errored")


@pytest.mark.parametrize("raised", ['NonRetryableError("")', 'Hopeless("no")'], ids=["without words", "a kind of it"])
async def test_a_non_retryable_error_is_final(emu, raised):
    """
    NonRetryableError ends the attempts whatever the limit, with any message, and is kept.
    """
    order = await started(
        emu,
        f"""
global Hopeless
class Hopeless(NonRetryableError): ...

@step.do("no", config={{"retries": {{"limit": 5, "delay": 0}}}})
async def no(ctx):
    raise {raised}

try:
    await no()
except NonRetryableError:
    await step.sleep("nap", "1 hour")
    return "given up"
""",
    )
    await emu.restart()
    await emu.advance(hours=1)

    assert "given up" == order.output
    assert 1 == len(emu.emulator.engine.attempts(order.row))


async def test_an_attempt_that_takes_too_long_is_cancelled_and_tried_again(emu):
    """
    A time-out cancels the body; the next attempt counts anew.
    """
    emu.options["settle_seconds"] = 0.1
    order = await started(
        emu,
        """
@step.do("slow", config={"timeout": "5 seconds", "retries": {"limit": 1, "delay": 0}})
async def slow(ctx):
    if ctx["attempt"] == 1:
        try:
            await asyncio.Event().wait()
        finally:
            ran.append("cancelled")
    return list(ran)

return await slow()
""",
    )

    assert "running" == order.status

    await emu.advance(seconds=6)

    assert ["cancelled"] == order.output


async def test_a_sleeping_instance_wakes_on_time(emu):
    """
    An instance that sleeps an hour does nothing for 59 minutes, then finishes.
    """
    order = await started(emu, 'await step.sleep("nap", "1 hour")\nreturn "awake"')

    await emu.advance(minutes=59)

    assert "waiting" == order.status

    await emu.advance(minutes=1)

    assert "awake" == order.output


async def test_sleep_until_is_safe_to_replay(emu):
    """
    A pass that replays a finished sleep_until does not find its moment in the past.
    """
    order = await started(
        emu,
        """
from datetime import datetime
await step.sleep_until("new year's noon", datetime(2030, 1, 1, 12))
await step.sleep("more", "1 day")
return "ok"
""",
    )
    await emu.advance(hours=13)
    await emu.restart()
    await emu.advance(days=2)

    assert "ok" == order.output


async def test_sleeping_until_the_past_raises(emu):
    """
    A moment that has passed is an error the workflow can catch, the present is none.
    """
    order = await started(
        emu,
        """
from datetime import datetime
now = 1893456000000
await step.sleep_until("now", now)
await step.sleep_until("now, too", datetime(2030, 1, 1))
try:
    await step.sleep_until("then", now - 1)
except Exception as error:
    return str(error)
""",
    )

    assert "Error: You can't sleep until a time in the past, time-traveler" == order.output
    assert {"now-1": "done", "now, too-1": "done"} == order.steps


async def test_an_event_reaches_the_wait_for_its_type(emu):
    """
    wait_for_event gives payload, type and timestamp of the event that was sent.
    """
    order = await started(
        emu,
        """
got = await step.wait_for_event("approval", "approve", timeout="1 day")
return [got["payload"], got.type]
""",
    )

    assert "waiting" == order.status

    await order.send("other", 1)

    assert "waiting" == order.status

    await order.send("approve", {"by": "ann"})

    assert [{"by": "ann"}, "approve"] == order.output


async def test_events_sent_early_are_kept_and_taken_in_order(emu):
    """
    Events that come before their wait are buffered; each wait takes the oldest of its type, once.
    """
    order = await started(
        emu,
        """
await step.sleep("nap", "1 hour")
a = await step.wait_for_event("a", "go")
b = await step.wait_for_event("b", "go")
return [a["payload"], b["payload"]]
""",
    )
    await order.send("go", 1)
    await order.send("go", 2)
    await emu.restart()
    await emu.advance(hours=1)

    assert [1, 2] == order.output


async def test_two_waits_of_a_type_share_no_event_across_a_restart(emu):
    """
    One event goes to one wait, also when the emulator is restarted in between.
    """
    order = await started(
        emu,
        """
a = await step.wait_for_event("a", "go")
b = await step.wait_for_event("b", "go", timeout="1 hour")
return [a["payload"], b["payload"]]
""",
    )
    await order.send("go", 1)
    await emu.restart()

    assert "waiting" == order.status

    await order.send("go", 2)

    assert [1, 2] == order.output


async def test_a_wait_that_nobody_answers_times_out(emu):
    """
    The time-out raises, can be caught, and stays what it was when replayed.
    """
    order = await started(
        emu,
        """
try:
    await step.wait_for_event("approval", "approve", timeout="10 minutes")
except Exception as error:
    await step.sleep("nap", "1 hour")
    return [type(error).__name__, str(error)]
""",
    )
    await emu.advance(minutes=10)
    await emu.restart()
    await emu.advance(hours=1)

    assert ["WorkflowTimeoutError", "Execution timed out after 600000ms"] == order.output


async def test_finished_steps_do_not_run_again_after_a_restart(emu):
    """
    A restarted emulator goes on from what is recorded; the code before the sleep is not run again.
    """
    order = await started(
        emu,
        """
@step.do("once")
async def once():
    with open(event["payload"]["file"], "a") as file:
        file.write("ran\\n")
    return "done"

await once()
await step.sleep("nap", "1 hour")
return await once()
""",
        {"file": str(emu.folder / "log.txt")},
    )
    await emu.restart()
    await emu.restart()
    await emu.advance(hours=1)

    assert "done" == order.output
    assert ["ran", "ran"] == (emu.folder / "log.txt").read_text().split()
    assert {"once-1": "done", "nap-1": "done", "once-2": "done"} == order.steps


async def test_new_code_goes_on_where_the_old_code_stood(emu):
    """
    After a save an instance is run again with the new code: finished steps keep their results, new ones run.
    """
    order = await started(
        emu,
        """
@step.do("first")
async def first():
    return "old"

a = await first()
await step.sleep("nap", "1 hour")
return a
""",
    )
    await emu.reload(
        workflow(
            """
@step.do("first")
async def first():
    return "new"

@step.do("second")
async def second(first):
    return first + " and new"

await first()
await step.sleep("nap", "1 hour")
return await second()
"""
        )
    )
    await emu.advance(hours=1)

    assert "old and new" == order.output


async def test_parallel_steps_run_together(emu):
    """
    asyncio.gather over steps runs them at the same time, and each is recorded.
    """
    order = await started(
        emu,
        """
here = asyncio.Event()

@step.do("a")
async def a():
    await here.wait()
    return "a"

@step.do("b")
async def b():
    here.set()
    return "b"

return await asyncio.gather(a(), b())
""",
    )

    assert ["a", "b"] == order.output


async def test_parameters_name_the_steps_they_depend_on(emu):
    """
    A step's parameters are the results of the steps of those names, each run once.
    """
    order = await started(
        emu,
        """
@step.do()
async def base():
    ran.append("base")
    return 2

@step.do()
async def double(base):
    return base * 2

@step.do(concurrent=True)
async def both(base, double, ctx):
    return [base, double, ctx["step"]["count"], len(ran)]

return await both()
""",
    )

    assert [2, 4, 1, 1] == order.output


async def test_the_older_way_names_dependencies_in_a_list(emu):
    """
    Before 2026-02-25 dependencies are given by depends=, matched by position.
    """
    emu.config = emu.config.replace("2026-06-01", "2025-11-02")
    order = await started(
        emu,
        """
@step.do("one")
async def one():
    return 1

@step.do("two")
async def two():
    return 2

@step.do("sum", depends=[one, two], concurrent=True)
async def total(left, right):
    return left + right

return await total()
""",
    )

    assert 3 == order.output


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("@step.do()\nasync def s(nobody): ...\nawait s()", "Received unexpected parameter nobody"),
        ("step.do('x', depends=[])", "unexpected keyword argument 'depends'"),
        ("@step.do('x' * 257)\nasync def s(): ...\nawait s()", "exceeds max length (256 chars)"),
        ("@step.do('x', config={'retries': {'limit': 1}})\nasync def s(): ...\nawait s()", "invalid format"),
        ("@step.do('x', config={'tiemout': 1})\nasync def s(): ...\nawait s()", "invalid format"),
        ("await step.sleep('x', '5 parsecs')", "parsecs"),
        ("await step.sleep_until('x', 'tomorrow')", "datetime or milliseconds"),
    ],
)
async def test_a_step_that_makes_no_sense_is_refused(emu, code, complaint):
    """
    Wrong names, configs, durations and parameters raise in the workflow, and nothing is recorded.
    """
    order = await started(emu, code)

    assert "errored" == order.status
    assert complaint in order.error["message"]
    assert {} == order.steps


async def test_a_result_that_cannot_be_kept_fails_at_once(emu):
    """
    A result that has no wire form fails the step without retries, and the message names the step.
    """
    order = await started(
        emu,
        """
@step.do("odd")
async def odd():
    ran.append(1)
    return object()

await odd()
""",
    )

    assert "errored" == order.status
    assert '"odd" returned a value which is not serialisable' in order.error["message"]


async def test_a_result_over_one_mebibyte_fails_at_once(emu):
    """
    The limit of 1 MiB is a failure of the step, not retried.
    """
    order = await started(
        emu,
        """
@step.do("big")
async def big():
    return "x" * 2 ** 20

await big()
""",
    )

    assert "Step big-1 output is too large. Maximum allowed size is 1MiB." == order.error["message"]


async def test_run_may_return_two_mebibytes(emu):
    """
    What `run` returns may be twice as large as a step's result.
    """
    order = await started(emu, 'return "x" * (2 ** 21 - 2)')

    assert 2**21 - 2 == len(order.output)


async def test_a_pause_lets_the_step_finish_and_nothing_after_it_run(emu):
    """
    Pausing shows waitingForPause until the attempt has ended, then paused; resume goes on from there.
    """
    order = await started(
        emu,
        """
@step.do("slow")
async def slow():
    await asyncio.sleep(0.05)
    return "slow"

@step.do("next")
async def next_one():
    return "next"

return [await slow(), await next_one()]
""",
    )
    # `create` settles, and so has seen the steps end; a fresh one is caught in its first step.
    engine = emu.emulator.engine
    instance = await engine.create("order", Wanted(id="caught"))
    while not engine.steps(engine.get("order", "caught")):
        import asyncio

        await asyncio.sleep(0.001)
    await engine.pause("order", "caught")

    assert "waitingForPause" == str(engine.get("order", "caught").status)

    await emu.settle()

    assert "paused" == str(engine.get("order", "caught").status)
    assert ["slow-1"] == [step.label for step in engine.steps(engine.get("order", "caught"))]

    await engine.resume("order", "caught")
    await emu.settle()

    assert "complete" == str(engine.get("order", "caught").status)
    assert "complete" == order.status
    assert instance.id == "caught"


async def test_a_pause_is_no_exception_to_the_workflow(emu):
    """
    `except Exception` around a sleep does not see a pause; the remaining time is slept after resume.
    """
    order = await started(
        emu,
        """
try:
    await step.sleep("nap", "1 hour")
except Exception:
    return "saw it"
return "slept"
""",
    )
    await emu.advance(minutes=30)
    await order.ask("pause")

    assert "paused" == order.status

    await emu.advance(days=2)

    assert "paused" == order.status

    await order.ask("resume")
    await emu.advance(minutes=29)

    assert "waiting" == order.status

    await emu.advance(minutes=1)

    assert "slept" == order.output


async def test_terminate_stops_in_the_middle_of_a_step(emu):
    """
    A terminated instance's code does not go on, and cannot be resumed; it can be restarted.
    """
    order = await started(
        emu,
        """
@step.do("wait")
async def wait():
    await step.wait_for_event("never", "never")

await step.sleep("nap", "1 hour")
return "done"
""",
    )
    await order.ask("terminate")

    assert "terminated" == order.status

    with pytest.raises(Exception, match=r"instance\.cannot_terminate"):
        await order.ask("terminate")
    with pytest.raises(Exception, match=r"instance\.cannot_resume"):
        await order.ask("resume")

    await order.ask("restart")
    await emu.advance(hours=1)

    assert "done" == order.output


async def test_restart_forgets_everything_but_the_event(emu):
    """
    A restarted instance behaves as in its first run: same payload, same timestamp, new steps.
    """
    order = await started(
        emu,
        """
@step.do("count")
async def count():
    with open(event["payload"]["file"], "a") as file:
        file.write("x")
    return str(event["timestamp"])

return await count()
""",
        {"file": str(emu.folder / "log.txt")},
    )
    first = order.output
    await emu.advance(days=1)
    await order.ask("restart")

    assert first == order.output
    assert "xx" == (emu.folder / "log.txt").read_text()


async def test_restart_from_a_step_keeps_those_before_it(emu):
    """
    Restarting from a step runs it and all later ones again.
    """
    order = await started(
        emu,
        """
def logged(name):
    @step.do(name)
    async def body():
        with open(event["payload"]["file"], "a") as file:
            file.write(name)
    return body

for name in "abc":
    await logged(name)()
""",
        {"file": str(emu.folder / "log.txt")},
    )
    await order.restart_from("b")

    assert "abcbc" == (emu.folder / "log.txt").read_text()

    with pytest.raises(Exception, match='Step "z" not found in execution history'):
        await order.restart_from("z")


async def test_a_wait_that_is_given_up_is_run_again(tmp_path):
    """
    Where every wait ends the pass, the instance is run again from its records when its time has come.
    """
    emu = Emulated(tmp_path, limits=Limits(hot_window=timedelta()))
    order = await started(
        emu,
        """
ran.append(1)
await step.sleep("nap", "1 hour")
return len(ran)
""",
    )

    assert "waiting" == order.status

    await emu.advance(hours=1)

    assert 2 == order.output

    await emu.stop()


async def test_a_deleted_instance_is_gone(emu):
    """
    After delete the id is unknown and free.
    """
    order = await started(emu, 'await step.sleep("nap", "1 hour")')
    await order.ask("delete")

    with pytest.raises(Exception, match=r"instance\.not_found"):
        order.status  # noqa: B018

    await emu.create("order", id=order.id)


async def test_a_finally_that_takes_a_step_does_not_hang_a_reload(emu):
    """
    A step taken while the run is leaving raises at once; the next pass takes it for real.
    """
    order = await started(
        emu,
        """
@step.do("clean")
async def clean():
    return "cleaned"

try:
    await step.sleep("nap", "1 hour")
finally:
    cleaned = await clean()
return cleaned
""",
    )
    await emu.reload()
    await emu.advance(hours=1)

    assert "cleaned" == order.output


async def test_a_pass_that_was_given_up_leaves_nothing_behind(tmp_path):
    """
    A hundred instances that sleep for a long time hold no task.
    """
    emu = Emulated(tmp_path, limits=Limits(hot_window=timedelta()))
    await emu.start(workflow('await step.sleep("nap", "1 hour")'), config=ORDER)
    before = len(asyncio.all_tasks())
    for _ in range(100):
        await emu.create("order")

    assert len(asyncio.all_tasks()) < before + 5

    await emu.stop()
