"""What `step` refuses, how many steps there may be, and the delay function of a worker's own."""

import pytest
from flows import ORDER, caught, notes, started, worker

from emulator.runtime import stepconfig
from emulator.workflows.engine import Wanted


@pytest.mark.parametrize(
    "call",
    [
        'await step.sleep({name}, "1 hour")',
        "await step.sleep_until({name}, datetime(2040, 1, 1))",
        'await step.wait_for_event({name}, "go")',
        "await taken({name})",
    ],
    ids=["sleep", "sleep_until", "wait_for_event", "do"],
)
@pytest.mark.parametrize(
    ("name", "is_fine"),
    [("'x' * 256", True), ("'x' * 257", False), ("'🙂' * 128", True), ("'🙂' * 129", False), ("'a\\nb'", False)],
    ids=["256", "257", "128 pairs", "129 pairs", "a line break"],
)
async def test_what_a_step_may_be_called(emu, call, name, is_fine):
    """
    At most 256 UTF-16 units and no control characters, for every kind of step; nothing is recorded of a refused one.
    """
    body = """
async def taken(name):
    @step.do(name)
    async def body():
        return 1
    return await body()

""" + call.format(name=name)
    order = await started(emu, body)

    assert is_fine == (order.status in ("waiting", "complete"))
    assert is_fine == bool(order.steps)
    assert is_fine or "exceeds max length (256 chars) or invalid characters found" in order.error["message"]


@pytest.mark.parametrize("steps", [3, 4])
async def test_a_workflow_has_a_limit_of_steps(emu, steps):
    """
    Exactly as many as the config allows; the next one raises, and can be caught. Sleeps and waits are not counted.
    """
    order = await started(
        emu,
        f"""
def taken(n):
    @step.do(f"s{{n}}")
    async def body():
        return n
    return body()

for n in range({steps}):
    await taken(n)
    await step.sleep("nap", 0)
return "done"
""",
        config=ORDER + "limits = { steps = 3 }\n",
    )

    if steps == 3:
        assert "done" == order.output

        return
    assert order.error["message"].startswith("The limit of 3 steps has been reached.")
    assert 3 == len([label for label in order.steps if label.startswith("s")])


DELAYED = """
async def later(asked):
    note(f"{{asked.ctx['attempt']}} {{type(asked.error).__name__}} {{'delay' in asked.ctx['config']['retries']}}")
    return {answer}

@step.do("s", config={{"retries": {{"limit": 2, "delay": {function}, "backoff": "{backoff}"}}}})
async def s(ctx):
    if ctx["attempt"] < 3:
        raise OSError("not yet")
    return ctx["attempt"]

return await s()
"""


@pytest.mark.parametrize(
    ("answer", "backoff", "seconds"),
    [
        ("1000", "constant", 2),
        ("1000", "exponential", 3),
        ("'10 seconds'", "linear", 30),
        ("timedelta(minutes=1)", "constant", 120),
        ("0", "exponential", 0),
    ],
)
async def test_a_function_may_say_how_long_to_wait(emu, answer, backoff, seconds):
    """
    It is asked once after each failed attempt that is tried again; the back-off comes on top.
    """
    order = await started(emu, DELAYED.format(answer=answer, backoff=backoff, function="later"))
    if seconds:
        await emu.advance(seconds=seconds - 1)

        assert "waiting" == order.status

        await emu.advance(seconds=1)

    assert 3 == order.output
    assert ["1 OSError False", "2 OSError False"] == notes(emu)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("None", "returned an invalid delay value"),
        ("'5 parsecs'", "returned an invalid delay value"),
        ("-1", "returned an invalid delay value"),
        ("float('nan')", "returned an invalid delay value"),
        ("True", "returned an invalid delay value"),
        ("1 / 0", "threw an error: division by zero"),
    ],
)
async def test_a_function_that_cannot_say_ends_the_attempts(emu, answer, why):
    """
    The step fails at once with an error that says what the function did.
    """
    order = await started(emu, DELAYED.format(answer=answer, backoff="constant", function="later"))

    assert "NonRetryableDelayError" == order.error["name"]
    assert order.error["message"].startswith(f'The delay function for step "s-1" {why}')
    assert 1 == len(notes(emu))


async def test_a_delay_that_a_function_said_holds_across_a_restart(emu):
    """
    The moment is stored, not asked for again.
    """
    order = await started(emu, DELAYED.format(answer="'1 hour'", backoff="constant", function="later"))
    await emu.restart()
    await emu.advance(minutes=59)

    assert 1 == len(notes(emu))

    await emu.advance(hours=2)

    assert 3 == order.output


@pytest.mark.parametrize("call", ["one()", "asyncio.gather(one(), one())"])
async def test_steps_that_nobody_waits_for_end_with_the_run(emu, call):
    """
    A step that is under way when run() returns is cancelled and named.
    """
    await started(
        emu,
        f"""
@step.do("one")
async def one():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        note("cancelled")
        raise

task = asyncio.ensure_future({call})
await step.sleep("nap", 0)
await asyncio.sleep(0.01)
return 1
""",
    )

    assert {"cancelled"} == set(notes(emu))
    assert "step one-1 was still running when run() ended" in emu.lines


async def test_a_race_goes_on_behind_its_winner(emu):
    """
    The loser of a race runs to its end and is recorded, as on the platform.
    """
    order = await started(
        emu,
        """
@step.do("quick")
async def quick():
    return "quick"

@step.do("slow")
async def slow():
    await asyncio.sleep(0.01)
    return "slow"

done, _ = await asyncio.wait({asyncio.ensure_future(quick()), asyncio.ensure_future(slow())},
                             return_when=asyncio.FIRST_COMPLETED)
await step.sleep("nap", "1 hour")
return done.pop().result()
""",
    )
    await emu.advance(minutes=1)

    assert {"quick-1": "done", "slow-1": "done", "nap-1": "started"} == order.steps


async def test_the_same_worker_runs_many_instances_at_once(emu):
    """
    A thousand instances, each with its own payload, none in another's way.
    """
    await emu.start(
        worker('@step.do("s")\nasync def s():\n    return event["payload"]\nreturn await s()'), config=ORDER
    )
    made = []
    for _ in range(10):
        made += await emu.emulator.engine.create_batch("order", [Wanted(params=str(n)) for n in range(100)])
    await emu.settle()
    outputs = [emu.emulator.engine.get("order", instance.id).output for instance in made]

    assert [str(n) for n in range(100)] * 10 == outputs


async def test_a_call_that_the_engine_does_not_know_is_an_error(emu):
    """
    It says what there is; nobody waits for an answer that never comes.
    """
    order = await started(emu, 'await step._send("dance", "floor", 1, {})')

    assert "errored" == order.status
    assert "AttributeError" == order.error["name"]
    assert order.error["message"].startswith('a step has no "dance"; there are begin, succeed, ')


async def test_a_crash_in_a_body_uses_up_an_attempt(emu):
    """
    Its number was on disk before the body began; the next body has the next one, and the record says what happened.
    """
    held = """
@step.do("held", config={"retries": {"limit": 0, "delay": 0}})
async def held(ctx):
    note(str(ctx["attempt"]))
    if ctx["attempt"] == 1:
        await asyncio.Event().wait()
    return ctx["attempt"]

return await held()
"""
    await emu.start(worker(held), config=ORDER)
    order = await caught(emu, lambda order: notes(emu) == ["1"])

    assert [1] == [step.attempts for step in emu.emulator.store.steps.of(order.row.key)]

    await emu.crash()
    await emu.start()
    first, second = emu.emulator.engine.attempts(order.row)

    assert ["1", "2"] == notes(emu)
    assert ("complete", 2) == (order.status, order.output)
    assert ("Interrupted", None) == (first.error.name, second.error)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("x" * 257, "rollback=print, rollback_config={'timeout': 0}, config={'timeout': 0}", "Rollback for"),
        ("x" * 257, "rollback=lambda: 1, rollback_config={'timeout': 0}, config={'timeout': 0}", "Rollback config for"),
        ("x" * 257, "rollback=lambda: 1, config={'timeout': 0}", "The limit of 1 steps has been reached."),
        ("x" * 257, "config={'timeout': 0}", "The limit of 1 steps has been reached."),
    ],
    ids=["handler", "rollback_config", "limit", "limit without handler"],
)
async def test_a_step_call_is_checked_in_the_platforms_order(emu, name, options, said):
    """
    The handler, its config, how many steps there are, then the name: the first that is wrong is told.
    """
    order = await started(
        emu,
        f"""
@step.do("first")
async def first():
    return 1

await first()

@step.do("{name}", {options})
async def wrong():
    return 2

await wrong()
""",
        config=ORDER + "limits = { steps = 1 }\n",
    )

    assert order.error["message"].startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [("x" * 257, 'Step name "xxx'), ("s", 'Step config for "s" is in a invalid format. See https://developers.')],
    ids=["name", "config"],
)
async def test_what_is_refused_is_fatal_and_can_be_caught(emu, name, said):
    """
    A WorkflowFatalError, the name told before the config; in the body of a step it ends that step's attempts.
    """
    order = await started(
        emu,
        f"""
from workers.workflows import WorkflowFatalError

@step.do("{name}", config={{"timeout": 0}})
async def wrong():
    return 1

@step.do("outer", config={{"retries": {{"limit": 3, "delay": 0}}}})
async def outer():
    note("outer")
    await wrong()

caught = []
for taken in (wrong, outer):
    try:
        await taken()
    except WorkflowFatalError as error:
        caught.append(str(error))
return caught
""",
    )

    assert ["outer"] == notes(emu)
    assert order.output[0].startswith(said)
    assert order.output[0] == order.output[1]


CHANGED = """
@step.do("s", config={{"retries": {{"limit": 3, "delay": {delay}, "backoff": "constant"}}}})
async def s(ctx):
    if ctx["attempt"] < 3:
        raise OSError("not yet")
    return ctx["config"]["retries"].get("delay")

return await s()
"""


@pytest.mark.parametrize(
    ("before", "after", "seconds", "delay"),
    [
        ('"1 hour"', '"1 minute"', 3600, "1 hour"),
        ('"1 hour"', "lambda asked: 60_000", 3600, "1 hour"),
        ("lambda asked: 3_600_000", "lambda asked: 60_000", 60, None),
        ("lambda asked: 3_600_000", '"1 minute"', 1, None),
    ],
    ids=["delay", "delay to function", "function", "function to delay"],
)
async def test_a_step_keeps_the_config_it_began_with(emu, before, after, seconds, delay):
    """
    New code changes nothing of a step that has begun, but the function that it asks; without one it is a second.
    """
    await emu.start(worker(CHANGED.format(delay=before)), config=ORDER)
    order = await emu.create("order")
    await emu.reload(worker(CHANGED.format(delay=after)))
    await emu.advance(hours=1)
    await emu.advance(seconds=seconds - 1)

    assert "waiting" == order.status

    await emu.advance(seconds=1)

    assert ("complete", delay) == (order.status, order.output)


async def test_a_context_that_was_changed_changes_nothing(emu):
    """
    `ctx` is the body's own copy, also where a function says how long to wait.
    """
    order = await started(
        emu,
        """
@step.do("s", config={"retries": {"limit": 1, "delay": lambda asked: 1000}})
async def s(ctx):
    attempt = ctx["attempt"]
    ctx["attempt"] = 99
    ctx["config"]["retries"].clear()
    if attempt == 1:
        raise OSError("not yet")
    return attempt

return await s()
""",
    )
    await emu.advance(seconds=1)

    assert 2 == order.output


@pytest.mark.parametrize(
    "config",
    [
        'to_js({"retries": {"limit": 1, "delay": 1000}}, dict_converter=Object.fromEntries)',
        '{"retries": to_js({"limit": 1, "delay": 1000}, dict_converter=Object.fromEntries)}',
        '{"retries": to_js({"limit": 1, "delay": lambda asked: 1000}, dict_converter=Object.fromEntries)}',
        'Object.fromEntries(to_js([["retries", {"limit": 1, "delay": 1000}], ["timeout", None]]))',
    ],
    ids=["whole", "a part", "a function in it", "with null"],
)
async def test_a_config_may_be_an_object_of_javascript(emu, config):
    """
    As a whole or in part.
    """
    order = await started(
        emu,
        f"""
@step.do("s", config={config})
async def s(ctx):
    if ctx["attempt"] == 1:
        raise OSError("not yet")
    return ctx["attempt"]

return await s()
""",
    )
    await emu.advance(seconds=1)

    assert 2 == order.output


async def test_a_function_that_takes_too_long_ends_the_attempts(emu, monkeypatch):
    """
    It has five seconds to say how long to wait.
    """
    assert 5 == stepconfig._DELAY_SECONDS

    monkeypatch.setattr(stepconfig, "_DELAY_SECONDS", 0.01)
    order = await started(emu, DELAYED.format(answer="await asyncio.sleep(9)", backoff="constant", function="later"))

    assert order.error["message"].startswith('The delay function for step "s-1" did not return within')
    assert 1 == len(notes(emu))


async def test_each_kind_of_step_has_its_own_names(emu):
    """
    A step, a sleep and a wait may share a name; each kind counts for itself, one after the other.
    """
    order = await started(
        emu,
        """
@step.do("n")
async def n(ctx):
    return ctx["step"]["count"]

counts = [await n(), await n()]
await step.sleep("n", 0)
try:
    await step.wait_for_event("n", "go", timeout="1 minute")
except Exception:
    await step.sleep("n", 0)
return counts
""",
    )
    await emu.advance(minutes=1)
    steps = emu.emulator.engine.steps(order.row)

    assert [1, 2] == order.output
    assert [("do", 1), ("do", 2), ("sleep", 1), ("waitForEvent", 1), ("sleep", 2)] == [
        (str(step.kind), step.count) for step in steps
    ]


async def test_a_result_is_a_copy_from_the_start(emu):
    """
    What the body returned may be changed afterwards, and what was handed out, too: the record stays.
    """
    order = await started(
        emu,
        """
shared = {"a": [1]}

@step.do("s")
async def s():
    return shared

first = await s()
first["a"].append(2)
shared["a"].append(3)
await step.sleep("nap", "1 hour")
return [first is shared, first["a"]]
""",
    )
    await emu.advance(hours=1)

    assert False is order.output[0]
    assert [{"a": [1]}] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


@pytest.mark.parked
async def test_the_pass_that_sees_a_failure_has_the_exception_itself(emu):
    """
    With all that it carries, where a later pass has its class and its words.
    """
    order = await started(
        emu,
        """
class Refused(Exception):
    pass

@step.do("s", config={"retries": {"limit": 0, "delay": 0}})
async def s():
    error = Refused("no")
    error.reason = "empty"
    raise error

try:
    await s()
except Refused as error:
    return error.reason
""",
    )

    assert "empty" == order.output


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('step.sleep_until("s", timedelta(hours=1))', "expected a datetime or milliseconds since 1970, got timedelta"),
        (
            'step.sleep_until("s", datetime(2030, 1, 1).date())',
            "expected a datetime or milliseconds since 1970, got date",
        ),
        (
            'step.sleep("s", object())',
            'expected a number of milliseconds, text such as "5 minutes" or a timedelta, got object',
        ),
        (
            'step.wait_for_event("s", "go", timeout=[1])',
            'expected a number of milliseconds, text such as "5 minutes" or a timedelta, got list',
        ),
    ],
    ids=["a timedelta", "a date", "an object", "a list"],
)
async def test_what_is_no_time_is_named(emu, call, said):
    """
    The worker's code is told what the call takes and what it got; nothing is recorded.
    """
    order = await started(emu, f"await {call}")

    assert ("TypeError", said) == (order.error["name"], order.error["message"])
    assert {} == order.steps


async def test_an_error_without_text_is_its_name_alone(emu):
    """
    The terminal's lines about failed attempts end where the name does.
    """
    await started(
        emu,
        """
@step.do("s", config={"retries": {"limit": 1, "delay": 0}})
async def s():
    raise ValueError
await s()
""",
    )

    assert "attempt 1 failed (ValueError), next in" in emu.lines
    assert "failed after attempt 2: ValueError\n" in emu.lines
