"""Tail consumers: a worker is told what happened in another one."""

import json
from types import SimpleNamespace

import pytest
from support import HELLO
from test_real_workers import run

from emulator.bindings.loans import Loan, Loans
from emulator.bindings.methods import MethodCall
from emulator.handlers.tail import Tails
from emulator.models import Outcome
from emulator.runtime import values
from emulator.wire import Frame

__all__ = ["run"]

PLACE = ("watched", 1, 7)
HEADERS = [("accept", "text/html"), ("X-Part", "one"), ("x-part", "two")]
REQUEST = SimpleNamespace(
    kind="fetch", status=200, frame=lambda: ({"method": "GET", "url": "http://host/", "headers": HEADERS}, b"")
)


@pytest.fixture
async def watched(run):
    return await run("tail_pair/watched", "tail_pair/watcher")


async def told(emu):
    await emu.settle()
    lines = [line.partition("TAIL of watched │ ")[2] for line in emu.lines.splitlines()]
    return [json.loads(line) for line in lines if line]


async def test_a_request(watched):
    """
    Method, URL and status, and what was printed on the way.
    """
    await watched.get("/shop")
    url = "http://127.0.0.1:8787/shop"

    assert [["watched", "ok", ["GET", url, 202], [["log", f"asked for {url}"]], []]] == await told(watched)


async def test_an_exception(watched):
    """
    The outcome says so, and the trace comes along.
    """
    await watched.get("/fail")
    ((_, outcome, event, _, raised),) = await told(watched)

    assert ("exception", None) == (outcome, event[2])
    assert ["LookupError: nothing there"] == raised


async def test_a_tick(watched):
    """
    Other events come too, each with what it is about.
    """
    await watched.tick("*/5 * * * *")
    ((_, outcome, event, logs, _),) = await told(watched)

    assert ("ok", "*/5 * * * *", [["log", "tick"]]) == (outcome, event["cron"], logs)


async def test_who_watches_is_not_watched(watched):
    """
    The consumer's own events are told to nobody.
    """
    await watched.get("/shop")
    await told(watched)
    await watched.settle()

    assert 1 == len(await told(watched))


async def test_a_consumer_that_is_not_served_is_named_once(run):
    """
    However many events it would have been told of.
    """
    emu = await run("tail_pair/watched")
    await emu.get("/")
    await emu.get("/")
    await emu.settle()

    assert 1 == emu.lines.count("tail_consumers names the worker watcher, which is not served here")


async def test_a_consumer_that_does_not_listen_is_named(watched):
    """
    A worker without a tail handler is not called in vain.
    """
    watched.save("tail_pair/watcher/entry.py", HELLO)
    await watched.emulator.reload(watched.emulator.workers[1])
    await watched.get("/")
    await watched.settle()

    assert "tail_consumers names the worker watcher, which has no tail() handler" in watched.lines
    assert "TAIL" not in watched.lines


@pytest.mark.parametrize("name", ["trace", "on_trace"])
async def test_older_names_of_the_handler(watched, name):
    """
    `trace`, and `on_trace` as a function of the module, are called as well.
    """
    path = watched.folder / "tail_pair/watcher/entry.py"
    text = path.read_text().replace("def tail(", "def trace(")
    if name == "on_trace":
        text += "\n\nasync def on_trace(events, env, ctx):\n    await Default.trace(None, events, env, ctx)\n"
        text = text.replace("class Default(WorkerEntrypoint)", "class Default").replace("self, events", "self, events")
    path.write_text(text)
    await watched.emulator.reload(watched.emulator.workers[1])
    await watched.get("/shop")

    assert "ok" == (await told(watched))[0][1]


UNHEARD = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")

    async def tailStream(self, event, env, ctx):
        pass

    async def connect(self, socket):
        pass

    async def email(self, message):
        pass

def on_pubsub(messages, env, ctx):
    pass
"""


@pytest.mark.parametrize(
    "warning",
    [
        pytest.param(
            "entry.py:8: tailStream() is never called here: streaming tails are not emulated", id="tailStream"
        ),
        pytest.param("entry.py:11: connect() is never called here: there are no TCP connections", id="connect"),
        pytest.param("entry.py:14: email() must take exactly three arguments after self", id="a wrong signature"),
        pytest.param("entry.py:17: on_pubsub() is never called here: it is not emulated", id="an older function"),
    ],
)
async def test_a_handler_that_nobody_calls_is_named(emu, warning):
    """
    The worker loads, and the terminal says which handler stays silent, with file and line.
    """
    await emu.start(UNHEARD)

    assert 1 == emu.lines.count(warning)
    assert "hello" == (await emu.get("/")).text


async def test_streaming_tail_consumers_are_named(emu):
    """
    The config's key for them changes nothing here, which is said.
    """
    await emu.start(HELLO, config='streaming_tail_consumers = [{ service = "watcher" }]\n')

    assert "streaming_tail_consumers: is not emulated" in emu.lines


async def traces_of(event, *, prints=0):
    """What a consumer is sent of an event that prints so many lines."""
    sent = []

    async def send(name, told):
        sent.extend(values.decode(told.frame()[1]))

    tails = Tails(lambda worker: ("watcher",), send, lambda: 0)
    tails.begins(PLACE, event)
    for number in range(prints):
        tails.printed(PLACE, "log", str(number))
    tails.ends(PLACE, event, Outcome(outcome="ok", milliseconds=1))
    for task in list(tails._sending):
        await task
    return sent


async def test_headers_that_come_twice_are_one():
    """
    With a comma between them, and a name in lower case, as everywhere else.
    """
    (trace,) = await traces_of(REQUEST)

    assert {"accept": "text/html", "x-part": "one, two"} == trace["event"]["request"]["headers"]


@pytest.mark.parametrize(("prints", "expected"), [(255, False), (256, False), (257, True)])
async def test_what_is_left_out_is_told(prints, expected):
    """
    As many lines as there may be are all of them.
    """
    (trace,) = await traces_of(REQUEST, prints=prints)

    assert (min(prints, 256), expected) == (len(trace["logs"]), trace["truncated"])


async def test_a_call_of_what_was_lent_is_no_event_of_its_own():
    """
    It belongs to the event that lent the function or the object; a method of an entrypoint is told of by its name.
    """
    fields = {"entrypoint": None, "props": None, "name": "order", "service": "watched"}
    method = MethodCall(Frame("rpc", 1, fields, b""), Loans(), [])
    callback = MethodCall(Frame("stub", 1, {"label": "told()", "path": []}, b""), Loans(), [], Loan(None, 1))

    assert ["order"] == [trace["event"]["rpcMethod"] for trace in await traces_of(method)]
    assert [] == await traces_of(callback)
