"""Web sockets between a browser and a worker: the handshake, messages both ways, and every way to end."""

import asyncio
import contextlib

import pytest
from dev import Dev
from support import _explain
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from emulator.guard.origins import check

ECHO = """
from js import WebSocketPair
from pyodide.ffi import create_proxy
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("Upgrade") != "websocket":
            return Response("no web socket", status=426)
        if "/refused" in request.url:
            return Response("not for you", status=403, headers={"x-why": "because"})
        if "/raises" in request.url:
            raise ValueError("no handler today")
        client, server = WebSocketPair.new().object_values()
        server.binaryType = "arraybuffer"
        server.accept()
        server.send("welcome")

        async def on_message(event):
            if event.data == "bye":
                server.close(4000, "as you wish")
            elif event.data == "boom":
                raise LookupError("in a listener")
            else:
                data = event.data if isinstance(event.data, str) else event.data.to_bytes()
                server.send(data)

        def on_close(event):
            print(f"closed {event.code} {event.reason} {event.wasClean}")

        server.addEventListener("message", create_proxy(on_message))
        server.addEventListener("close", create_proxy(on_close))
        return Response(None, status=101, web_socket=client, headers={"sec-websocket-protocol": "chat"})
"""


class Browser:
    """A browser's side of a web socket, over ASGI."""

    def __init__(self, emu, path, **headers):
        given = {"host": "127.0.0.1:8787", "upgrade": "websocket", **headers}
        self.scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 50000),
        }
        self.sent = asyncio.Queue()
        self.got = asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        route = emu.emulator.fetch_route(_explain)
        self.task = asyncio.ensure_future(route(self.scope, self.sent.get, self.got.put))

    async def next(self):
        async with asyncio.timeout(5):
            return await self.got.get()

    def say(self, content):
        kind = "text" if isinstance(content, str) else "bytes"
        self.sent.put_nowait({"type": "websocket.receive", kind: content})

    async def leave(self, code=1000, reason=""):
        self.sent.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        async with asyncio.timeout(5):
            await self.task


@pytest.fixture
async def chat(emu):
    await emu.start(ECHO)
    browser = Browser(emu, "/chat")
    yield browser
    browser.task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await browser.task


async def test_the_handshake(chat):
    """
    The worker's answer opens the socket, with the subprotocol it chose; what it sent before comes first.
    """
    accepted, first = await chat.next(), await chat.next()

    assert ("websocket.accept", "chat") == (accepted["type"], accepted["subprotocol"])
    assert "welcome" == first["text"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        pytest.param("hello ☃", "text", id="text"),
        pytest.param(b"\x00\xff", "bytes", id="bytes"),
        pytest.param("", "text", id="empty text"),
        pytest.param(b"x" * 3_000_000, "bytes", id="more than may be under way"),
    ],
)
async def test_messages_go_both_ways(chat, content, key):
    """
    Text stays text, bytes stay bytes, whatever their size.
    """
    await chat.next()
    await chat.next()
    chat.say(content)

    assert content == (await chat.next())[key]


async def test_messages_keep_their_order(chat):
    """
    A hundred messages come back in the order they were sent.
    """
    await chat.next()
    await chat.next()
    for number in range(100):
        chat.say(str(number))

    assert list(range(100)) == [int((await chat.next())["text"]) for _ in range(100)]


async def test_the_worker_closes(chat, emu):
    """
    Code and reason reach the browser, and the terminal shows the whole socket in one line.
    """
    await chat.next()
    await chat.next()
    chat.say("bye")
    closed = await chat.next()
    await chat.task

    assert (4000, "as you wish") == (closed["code"], closed["reason"])
    assert "WS     /chat                        closed 4000 (1 in, 1 out)" in emu.lines


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(1001, "closed 1001 so long True", id="with a close frame"),
        pytest.param(1006, "closed 1006 so long False", id="without one"),
    ],
)
async def test_the_browser_leaves(chat, emu, code, expected):
    """
    The worker's close listener learns how.
    """
    await chat.next()
    await chat.next()
    await chat.leave(code, "so long")

    assert expected in emu.lines


async def test_a_reload_sends_the_browser_back_to_the_new_code(chat, emu):
    """
    A replaced generation closes its sockets at once, as a restart.
    """
    await chat.next()
    await chat.next()
    await emu.reload(ECHO)

    assert 1012 == (await chat.next())["code"]


async def test_a_stop_says_that_the_server_goes_away(chat, emu):
    """
    The end of the emulator is no failure of the worker.
    """
    await chat.next()
    await chat.next()
    await emu.stop()

    assert 1001 == (await chat.next())["code"]


async def test_a_failing_listener_is_shown_with_its_socket(chat, emu):
    """
    The socket stays open, and the terminal says which one it was.
    """
    await chat.next()
    await chat.next()
    chat.say("boom")
    chat.say("still here")

    assert "still here" == (await chat.next())["text"]
    assert "WS /chat │ LookupError: in a listener" in emu.lines


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        pytest.param("/refused", 403, "not for you", id="another response"),
        pytest.param("/raises", 500, "no handler today", id="an exception"),
    ],
)
async def test_what_is_no_web_socket_is_a_refusal(emu, path, status, text):
    """
    A worker that answers otherwise is answered over HTTP.
    """
    await emu.start(ECHO)
    browser = Browser(emu, path)
    start, body = await browser.next(), await browser.next()
    await browser.task

    assert ("websocket.http.response.start", status) == (start["type"], start["status"])
    assert text in body["body"].decode()


async def test_a_socket_for_no_upgrade_is_an_error(emu):
    """
    A web socket can be returned only to who asked for one.
    """
    await emu.start(ECHO.replace('request.headers.get("Upgrade") != "websocket"', "False"))

    assert 'did not contain the header "Upgrade: websocket"' in (await emu.get("/chat")).text


async def test_an_end_that_was_accepted_cannot_be_returned(emu):
    """
    The worker keeps one end of the pair and gives the other away.
    """
    await emu.start(ECHO.replace("server.accept()", "server.accept(); client.accept()"))
    browser = Browser(emu, "/chat")
    closed = [message for message in [await browser.next() for _ in range(2)] if message["type"] == "websocket.close"]
    await browser.task

    assert 1011 == closed[0]["code"]
    assert "accept() one end of the pair, and return the other" in emu.lines


@pytest.mark.slow
async def test_a_process_that_ends(emu_processes):
    """
    The browser learns that it was an error, and may come back.
    """
    emu = await emu_processes.start(ECHO.replace('raise LookupError("in a listener")', "__import__('os')._exit(3)"))
    browser = Browser(emu, "/chat")
    await browser.next()
    await browser.next()
    browser.say("boom")

    assert 1011 == (await browser.next())["code"]

    await browser.task
    again = Browser(emu, "/chat")

    assert "websocket.accept" == (await again.next())["type"]

    await again.leave()


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        pytest.param("return", 1000, id="returns"),
        pytest.param("raise ValueError('oh')", 1011, id="raises"),
        pytest.param("await send({'type': 'websocket.close', 'code': 3000, 'reason': 'r'})", 3000, id="closes"),
    ],
)
async def test_an_asgi_application_that_ends(emu, ending, code):
    """
    However the application ends, the socket is closed and says how.
    """
    app = f"""
from workers import asgi

async def app(scope, receive, send):
    await receive()
    await send({{"type": "websocket.accept"}})
    message = await receive()
    await send({{"type": "websocket.send", "bytes": message["bytes"][::-1]}})
    {ending}

Default = asgi.entrypoint(app)
"""
    await emu.start(app)
    browser = Browser(emu, "/")
    browser.say(b"abc")
    got = [await browser.next() for _ in range(3)]
    await browser.task

    assert (b"cba", code) == (got[1]["bytes"], got[2]["code"])


async def test_an_open_socket_does_not_hold_up_the_clock(chat, emu):
    """
    Moving the time waits for work, and a quiet socket is none.
    """
    await chat.next()
    async with asyncio.timeout(2):
        await emu.advance(minutes=5)

    assert not chat.task.done()


@pytest.mark.parametrize(
    ("host", "origin", "refused"),
    [
        pytest.param("127.0.0.1:8787", None, False, id="no browser"),
        pytest.param("127.0.0.1:8787", "http://127.0.0.1:8787", False, id="our own page"),
        pytest.param("localhost:8787", "http://localhost:5173", False, id="another server of this machine"),
        pytest.param("x.ngrok.io", "https://x.ngrok.io", False, id="a tunnel"),
        pytest.param("127.0.0.1:8787", "https://shop.example", False, id="a configured route"),
        pytest.param("127.0.0.1:8787", "https://evil.example", True, id="a foreign page"),
        pytest.param("127.0.0.1:8787", "null", True, id="a page without an origin"),
    ],
)
def test_whose_pages_may_open_one(host, origin, refused):
    """
    A page of somebody else's must not read what a worker on this machine sends.
    """
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    scope = {"type": "websocket", "path": "/chat", "headers": headers}

    assert refused == (check(scope, ours=False, hosts=frozenset({"shop.example"}), strict_host=False) is not None)


@pytest.mark.slow
async def test_a_real_browser(tmp_path):
    """
    Over a real port: subprotocol, echo, and how it ends when the emulator does.
    """
    with Dev(tmp_path, code=ECHO) as dev:
        async with connect(f"ws://127.0.0.1:{dev.port}/chat?x=%20", subprotocols=["chat"]) as browser:
            await browser.send("hello")

            assert ("chat", "welcome", "hello") == (browser.subprotocol, await browser.recv(), await browser.recv())

            await asyncio.to_thread(dev.stop)
            with pytest.raises(ConnectionClosed) as ended:
                await browser.recv()

            assert 1001 == ended.value.rcvd.code
