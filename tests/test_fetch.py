"""A request from a browser, and what the worker makes of it, end to end."""

import asyncio

import pytest
from support import _explain

from emulator.errors import WorkerError

CODE = """
import asyncio
from js import Response as JsResponse
from workers import Request, Response, WorkerEntrypoint, fetch, wait_until

left = []

async def endless():
    try:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)
    finally:
        left.append("stream")

async def fails():
    await asyncio.sleep(0)
    raise LookupError("after the answer")

class Default(WorkerEntrypoint):
    async def fetch(self, request, env=1, ctx=2):
        path = request.url.partition("8787")[2]
        match path:
            case "/arguments":
                return Response.json([env, ctx])
            case "/headers":
                return Response.json(dict(request.headers.items()))
            case "/many":
                return Response("x", headers=[(f"x-{number}", "v") for number in range(80)])
            case "/later":
                self.ctx.waitUntil(fails())
                return Response("now")
            case "/import":
                wait_until(fails())
                return Response("now")
            case "/endless":
                return Response(endless())
            case "/waits":
                try:
                    await asyncio.sleep(60)
                finally:
                    left.append("handler")
            case "/left":
                return Response.json(left)
            case "/none":
                return None
            case "/number":
                return 7
            case "/raw":
                return JsResponse.new("raw", status=418)
            case "/teapot":
                return Response("short and stout", status=418, status_text="I'm a teapot")
            case "/bad-status":
                return Response("x", status=99)
            case "/twice":
                await request.text()
                return Response(await request.text())
            case "/bad-header":
                return Response("x", headers={"x-a": "snow ☃"})
            case _:
                return Response(path)
"""


@pytest.fixture
async def worker(emu):
    return await emu.start(CODE)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/a%20b%2F%3F", id="percent-encoding"),
        pytest.param("/%C3%A9?q=%26&q=+", id="a query"),
        pytest.param("//double//slash", id="slashes"),
        pytest.param("/a;b=c,d", id="separators"),
    ],
)
async def test_the_url_arrives_as_it_was_sent(worker, path):
    """
    Nothing is decoded or tidied on the way.
    """
    assert path == (await worker.get(path)).text


async def test_what_a_class_is_called_with(worker):
    """
    As on the platform env and ctx are None there; they are on self.
    """
    assert [None, None] == (await worker.get("/arguments")).json


async def test_the_headers_of_the_edge(worker):
    """
    What the platform adds is there; what the client sent is not overwritten.
    """
    headers = (await worker.get("/headers", headers={"cf-connecting-ip": "9.9.9.9", "x-a": "b"})).json

    assert ("9.9.9.9", "127.0.0.1", "b") == (headers["cf-connecting-ip"], headers["x-real-ip"], headers["x-a"])
    assert ("US", "http", 16) == (headers["cf-ipcountry"], headers["x-forwarded-proto"], len(headers["cf-ray"]))


async def test_many_headers(worker):
    """
    Eighty headers leave as eighty headers.
    """
    answer = await worker.get("/many")

    assert 80 == sum(name.startswith("x-") for name, _ in answer.headers)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        pytest.param("/raw", 418, "raw", id="a JavaScript response"),
        pytest.param("/teapot", 418, "short and stout", id="an odd status"),
        pytest.param("/none", 500, "fetch() must return a Response, got NoneType", id="nothing"),
        pytest.param("/number", 500, "fetch() must return a Response, got int", id="something else"),
        pytest.param("/bad-status", 500, "status must be 200 to 599, got 99", id="no status"),
        pytest.param("/bad-header", 500, "header x-a has the character", id="what no header can hold"),
    ],
)
async def test_what_may_be_returned(worker, path, status, text):
    """
    A response leaves; anything else is an error that says what it was.
    """
    answer = await worker.get(path)

    assert status == answer.status
    assert text in answer.text


async def test_a_body_is_read_once(worker):
    """
    The second reading is an error.
    """
    assert "Body already used" in (await worker.post("/twice", b"x")).text


@pytest.mark.parametrize("path", ["/later", "/import"])
async def test_what_fails_after_the_answer_is_shown_with_its_request(worker, path):
    """
    The browser has its answer; the terminal says whose work it was.
    """
    answer = await worker.get(path)
    await worker.settle()

    assert (200, "now") == (answer.status, answer.text)
    assert f"GET {path} │ LookupError: after the answer" in worker.lines


@pytest.mark.parametrize(("path", "who"), [("/endless", "stream"), ("/waits", "handler")])
async def test_a_browser_that_leaves(worker, path, who):
    """
    The handler, or what makes the body, is cancelled and can clean up.
    """
    leaves = asyncio.Event()
    received = asyncio.Queue()

    async def receive():
        await leaves.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8787")],
        "client": ("127.0.0.1", 1),
    }
    asking = asyncio.ensure_future(worker.emulator.fetch_route(_explain)(scope, receive, received.put))
    if path == "/endless":
        await received.get()
    else:
        await asyncio.sleep(0.05)
    leaves.set()
    async with asyncio.timeout(5):
        await asking

    assert [who] == (await worker.get("/left")).json


async def test_a_length_that_is_not_the_bodys_is_named(emu):
    """
    A content-length that lies would leave the browser waiting; the worker's author is told instead.
    """
    await emu.start(
        "from workers import Response\n\ndef fetch(request, env, ctx):\n"
        '    return Response("hello world", headers={"content-length": "3"})\n'
    )

    answer = await emu.get("/")

    assert 500 == answer.status
    assert "content-length 3, and its body has 11 bytes" in answer.text


@pytest.mark.parametrize(
    ("length", "words"),
    [(10, "its body has 6 bytes"), (4, "its body goes on after 4")],
    ids=["too short", "too long"],
)
async def test_a_streamed_body_of_another_length_breaks_off(emu, length, words):
    """
    Half an answer is out when the lie is found: the connection breaks, and the terminal says why.
    """
    await emu.start(
        "from workers import Response, WorkerEntrypoint\n"
        "async def pieces():\n"
        "    yield b'abc'\n"
        "    yield b'def'\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        f"        return Response(pieces(), headers={{'content-length': '{length}'}})\n"
    )
    with pytest.raises(WorkerError, match=words):
        await emu.get("/")

    assert f"the response says content-length {length}, and {words}" in emu.lines


async def test_a_streamed_body_may_say_its_length(emu):
    """
    A content-length that is right stays, also for a body in pieces.
    """
    await emu.start(
        "from workers import Response, WorkerEntrypoint\n"
        "async def pieces():\n"
        "    yield b'abc'\n"
        "    yield b'def'\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        "        return Response(pieces(), headers={'content-length': '6'})\n"
    )
    answer = await emu.get("/")

    assert ("6", "abcdef") == (answer.header("content-length"), answer.text)
