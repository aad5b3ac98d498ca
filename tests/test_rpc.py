"""What one worker can do with another's objects, and what they can pass to each other."""

import asyncio
import gc
from types import SimpleNamespace

import pytest
from test_real_workers import run, run_apart

from emulator.bindings import services
from emulator.bindings.loans import Loans
from emulator.errors import WorkerGone
from emulator.runtime import values
from emulator.runtime.calls import Calls
from emulator.runtime.passage import _then
from emulator.sdk.workers.proxy import JsException
from emulator.wire import Frame

__all__ = ["run", "run_apart"]


@pytest.fixture
async def pair(run):
    return await run("rpc_stubs/front", "rpc_stubs/back")


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param("objects", [2, 6, 4, 6], id="an object is a stub: it keeps its state over there"),
        pytest.param("properties", ["red", "red"], id="properties can be awaited, and what is in them"),
        pytest.param("pipelining", [3, 700, 3], id="a method of a result that has not come yet"),
        pytest.param("callbacks", ["done", [0, 1, 2, 99], "done", [0, 1, 2, 99]], id="callbacks run where they are"),
        pytest.param("functions", [42, 43, 44, "x"], id="a function that is returned can be called"),
        pytest.param("mine", [5, 6, 6], id="an own object that comes back is a stub of it"),
        pytest.param("forwarded", [6, 6], id="a stub can be sent back to where it comes from"),
        pytest.param("bound_methods", [True, "done"], id="a method of a stub is a function"),
        pytest.param("argument_kept", "again!", id="an argument that was dup'ed outlives the call"),
        pytest.param("bindings", [42, 42], id="a binding can be passed on"),
        pytest.param(
            "requests",
            [
                {"method": "POST", "url": "http://here/", "a": "1", "body": 5},
                {"method": "PUT", "url": "http://here/", "a": "2", "body": 400_000},
            ],
            id="requests, with a body or a streamed one",
        ),
        pytest.param("responses", [201, "1", 330_000], id="a response that is streamed"),
        pytest.param("headers", "1", id="headers"),
        pytest.param("streams", [330_000, 400_000], id="streams both ways"),
        pytest.param("values", [True, None, True, True, "2026-01-02T03:04:05"], id="plain values"),
    ],
)
async def test_what_crosses(pair, way, expected):
    """
    Plain values are copied, objects and functions are called where they are, bodies are streamed.
    """
    assert expected == (await pair.get(f"/{way}")).json


@pytest.mark.parametrize(
    ("way", "kind", "text"),
    [
        pytest.param("tuples", "TypeError", "tuple cannot be sent over RPC.", id="a tuple"),
        pytest.param(
            "opaque",
            "JsException",
            'DataCloneError: Could not serialize object of type "object". This type does not support serialization:'
            " derive its class from RpcTarget, or send a dict.",
            id="an object of no known kind",
        ),
        pytest.param(
            "instance_attribute",
            "JsException",
            'TypeError: The RPC receiver does not implement the method "secret". Counter has child, die, fail,'
            " increment, settings, value; what `self` holds cannot be reached, write a method or a property",
            id="an attribute of the instance",
        ),
        pytest.param(
            "private", "AttributeError", "_value is no method that a worker can offer to another", id="a private name"
        ),
        pytest.param("failing", "JsException", "LookupError: no such count", id="an exception of a method"),
        pytest.param("failing_callback", "JsException", "KeyError: 'mine'", id="an exception of a callback"),
        pytest.param(
            "argument_ends",
            "JsException",
            "Error: RPC stub used after being disposed. What came as an argument ends with the call: dup() it",
            id="an argument after the call",
        ),
        pytest.param(
            "disposed",
            "JsException",
            "Error: RPC stub used after being disposed. What came as an argument ends with the call: dup() it",
            id="a stub after its block",
        ),
    ],
)
async def test_what_does_not_cross(pair, way, kind, text):
    """
    It is an error where it is tried, of the platform's class and with its text.
    """
    assert [kind, text] == (await pair.get(f"/{way}")).json


async def test_a_result_that_cannot_be_sent_names_its_method(pair):
    """
    The error is the other worker's, and says which method returned it.
    """
    kind, text = (await pair.get("/opaque_result")).json

    assert "JsException" == kind
    assert "opaque() returned what cannot be sent to another worker: DataCloneError: Could not serialize" in text


async def test_an_error_of_javascripts_own_keeps_name_and_message(pair):
    """
    A JsException comes through both workers as what it is.
    """
    assert ["RangeError", "too far"] == (await pair.get("/js_errors")).json


async def test_nothing_stays_lent(pair):
    """
    What nobody refers to any more is given back, in all the ways there are to lend something.
    """
    for way in (
        "objects",
        "callbacks",
        "functions",
        "mine",
        "forwarded",
        "requests",
        "responses",
        "streams",
        "disposed",
    ):
        await pair.get(f"/{way}")
    gc.collect()
    await pair.settle()

    assert {} == pair.emulator._switchboard.loans._loans


@pytest.mark.parametrize("target", ["answer", "answer_stub"], ids=["no such worker", "a stub that is gone"])
async def test_a_call_that_reaches_nobody_gives_back_what_it_took_along(target):
    """
    The worker that asked would keep its function for ever otherwise.
    """
    told = []
    caller = SimpleNamespace(worker="front", number=1, alive=True, send=lambda *sent: told.append(sent))
    lent = {"lent": [["front", 1, 7]]}
    if target == "answer":
        asked = Frame("rpc", 1, {"service": "nobody", "method": "rpc", "name": "go", **lent}, b"")
        await services.answer(lambda name: None, None, caller, asked, Loans())
    else:
        asked = Frame("stub", 1, {"stub": ["back", 1, 9], "label": "f()", "path": [], **lent}, b"")
        await services.answer_stub(None, caller, asked, Loans())

    assert [("drop", 7)] == told


@pytest.mark.parametrize("has_flag", [True, False], ids=["with the flag", "without it"])
async def test_a_call_of_a_handler_gives_back_what_it_took_along(tmp_path, has_flag):
    """
    A handler takes plain values; what was lent with them is nobody's, whether it may be called or not.
    """
    told = []
    caller = SimpleNamespace(worker="front", number=1, alive=True, send=lambda *sent: told.append(sent))
    config = SimpleNamespace(has_flag=lambda flag: has_flag, path=tmp_path / "wrangler.toml", root=tmp_path)
    head = {"service": "front", "method": "rpc", "name": "queue", "lent": [["front", 1, 7]]}
    asked = Frame("rpc", 1, head, values.encode(["orders"]).encode())
    (answer, _) = await services.answer(lambda name: SimpleNamespace(config=config), None, caller, asked, Loans())

    assert [("drop", 7)] == told
    assert "TypeError" == answer["error"]["kind"]


async def test_the_end_of_the_other_workers_process_is_told_once():
    """
    Nothing was raised over there: the error has no other as its cause, and no name but JavaScript's own.
    """

    async def dispatch(callee, event):
        raise WorkerGone("the worker's process ended: it exited with code 3")

    caller = SimpleNamespace(worker="front", number=1, alive=True)
    head = {"service": "back", "method": "rpc", "name": "go", "entrypoint": None}
    answer = await services.answer(lambda name: name, dispatch, caller, Frame("rpc", 1, head, b""), Loans())
    calls = Calls(SimpleNamespace(send=lambda *sent: None))
    asked = calls.ask("service", "rpc", {})
    calls.answered(Frame("answer", 1, *answer))

    with pytest.raises(JsException) as caught:
        await asked

    assert ("Error", "the worker's process ended: it exited with code 3") == (caught.value.name, caught.value.message)
    assert caught.value.__cause__ is None


async def test_an_object_goes_with_its_worker(pair):
    """
    After a reload of the worker that made it, a stub says so.
    """
    await pair.get("/hold")
    await pair.emulator.reload(pair.emulator.workers[1])
    await pair.settle()

    assert ["JsException", "Error: Counter is gone: the worker that made it has been reloaded, or has ended"] == (
        await pair.get("/held")
    ).json


async def test_a_worker_that_goes_gives_everything_back(pair):
    """
    After a reload of the worker that held it, an object is held by nobody.
    """
    await pair.get("/hold")
    await pair.reload()
    gc.collect()
    await pair.settle()

    assert {} == pair.emulator._switchboard.loans._loans


@pytest.mark.slow
async def test_processes_of_their_own(run_apart):
    """
    All this between two processes, one of which ends in the middle of a call.
    """
    emu = await run_apart("rpc_stubs/front", "rpc_stubs/back")

    assert ["done", [0, 1, 2, 99], "done", [0, 1, 2, 99]] == (await emu.get("/callbacks")).json
    assert [330_000, 400_000] == (await emu.get("/streams")).json
    assert "the worker's process ended" in (await emu.get("/dying")).json[1]


async def test_the_terminal_names_object_and_method(pair):
    """
    A call of an object has a line like any other, the pieces of a stream have none.
    """
    await pair.get("/objects")
    await pair.get("/callbacks")
    await pair.get("/streams")

    assert "RPC    stubs-back.Counter.increment" in pair.lines
    assert "RPC    stubs-front.told()" in pair.lines
    assert "a stream" not in pair.lines


async def test_an_answer_that_cannot_be_read_is_an_error_for_who_asked():
    """
    Whoever waits for an answer is told of what is wrong with it, and does not wait for ever.
    """

    def unpack(frame):
        raise ValueError("no value has this wire form")

    answer = asyncio.get_running_loop().create_future()
    arrived = _then(answer, unpack)
    answer.set_result(None)

    with pytest.raises(ValueError, match="no value has this wire form"):
        await asyncio.wait_for(arrived, 1)
