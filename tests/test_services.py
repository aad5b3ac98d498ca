"""Service bindings: one worker calls another, or itself: requests, methods, values, errors."""

import asyncio

import pytest
from support import CONFIG, _explain

from emulator.bindings import services
from emulator.bindings.loans import Loans
from emulator.errors import WorkerGone
from emulator.runtime import values
from emulator.wire import Frame

SHOP = """
from datetime import datetime
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.partition("/shop")[2]
        if path == "/fetch":
            url, headers = "http://stock/count?sku=tea", {"x-a": "1"}
            return await self.env.STOCK.fetch(url, method="POST", body="two", headers=headers)
        if path == "/stream":
            answer = await self.env.STOCK.fetch("http://stock/stream")
            return Response(answer.body, headers=answer.headers)
        if path == "/endless":
            return await self.env.STOCK.fetch("http://stock/endless")
        if path == "/broken":
            answer = await self.env.STOCK.fetch("http://stock/broken")
            try:
                return Response(await answer.text())
            except OSError as error:
                return Response(f"broke: {error}")
        if path == "/pass":
            return await self.env.STOCK.fetch(request)
        if path == "/moved":
            answer = await self.env.STOCK.fetch("http://stock/moved")
            return Response(f"{answer.redirected} {answer.url} {await answer.text()}")
        if path == "/manual":
            answer = await self.env.STOCK.fetch("http://stock/moved", redirect="manual")
            return Response(answer.headers["location"], status=answer.status)
        if path == "/rpc":
            return Response.json(await self.env.STOCK.reserve("tea", 2, deep={"a": [1, None]}))
        if path == "/admin":
            return Response(await self.env.ADMIN.who())
        if path == "/error":
            try:
                await self.env.STOCK.fail()
            except Exception as error:
                cause = type(error.__cause__).__name__
                return Response.json([type(error).__name__, str(error).splitlines()[-1], cause])
        if path == "/missing":
            return Response(await self.env.STOCK.nothing())
        if path == "/private":
            return Response(await self.env.STOCK._secret())
        if path == "/unserved":
            return Response(await self.env.GONE.hello())
        if path == "/self":
            return Response(str(await self.env.SELF.double(21)))
        if path == "/tick":
            result = await self.env.SELF.scheduled(scheduledTime=1000, cron="* * * * 30")
            return Response.json([result.outcome, result.noRetry])
        if path == "/batch":
            now = datetime(2026, 1, 2)
            messages = [
                {"id": "a", "timestamp": now, "body": {"n": 1}, "attempts": 1},
                {"id": "b", "timestamp": 1000, "body": "text", "attempts": 3},
            ]
            return Response.json(await self.env.SELF.queue("orders", messages))
        if path == "/no-batch":
            return Response.json(await self.env.SELF.queue("orders", [{"id": "a", "body": 1}]))
        if path == "/exports":
            return Response(await self.ctx.exports.Named(props={"tenant": "t"}).tenant())
        return Response("?", status=404)

    def double(self, number):
        return 2 * number

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            print("got", batch.queue, message.id, message.body, message.attempts, message.timestamp.year)
        batch.messages[0].ack()
        batch.messages[1].retry(delaySeconds=5)
        if len(batch.messages[1].body) == 4:
            raise ValueError("after all")

    async def scheduled(self, controller, env, ctx):
        print("tick", controller.scheduledTime, controller.cron)
        controller.noRetry()

class Named(WorkerEntrypoint):
    async def tenant(self):
        return self.ctx.props["tenant"]
"""

STOCK = """
import asyncio
from workers import Response, WorkerEntrypoint

async def pieces():
    for number in range(3):
        yield f"{number} " * 100_000

async def endless():
    try:
        while True:
            yield b"x"
            await asyncio.sleep(0)
    finally:
        print("left at last")

async def breaking():
    yield b"so far"
    raise ValueError("no more")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/moved" in request.url:
            return Response.redirect("http://stock/there", 302)
        if "/stream" in request.url:
            return Response(pieces(), headers={"x-stream": "yes"})
        if "/endless" in request.url:
            return Response(endless())
        if "/broken" in request.url:
            return Response(breaking())
        told = f"{request.method} {request.url} {request.headers.get('x-a')} {await request.text()}"
        return Response(told, status=201, headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])

    async def reserve(self, sku, count, options):
        return {"sku": sku, "count": count, "deep": options["deep"]["a"], "env": self.env.NAME}

    async def fail(self):
        raise LookupError("no such thing")

class Admin(WorkerEntrypoint):
    async def who(self):
        return f"admin of {self.ctx.props['tenant']}"
"""

SERVICES = """
services = [
    { binding = "STOCK", service = "stock" },
    { binding = "ADMIN", service = "stock", entrypoint = "Admin", props = { tenant = "acme" } },
    { binding = "GONE", service = "gone" },
    { binding = "SELF", service = "test-worker" },
]
"""


@pytest.fixture
async def shop(emu):
    emu.save("stock/wrangler.toml", CONFIG.replace("test-worker", "stock") + '[vars]\nNAME = "stock env"\n')
    emu.save("stock/entry.py", STOCK)
    emu.configs = ["wrangler.toml", "stock/wrangler.toml"]
    emu.config = emu.config.replace('["python_workers"]', '["python_workers", "service_binding_extra_handlers"]')
    return await emu.start(SHOP, config=SERVICES)


async def test_a_request_reaches_the_other_worker(shop):
    """
    Method, URL, headers and body arrive; status, repeated headers and body come back.
    """
    answer = await shop.post("/shop/fetch")

    assert (201, "POST http://stock/count?sku=tea 1 two") == (answer.status, answer.text)
    assert ["a=1", "b=2"] == [value for name, value in answer.headers if name == "set-cookie"]


async def test_a_request_is_passed_on_as_it_came(shop):
    """
    The browser's own request can be handed to the other worker, body and all.
    """
    answer = await shop.post("/shop/pass", b"from the browser", headers={"x-a": "2"})

    assert "POST http://127.0.0.1:8787/shop/pass 2 from the browser" == answer.text


async def test_a_response_is_streamed_through_both(shop):
    """
    A response larger than what may be under way comes through whole.
    """
    answer = await shop.get("/shop/stream")

    assert ("yes", 600_000) == (answer.header("x-stream"), len(answer.body))


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        pytest.param("moved", 200, "True http://stock/there GET http://stock/there None ", id="followed"),
        pytest.param("manual", 302, "http://stock/there", id="left alone"),
    ],
)
async def test_a_redirect_stays_with_the_other_worker(shop, path, status, text):
    """
    It is followed through the same binding, unless the caller wants to see it.
    """
    answer = await shop.get(f"/shop/{path}")

    assert (status, text) == (answer.status, answer.text.replace("201", "200"))


async def test_a_browser_that_leaves_is_felt_by_both(shop):
    """
    What makes the response in the other worker is cancelled and can clean up.
    """
    leaves, got = asyncio.Event(), asyncio.Queue()

    async def receive():
        await leaves.wait()
        return {"type": "http.disconnect"}

    path = b"/shop/endless"
    scope = {"type": "http", "method": "GET", "scheme": "http", "path": path.decode(), "raw_path": path}
    scope |= {"query_string": b"", "headers": [(b"host", b"127.0.0.1:8787")], "client": ("127.0.0.1", 1)}
    asking = asyncio.ensure_future(shop.emulator.fetch_route(_explain)(scope, receive, got.put))
    await got.get()
    leaves.set()
    async with asyncio.timeout(5):
        await asking
    await shop.settle()

    assert "left at last" in shop.lines


async def test_a_response_that_breaks_off_is_an_error_where_it_is_read(shop):
    """
    Half a body is never taken for a whole one.
    """
    answer = await shop.get("/shop/broken")

    assert "broke: the response broke off: ValueError: no more" == answer.text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("rpc", {"sku": "tea", "count": 2, "deep": [1, None], "env": "stock env"}, id="values and env"),
        pytest.param("error", ["JsException", "LookupError: no such thing", "LookupError"], id="an error"),
    ],
)
async def test_a_method_of_the_other_worker(shop, path, expected):
    """
    Arguments and results are copied; what it raises is raised here, with the exception itself as its cause.
    """
    assert expected == (await shop.get(f"/shop/{path}")).json


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("admin", "admin of acme", id="a named entrypoint with props"),
        pytest.param("self", "42", id="a worker calls itself"),
        pytest.param("exports", "t", id="ctx.exports with props"),
    ],
)
async def test_entrypoints(shop, path, expected):
    """
    A binding may name a class of the other worker, and a worker may be bound to itself.
    """
    assert expected == (await shop.get(f"/shop/{path}")).text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("missing", "Method nothing does not exist; Default has fail, reserve", id="no such method"),
        pytest.param("private", "_secret is no method that a worker can offer to another", id="a private name"),
        pytest.param("unserved", 'the worker "gone" is not served here; start the emulator with a -c', id="not served"),
    ],
)
async def test_what_cannot_be_called_says_why(shop, path, expected):
    """
    A wrong name is an error at its first use, which says what there is or what to do.
    """
    answer = await shop.get(f"/shop/{path}")

    assert 500 == answer.status
    assert expected in answer.text


async def test_a_scheduled_handler_can_be_called(shop):
    """
    With the flag for it a binding runs the handler, and says how that ended.
    """
    assert ["ok", True] == (await shop.get("/shop/tick")).json
    assert "CRON * * * * 30 │ tick 1000 * * * * 30" in shop.lines


async def test_a_queue_handler_can_be_called(shop):
    """
    With the flag for it a binding delivers a batch; the answer is what became of each message.
    """
    told = (await shop.get("/shop/batch")).json

    assert {
        "outcome": "exception",
        "ackAll": False,
        "retryBatch": {"retry": False},
        "explicitAcks": ["a"],
        "retryMessages": [{"msgId": "b", "delaySeconds": 5}],
    } == told
    assert "got orders a {'n': 1} 1 2026" in shop.lines
    assert "got orders b text 3 1970" in shop.lines


async def test_a_message_that_lacks_something_is_an_error_of_the_caller(shop):
    """
    It says what a message needs.
    """
    answer = await shop.get("/shop/no-batch")

    assert "a message without timestamp, attempts" in answer.text


@pytest.mark.parametrize("path", ["/shop/tick", "/shop/batch"])
async def test_handlers_are_no_methods_without_the_flag(shop, path):
    """
    The error names the flag, and the config it belongs in.
    """
    shop.save("wrangler.toml", shop.config.replace(', "service_binding_extra_handlers"', ""))
    await shop.reload()

    assert 'compatibility_flags = ["service_binding_extra_handlers"] in wrangler.toml' in (await shop.get(path)).text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"scheduledTime": 1000}, "the worker is not loaded", id="no worker"),
        pytest.param({"scheduledTime": "soon"}, "scheduled() takes scheduledTime and cron", id="no time"),
        pytest.param({"scheduledTime": 1e30}, "scheduled() takes scheduledTime and cron", id="no such time"),
        pytest.param("1000", "scheduled() takes scheduledTime and cron", id="no options"),
    ],
)
async def test_a_tick_that_cannot_be_is_an_error_of_the_caller(shop, options, words):
    """
    Whoever calls a scheduled handler is answered, whatever he gave and whether or not the worker is there.
    """

    async def dispatch(worker, event):
        raise WorkerGone("the worker is not loaded")

    worker = shop.emulator.workers[0]
    head = {"service": "test-worker", "name": "scheduled", "method": "call"}
    asked = Frame("call", 1, head, values.encode([options]).encode())
    told, body = await services.answer(lambda name: worker, dispatch, worker.current, asked, Loans())

    assert words in told["error"]["message"]
    assert b"" == body


async def test_the_terminal_shows_both_sides(shop):
    """
    A request and a method call between workers is an event with a line like any other.
    """
    await shop.post("/shop/fetch")
    await shop.get("/shop/admin")

    assert "stock /count?sku=tea" in shop.lines
    assert "RPC    stock.Admin.who" in shop.lines
