"""A workflow's binding as worker code uses it: every spelling, every limit, every refusal."""

import pytest
from flows import ORDER, act, notes, started, worker

from emulator.errors import StoreError

ECHO = """
if event["payload"] == "sleep":
    await step.sleep("nap", "1 day")
return event["payload"]
"""


@pytest.fixture
async def echo(emu):
    """A worker whose instances return their parameters."""
    await emu.start(worker(ECHO), config=ORDER)
    return emu


@pytest.mark.parametrize(
    "options",
    [
        '{"id": "one", "params": {"sku": "tea"}}',
        'id="one", params={"sku": "tea"}',
        '{"id": "one"}, params={"sku": "tea"}',
        'to_js({"id": "one", "params": {"sku": "tea"}}, dict_converter=Object.fromEntries)',
        'id="one", params=to_js({"sku": "tea"}, dict_converter=Object.fromEntries)',
        '{"id": "one", "params": to_js({"sku": "tea"}, dict_converter=Object.fromEntries)}',
        'Object.fromEntries(to_js([["id", "one"], ["params", {"sku": "tea"}]]))',
    ],
)
async def test_create_is_spelled_in_many_ways(echo, options):
    """
    A dict, keyword arguments, both, or a JavaScript object: the same instance.
    """
    answer = await act(echo, f"one = await env.ORDER.create({options})\nreturn one.id")
    await echo.settle()

    assert {"value": "one"} == answer
    assert {"value": {"sku": "tea"}} == await act(echo, 'return (await (await env.ORDER.get("one")).status()).output')


@pytest.mark.parametrize(
    ("options", "payload"),
    [("", {}), ("{}", {}), ("params=None", None), ("params={}", {}), ("params=[1, 2]", [1, 2]), ('params="x"', "x")],
)
async def test_parameters_left_out_are_an_empty_object(echo, options, payload):
    """
    None stays None; whatever crosses may be a parameter.
    """
    one = (await act(echo, f"return (await env.ORDER.create({options})).id"))["value"]
    await echo.settle()

    assert {"value": payload} == await act(echo, f'return (await (await env.ORDER.get("{one}")).status())["output"]')


async def test_an_instance_is_there_as_soon_as_create_returns(echo):
    """
    Its status can be asked for at once, and its id is a fresh UUID when none was given.
    """
    answer = await act(
        echo,
        """
one, two = await env.ORDER.create(), await env.ORDER.create()
return [one.id != two.id, len(one.id), one["id"] == one.id, (await one.status())["status"] in ("running", "complete")]
""",
    )

    assert [True, 36, True, True] == answer["value"]


async def test_a_call_is_made_when_it_is_called(echo):
    """
    An instance that nobody awaited is created all the same.
    """
    await act(echo, 'env.ORDER.create(id="one")')
    await echo.settle()

    assert {"value": "one"} == await act(echo, 'return (await env.ORDER.get("one")).id')


IDS = [
    ("a", True),
    ("_", True),
    ("0", True),
    ("a" * 100, True),
    ("a-_9", True),
    ("a" * 101, False),
    ("", False),
    ("-a", False),
    ("a.b", False),
    ("a/b", False),
    ("a b", False),
    ("a\n", False),
    ("é", False),
    (None, False),
    (5, False),
]


@pytest.mark.parametrize(("id", "is_fine"), IDS, ids=repr)
async def test_what_an_id_may_be(echo, id, is_fine):
    """
    1 to 100 letters, digits, underscores and hyphens, no hyphen first, and text.
    """
    answer = await act(echo, f"return (await env.ORDER.create(id={id!r})).id")

    if is_fine:
        assert {"value": id} == answer

        return
    assert ("WorkflowError", "instance.invalid_id") == (answer["error"], answer["code"])
    assert "Workflow instance has invalid id" == answer["message"]


async def test_a_taken_id_is_refused(echo):
    """
    The existing instance is left as it is, whatever its status.
    """
    answer = await act(echo, 'await env.ORDER.create(id="one", params=1)\nawait env.ORDER.create(id="one", params=2)')
    await echo.settle()

    assert "instance.already_exists" == answer["code"]
    assert '(instance.already_exists) Workflow instance with id "one" already exists' == answer["text"]
    assert {"value": 1} == await act(echo, 'return (await (await env.ORDER.get("one")).status())["output"]')


@pytest.mark.parametrize(("extra", "is_fine"), [(0, True), (1, False)], ids=["1 MiB", "1 MiB and a byte"])
@pytest.mark.parametrize("call", ["create", "create_batch", "send_event"])
async def test_a_payload_has_at_most_one_mebibyte(echo, call, extra, is_fine):
    """
    As JSON: a text of 2 ** 20 - 2 characters with its quotes is the largest.
    """
    text = f'"x" * (2 ** 20 - 2 + {extra})'
    calls = {
        "create": f'await env.ORDER.create(id="one", params={text})',
        "create_batch": f'await env.ORDER.create_batch([{{"id": "one"}}, {{"id": "two", "params": {text}}}])',
        "send_event": f'one = await env.ORDER.create(params="sleep")\nawait one.send_event(type="a", payload={text})',
    }
    answer = await act(echo, calls[call])

    assert is_fine == ("error" not in answer)
    assert is_fine or "body" == answer["code"]
    if not is_fine and call != "send_event":
        assert "instance.not_found" == (await act(echo, 'await env.ORDER.get("one")'))["code"]


@pytest.mark.parametrize(
    "options",
    ['"one"', "5", '{"retention": 5}', '{"retention": {"nope": 1}}', '{"retention": {"successRetention": "1 parsec"}}'],
)
async def test_options_that_make_no_sense_are_refused(echo, options):
    """
    The message says what was expected, and nothing is created.
    """
    answer = await act(echo, f"await env.ORDER.create({options})")

    assert ("WorkflowError", "body") == (answer["error"], answer["code"])
    assert {} == echo.emulator.store.instances.count_by_status("order")


async def test_retention_and_location_are_taken(emu):
    """
    retention holds the times for which an instance is kept after its end; locationHint says nothing here.
    """
    await emu.start(worker(ECHO), config=ORDER)
    await act(
        emu,
        'await env.ORDER.create(id="one", locationHint="weur", '
        'retention={"successRetention": "1 hour", "errorRetention": 1000})',
    )
    await emu.advance(hours=1)

    assert "instance.not_found" == (await act(emu, 'await env.ORDER.get("one")'))["code"]


async def test_a_value_that_cannot_cross_is_refused_where_it_is_sent(echo):
    """
    A TypeError names the class; nothing is created.
    """
    answer = await act(echo, "await env.ORDER.create(params=object())")

    assert ("TypeError", "object cannot be sent over RPC.") == (answer["error"], answer["text"])


# Batches


@pytest.mark.parametrize(
    "batch",
    [
        '[{"id": "a", "params": 1}, {"id": "b", "params": 2}]',
        '({"id": id, "params": n} for n, id in enumerate("ab", 1))',
        'to_js([{"id": "a", "params": 1}, {"id": "b", "params": 2}], dict_converter=Object.fromEntries)',
        '[to_js({"id": id, "params": n}, dict_converter=Object.fromEntries) for n, id in enumerate("ab", 1)]',
    ],
)
@pytest.mark.parametrize("method", ["create_batch", "createBatch"])
async def test_a_batch_creates_in_its_order(echo, method, batch):
    """
    Handles come back in the order of the batch, whatever it was made of.
    """
    answer = await act(echo, f"return [each.id for each in await env.ORDER.{method}({batch})]")

    assert {"value": ["a", "b"]} == answer


async def test_a_batch_leaves_out_what_exists(echo):
    """
    Existing ids, and the second of two equal ones, are left out; those without an id get one.
    """
    answer = await act(
        echo,
        """
await env.ORDER.create(id="b", params="first")
made = await env.ORDER.create_batch([{"id": "a"}, {"id": "b"}, {"id": "a"}, {}, {"id": "c"}])
return [each.id for each in made]
""",
    )

    assert ["a", "c"] == [id for id in answer["value"] if len(id) == 1]
    assert 3 == len(answer["value"])


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        ("[]", "body"),
        ("[{}] * 101", "body"),
        ('[{"id": "a"}, {"id": "not one"}]', "instance.invalid_id"),
        ('[{"id": "a"}, {"id": None}]', "instance.invalid_id"),
        ('[{"id": "a"}, 5]', "body"),
        ('[{"id": "a"}, {"retention": 1}]', "body"),
    ],
    ids=["empty", "101", "an odd id", "no id", "no object", "odd retention"],
)
async def test_a_batch_with_one_mistake_creates_nothing(echo, batch, code):
    """
    All of it is checked before anything is done.
    """
    answer = await act(echo, f"await env.ORDER.create_batch({batch})")

    assert code == answer["code"]
    assert {} == echo.emulator.store.instances.count_by_status("order")


async def test_a_batch_of_a_hundred_is_fine(echo):
    """
    The largest batch runs like any other.
    """
    answer = await act(echo, "return len(await env.ORDER.create_batch([{'params': n} for n in range(100)]))")
    await echo.settle()

    assert {"value": 100} == answer
    assert {"complete": 100} == echo.emulator.store.instances.count_by_status("order")


@pytest.mark.parametrize("method", ["delete_batch", "deleteBatch"])
async def test_a_batch_is_deleted(echo, method):
    """
    Each position of the list has its outcome, in `deleted` or in `errors`, repeated ids too.
    """
    answer = await act(
        echo,
        f'await env.ORDER.create_batch([{{"id": "a"}}, {{"id": "b"}}])\n'
        f'return await env.ORDER.{method}(["b", "x", "a", "b"])',
    )
    missing = {"id": "x", "code": 10400, "message": "workflows.api.error.instance.not_found"}

    assert {"deleted": [{"id": "b"}, {"id": "a"}, {"id": "b"}], "errors": [missing]} == answer["value"]


async def test_one_that_cannot_be_deleted_keeps_no_other(echo, monkeypatch):
    """
    A refusal of the disk is that position's outcome, without its text, as on the platform.
    """
    await act(echo, 'await env.ORDER.create_batch([{"id": "a"}, {"id": "b"}, {"id": "c"}])')
    await echo.settle()
    instances = echo.emulator.store.instances
    broken, delete = echo.emulator.engine.get("order", "b").key, instances.delete

    def refused(key):
        if key == broken:
            raise StoreError("the disk is full")
        delete(key)

    monkeypatch.setattr(instances, "delete", refused)
    answer = await act(echo, 'return await env.ORDER.delete_batch(["a", "b", "c"])')
    failed = {"id": "b", "code": 10001, "message": "workflows.api.error.internal_server"}

    assert {"deleted": [{"id": "a"}, {"id": "c"}], "errors": [failed]} == answer["value"]
    assert {"value": "b"} == await act(echo, 'return (await env.ORDER.get("b")).id')


NO_LIST = "(body) Provided argument is invalid"
ODD_ID = "(instance.invalid_id) Instance ID is invalid"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ('"a"', NO_LIST),
        ("None", NO_LIST),
        ("5", NO_LIST),
        ('{"a": 1}', NO_LIST),
        ('to_js({"a": 1}, dict_converter=Object.fromEntries)', NO_LIST),
        ("[]", "(body) batchDeleteInstances should have at least 1 instance"),
        ('["a"] * 101', "(body) batchDeleteInstances only supports 100 instances at a time"),
        ('["é"] * 101', "(body) batchDeleteInstances only supports 100 instances at a time"),
        ('["a", "é"]', ODD_ID),
        ('["a", ""]', ODD_ID),
        ('["a", 5]', ODD_ID),
        ('["a", "x" * 272]', ODD_ID),
    ],
)
async def test_a_batch_with_an_odd_id_deletes_nothing(echo, ids, said):
    """
    What is no list, is too long, or what no instance can be called refuses the whole call.
    """
    answer = await act(echo, f'await env.ORDER.create(id="a")\nawait env.ORDER.delete_batch({ids})')

    assert said == answer["text"]
    assert {"value": "a"} == await act(echo, 'return (await env.ORDER.get("a")).id')


async def test_the_ids_of_scheduled_instances_can_be_deleted(echo):
    """
    They hold blanks, stars and slashes, and may have up to 271 characters.
    """
    answer = await act(echo, 'return await env.ORDER.delete_batch(["*/30 * * * *-1786001400000", "x" * 271])')

    assert 2 == len(answer["value"]["errors"])


@pytest.mark.parametrize("id", ['"nobody"', '"not an id at all"', "None", "5"])
async def test_an_unknown_id_is_not_found(echo, id):
    """
    get has one error for all of them.
    """
    answer = await act(echo, f"await env.ORDER.get({id})")

    assert ("WorkflowError", "instance.not_found") == (answer["error"], answer["code"])
    assert "(instance.not_found) Instance does not exist" == answer["text"]


# Instances

WAIT = 'got = await step.wait_for_event("w", "go")\nreturn [got["payload"], got.type, type(got.timestamp).__name__]'


@pytest.mark.parametrize(
    "call",
    [
        'send_event({"type": "go", "payload": {"by": "ann"}})',
        'send_event(type="go", payload={"by": "ann"})',
        'sendEvent({"type": "go", "payload": {"by": "ann"}})',
        'send_event(to_js({"type": "go", "payload": {"by": "ann"}}, dict_converter=Object.fromEntries))',
        'sendEvent(to_js({"type": "go"}, dict_converter=Object.fromEntries), payload={"by": "ann"})',
    ],
)
async def test_an_event_is_sent_in_many_ways(emu, call):
    """
    A dict, keyword arguments or a JavaScript object, in either spelling of the name.
    """
    order = await started(emu, WAIT)
    answer = await act(emu, f'one = await env.ORDER.get("{order.id}")\nreturn await one.{call}')
    await emu.settle()

    assert {"value": None} == answer
    assert [{"by": "ann"}, "go", "datetime"] == order.output


async def test_an_event_type_may_have_a_hundred_characters(emu):
    """
    Both where it is sent and where it is waited for.
    """
    order = await started(emu, 'return (await step.wait_for_event("w", "x" * 100))["type"]')
    await act(emu, f'await (await env.ORDER.get("{order.id}")).send_event(type="x" * 100)')
    await emu.settle()

    assert "x" * 100 == order.output


async def test_an_event_without_payload_carries_nothing(emu):
    """
    The payload is None.
    """
    order = await started(emu, WAIT)
    await act(emu, f'await (await env.ORDER.get("{order.id}")).send_event(type="go")')
    await emu.settle()

    assert order.output[0] is None


@pytest.mark.parametrize(
    "type",
    ["''", "'-a'", "'a b'", "'a.b'", "'x' * 101", "None", "5"],
    ids=["empty", "-a", "a b", "a.b", "101", "None", "5"],
)
async def test_an_odd_event_type_is_refused(emu, type):
    """
    1 to 100 letters, digits, underscores and hyphens, as on the platform; a wait for such a type is refused too.
    """
    order = await started(
        emu, f'try:\n    await step.wait_for_event("w", {type})\nexcept Exception as error:\n    return str(error)'
    )
    other = await act(emu, f"one = await env.ORDER.create()\nawait one.send_event(type={type}, payload=1)")

    assert "event.invalid_type" == other["code"]
    assert "letters, digits" in order.output


REFUSALS = {
    'env.ORDER.create(id="a b")': "(instance.invalid_id) Workflow instance has invalid id",
    'env.ORDER.create(id="one")': '(instance.already_exists) Workflow instance with id "one" already exists',
    "env.ORDER.create_batch([])": "(body) batchCreate should have at least 1 instance",
    "env.ORDER.create_batch([{}] * 101)": "(body) batchCreate only supports 100 instances at a time",
    'env.ORDER.get("nobody")': "(instance.not_found) Instance does not exist",
    "one.pause()": "(instance.cannot_pause) Cannot pause an instance that is complete",
    "one.resume()": "(instance.cannot_resume) Cannot resume an instance that is complete",
    "one.terminate()": "(instance.cannot_terminate) Cannot terminate instance since its on a finite state",
    'one.send_event(type="go")': "(instance.cannot_receive_event) The instance is complete; it waits for nothing",
    'one.restart({"from": {"name": "s"}})': '(instance.cannot_restart) Step "s" not found in execution history',
    'one.restart({"from": {"count": 0}})': '(instance.cannot_restart) Step "undefined" not found in execution history',
    'one.restart({"from": {}})': '(instance.cannot_restart) Step "undefined" not found in execution history',
}


@pytest.mark.parametrize("call", REFUSALS)
async def test_a_refusal_has_the_platforms_code_and_words(echo, call):
    """
    The code in brackets, then the words; nothing has changed.
    """
    await act(echo, 'await env.ORDER.create(id="one")')
    await echo.settle()
    answer = await act(echo, f'one = await env.ORDER.get("one")\nawait {call}')

    assert REFUSALS[call] == answer["text"]
    assert {"complete": 1} == echo.emulator.store.instances.count_by_status("order")


async def test_the_error_of_a_sensitive_step_is_shown(emu):
    """
    Its output is hidden, what it fails with is not.
    """
    order = await started(
        emu,
        """
@step.do("secret", config={"sensitive": "output", "retries": {"limit": 0, "delay": 0}})
async def secret():
    raise ValueError("plain")

await secret()
""",
    )

    assert {"name": "ValueError", "message": "plain"} == order.error


async def test_a_binding_has_no_events(echo):
    """
    send_event belongs to an instance.
    """
    assert "AttributeError" == (await act(echo, 'await env.ORDER.send_event(type="a")'))["error"]


async def test_the_status_shows_what_json_makes_of_it(emu):
    """
    Outputs so far, bytes by their size, nothing of a sensitive step; error and output by attribute as well as by key.
    """
    order = await started(
        emu,
        """
@step.do("bytes")
async def some_bytes():
    return b"123"

@step.do("secret", config={"sensitive": "output"})
async def secret():
    return "hush"

await some_bytes()
await step.sleep("nap", 0)
note(await secret())
return {"n": float("nan"), "at": datetime(2030, 1, 2)}
""",
    )
    status = (await act(emu, f'return await (await env.ORDER.get("{order.id}")).status()'))["value"]

    assert ["hush"] == notes(emu)
    assert ["[Uint8Array(3 bytes)]", "[REDACTED]"] == status["__LOCAL_DEV_STEP_OUTPUTS"]
    assert {"n": None, "at": "2030-01-02T00:00:00.000Z"} == status["output"]
    assert "error" not in status


@pytest.mark.parametrize("again", [False, True], ids=["at once", "after a restart of the emulator"])
async def test_outputs_come_in_the_order_in_which_the_steps_ended(emu, again):
    """
    A step inside another one before that one, the quicker of two before the slower, a received event in its place.
    """
    # Nobody is to wait for the outer step, which runs all the time.
    emu.options["settle_seconds"] = 0.05
    order = await started(
        emu,
        """
@step.do("inner")
async def inner():
    return "inner"

@step.do("outer")
async def outer():
    await inner()
    await step.sleep("nap", "5 minutes")
    return "outer"

@step.do("broken", config={"retries": {"limit": 1, "delay": "2 minutes"}})
async def broken(ctx):
    if ctx["attempt"] == 1:
        raise OSError
    return "mended"

await asyncio.gather(outer(), broken(), step.wait_for_event("w", "go"))
""",
    )
    await emu.advance(minutes=1)
    await order.send("go", "event")
    await emu.advance(minutes=4)
    if again:
        await emu.restart()

    assert ["inner", "event", "mended", "outer"] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


@pytest.mark.parametrize("value", [0, "", False, None, [], {}], ids=repr)
async def test_a_falsy_output_is_kept_as_it_is(emu, value):
    """
    Nothing is taken for nothing.
    """
    order = await started(emu, f"return {value!r}")

    assert value == order.output
    assert "complete" == order.status


async def test_the_error_of_a_status_has_a_name_and_a_message(emu):
    """
    By attribute as well as by key.
    """
    order = await started(emu, 'raise ValueError("no")')
    answer = await act(
        emu,
        f's = await (await env.ORDER.get("{order.id}")).status()\n'
        'return [s.error.name, s["error"]["message"], s.status]',
    )

    assert ["ValueError", "no", "errored"] == answer["value"]


async def test_abort_is_terminate(emu):
    """
    The older name.
    """
    order = await started(emu, 'await step.sleep("nap", "1 day")')
    await act(emu, f'await (await env.ORDER.get("{order.id}")).abort()')

    assert "terminated" == order.status


async def test_refusals_are_caught_like_any_exception(echo):
    """
    `except Exception` sees code and message; an await in a task group does too.
    """
    answer = await act(
        echo,
        """
from workers.workflows import WorkflowError
try:
    await env.ORDER.get("nobody")
except Exception as error:
    return [isinstance(error, WorkflowError), error.code, error.message, str(error)]
""",
    )

    assert [
        True,
        "instance.not_found",
        "Instance does not exist",
        "(instance.not_found) Instance does not exist",
    ] == answer["value"]


async def test_the_event_is_fresh_in_every_pass(emu):
    """
    What a pass does to its event is not seen by the next one.
    """
    order = await started(
        emu,
        """
event["payload"]["n"] += 1
await step.sleep("nap", "1 day")
return event.payload.n
""",
        {"n": 1},
    )
    await emu.restart()
    await emu.advance(days=1)

    assert 2 == order.output
