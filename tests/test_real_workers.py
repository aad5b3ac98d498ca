"""Small workers as people write them, one per behaviour: they run unmodified."""

import asyncio
import hmac
import json
import shutil
from pathlib import Path

import pytest
from test_websockets import Browser

WORKERS = Path(__file__).parent / "workers"
JSON = {"content-type": "application/json"}


@pytest.fixture
def run(emu):
    """Start the worker of a folder, or those of several."""

    async def start(*names, emulated=emu):
        for name in names:
            shutil.copytree(WORKERS / name, emulated.folder / name)
        emulated.configs = [f"{name}/wrangler.toml" for name in names]
        return await emulated.start()

    return start


@pytest.fixture
def run_apart(run, emu_processes):
    """The same in a process of its own, for frameworks that keep state of their own in the process."""
    return lambda *names: run(*names, emulated=emu_processes)


async def test_hello(run):
    """
    A handler may leave out even the request.
    """
    emu = await run("hello")
    answer = await emu.get("/")

    assert (200, "Hello world!", "text/plain;charset=UTF-8") == (
        answer.status,
        answer.text,
        answer.header("content-type"),
    )


async def test_a_form(run):
    """
    Fields, repeated fields and a file come out of a multipart body.
    """
    emu = await run("form")
    parts = [
        'name="name"\r\n\r\nAda',
        'name="tag"\r\n\r\na',
        'name="tag"\r\n\r\nb',
        'name="photo"; filename="me.png"\r\ncontent-type: image/png\r\n\r\nPNG',
    ]
    body = "".join(f"--x\r\ncontent-disposition: form-data; {part}\r\n" for part in parts) + "--x--\r\n"
    sent = await emu.post("/", body.encode(), headers={"content-type": "multipart/form-data; boundary=x"})

    assert {"name": "Ada", "tags": ["a", "b"], "photo": ["me.png", "image/png", 3]} == sent.json
    assert "<form" in (await emu.get("/")).text


async def test_streaming(run):
    """
    A response is made piece by piece, an upload is read or passed on the same way; a bundled file is found.
    """
    emu = await run("streaming")

    async def upload():
        for _ in range(40):
            yield b"x" * 100_000

    assert "data: one\n\ndata: two\n\ndata: three\n\n" == (await emu.get("/")).text
    assert "4000000" == (await emu.request("POST", "/", body=upload())).text
    assert 4_000_000 == len((await emu.request("PUT", "/", body=upload())).body)


async def test_cookies(run):
    """
    Each cookie is a header of its own.
    """
    emu = await run("cookies")
    answer = await emu.get("/", headers={"cookie": "visits=2; a=b"})

    assert "visit 3" == answer.text
    assert ["visits=3; Path=/; HttpOnly", "theme=dark"] == [
        value for name, value in answer.headers if name == "set-cookie"
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "header", "body"),
    [
        pytest.param("GET", "/old", 301, ("location", "http://127.0.0.1:8787/new"), b"", id="a redirect"),
        pytest.param("GET", "/empty", 204, ("content-length", None), b"", id="no content"),
        pytest.param("GET", "/same", 304, ("etag", '"1"'), b"", id="not modified"),
        pytest.param("PATCH", "/a%20b%2Fc", 200, ("x-method", "PATCH"), b"/a%20b%2Fc", id="percent-encoding is kept"),
        pytest.param("OPTIONS", "/x", 200, ("x-method", "OPTIONS"), b"/x", id="another method"),
    ],
)
async def test_redirects_and_statuses(run, method, path, status, header, body):
    """
    What the worker answers leaves as it is.
    """
    emu = await run("redirect")
    answer = await emu.request(method, path)

    assert (status, body) == (answer.status, answer.body)
    assert header[1] == answer.header(header[0])


async def test_variables(run):
    """
    Variables keep their types; secrets come from their own file; the request knows where it comes from.
    """
    emu = await run("env_vars")

    assert {"greeting": "hi", "debug": True, "limit": 10, "cache": None, "colo": "DFW", "secret": 6} == (
        await emu.get("/")
    ).json


async def test_a_queue(run):
    """
    Messages reach the consumer; the one it retries comes back when its delay is over.
    """
    emu = await run("queues")
    await emu.post("/", {"n": 1})
    await emu.advance(seconds=2)

    assert [["orders", {"n": 1}, 1], ["orders", {"n": 2}, 1]] == (await emu.get("/")).json

    await emu.advance(seconds=60)

    assert ["orders", "plain text", 2] == (await emu.get("/")).json[-1]


async def test_a_cron(run):
    """
    It fires each quarter of an hour.
    """
    emu = await run("cron")
    await emu.advance(minutes=60)
    ticks = (await emu.get("/")).json

    assert (4, "*/15 * * * *", 900_000) == (len(ticks), ticks[0][0], ticks[1][1] - ticks[0][1])


async def test_a_workflow_that_is_undone(run):
    """
    When a step fails for good the ones before it are undone, the last one first.
    """
    emu = await run("rollback")
    await emu.post("/", {"to": "Oslo", "broke": True})
    await emu.advance(hours=2)

    assert ["room after seat to Oslo given back", "seat to Oslo given back"] == (await emu.get("/")).json


async def test_a_pair_of_workers(run):
    """
    One calls the other's methods and hands it requests; what the other raises says so here.
    """
    emu = await run("rpc_pair/front", "rpc_pair/back")

    assert {"total": 42, "refused": "PermissionError: a guest may not delete all"} == (await emu.get("/")).json
    assert "back got POST" == (await emu.post("/raw")).text


async def test_javascript_in_python(run):
    """
    The names that came over from JavaScript do what they do there.
    """
    emu = await run("js_interop")
    answer = await emu.get("/x?name=J%C3%BCrgen")

    assert {"name": "Jürgen", "json": '{"a":[1,{"b":null}]}', "digest": "2d711642", "doubled": [2, 4]} == answer.json
    assert "asked for /x" in emu.lines


async def test_a_web_socket(run):
    """
    Messages go back and forth until one says quit.
    """
    emu = await run("echo_socket")
    browser = Browser(emu, "/")
    browser.say("hello")
    browser.say("quit")
    got = [await browser.next() for _ in range(3)]
    await browser.task

    assert ["websocket.accept", "websocket.send", "websocket.close"] == [each["type"] for each in got]
    assert ("HELLO", 1000, "bye") == (got[1]["text"], got[2]["code"], got[2]["reason"])
    assert 426 == (await emu.get("/")).status


async def test_wsgi(run):
    """
    A plain WSGI application is an entrypoint.
    """
    emu = await run("wsgi_app")

    assert "PUT /x and a body" == (await emu.request("PUT", "/x", body=b"and a body")).text


async def test_legacy_handlers(run):
    """
    A module with `on_fetch` works as before.
    """
    emu = await run("legacy")
    answer = await emu.get("/")
    await emu.settle()

    assert ("GET old", "yes") == (answer.text, answer.header("x-legacy"))
    assert "GET / │ later" in emu.lines


@pytest.mark.parametrize(
    ("date", "status", "text"),
    [("2025-06-01", 200, "old"), ("2026-06-01", 500, "its on_fetch is for older dates, call it fetch")],
)
async def test_prefixed_methods(emu, date, status, text):
    """
    At older dates a class may call its handlers `on_fetch` and so on; later the error says what to change.
    """
    emu.config = emu.config.replace("2026-06-01", date)
    code = "from workers import *\nclass Default(WorkerEntrypoint):\n    def on_fetch(self): return Response('old')"
    answer = await (await emu.start(code, config="\n")).get("/")

    assert status == answer.status
    assert text in answer.text


@pytest.mark.parametrize(("flags", "left"), [("", 1), (', "queue_consumer_no_wait_for_wait_until"', 0)])
async def test_what_a_batch_waits_for(emu, flags, left):
    """
    A failure in `waitUntil` fails the batch, unless a flag says that the batch does not wait for it.
    """
    emu.config = emu.config.replace('"python_workers"', f'"python_workers"{flags}')
    code = """
from workers import WorkerEntrypoint

async def fails():
    raise LookupError

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await self.env.ORDERS.send(1)

    async def queue(self, batch, env, ctx):
        self.ctx.waitUntil(fails())
"""
    await emu.start(code, config=(WORKERS / "queues" / "wrangler.toml").read_text().partition("\n\n")[2])
    await emu.get("/")
    await emu.advance(seconds=1)

    assert left == emu.emulator.broker.backlog("orders").count


async def test_starlette(run):
    """
    Lifespan state, streams and static files work.
    """
    emu = await run("starlette_app")

    assert ["0\n1\n2\n", "yes", "body {}\n"] == [
        (await emu.get(path)).text for path in ("/stream", "/state", "/static/style.txt")
    ]
    assert 404 == (await emu.get("/static/nothing")).status


@pytest.mark.slow
async def test_fastapi(run_apart):
    """
    Parameters, models, env, background tasks and web sockets work.
    """
    pytest.importorskip("fastapi")
    emu = await run_apart("fastapi_app")
    made = await emu.post("/items", {"name": "tea", "price": 2}, headers={"content-type": "application/json"})
    await emu.settle()
    browser = Browser(emu, "/ws", **{"sec-websocket-version": "13"})
    browser.say("Ada")
    got = [await browser.next() for _ in range(3)]

    assert [{"message": "from env"}, {"number": 21}, ["tea"], {"sent": True}] == [
        (await emu.get(path)).json for path in ("/", "/sync/7?times=3", "/done", "/send")
    ]
    assert 1 == emu.emulator.broker.backlog("orders").count
    assert (201, {"name": "tea", "price": 2.0}) == (made.status, made.json)
    assert 422 == (await emu.get("/sync/x")).status
    assert ('{"hello":"Ada"}', 3001, "enough") == (got[1]["text"], got[2]["code"], got[2]["reason"])


@pytest.mark.slow
async def test_django(run_apart):
    """
    Views answer, stream, and wait for a binding from sync code.
    """
    pytest.importorskip("django")
    emu = await run_apart("django_app")
    hello = await emu.get("/")
    sent = await emu.post("/send", {"n": 1}, headers={"content-type": "application/json"})

    assert ('{"message": "Hello from Django on Cloudflare Workers!"}', "application/json") == (
        hello.text,
        hello.header("content-type"),
    )
    assert (202, "sent") == (sent.status, sent.text)
    assert "0 1 2 " == (await emu.get("/stream")).text
    assert 1 == emu.emulator.broker.backlog("orders").count


def form(**fields):
    """A multipart body: texts, and files as name, type and content."""
    parts = b""
    for name, value in fields.items():
        file, kind, content = (None, None, value.encode()) if isinstance(value, str) else value
        parts += f'--x\r\ncontent-disposition: form-data; name="{name}"'.encode()
        parts += f'; filename="{file}"\r\ncontent-type: {kind}'.encode() if file else b""
        parts += b"\r\n\r\n" + content + b"\r\n"
    return parts + b"--x--\r\n", {"content-type": "multipart/form-data; boundary=x"}


@pytest.mark.slow
async def test_a_fastapi_site(run_apart):
    """
    Templates, sessions, CORS, uploads, server-sent events, models and lifespan state work.
    """
    emu = await run_apart("fastapi_site")
    first = await emu.get("/pages/Ada")
    again = await emu.get("/pages/Ada", headers={"cookie": first.header("set-cookie").partition(";")[0]})
    body, headers = form(title="me", photo=("me.png", "image/png", b"PNG" * 50_000))
    sent = await emu.post("/photos", body, headers=headers)
    ticks = await emu.get("/ticks")

    assert "<h1>Hello Ada</h1><p>1 visits to http://127.0.0.1:8787/pages/Ada</p>" == first.text.strip()
    assert "2 visits" in again.text
    assert {"title": "me", "name": "me.png", "type": "image/png", "size": 150_000} == sent.json
    assert ("text/event-stream; charset=utf-8", 3) == (ticks.header("content-type"), ticks.text.count("data: tick\n\n"))

    origin = {"origin": "https://shop.example", "access-control-request-method": "PUT"}
    asked = await emu.request("OPTIONS", "/orders", headers=origin)
    order, too_many, wrong = [
        await emu.request("PUT", "/orders", body=json.dumps(each).encode(), headers={**origin, **JSON})
        for each in ({"sku": "tea"}, {"sku": "tea", "count": 100}, {"sku": "TEA"})
    ]

    assert (200, "https://shop.example") == (asked.status, asked.header("access-control-allow-origin"))
    assert {"from": ["shop"], "sku": "tea", "count": 1} == order.json
    assert "https://shop.example" == order.header("access-control-allow-origin")
    assert (409, {"detail": "so many there are not"}, 422) == (too_many.status, too_many.json, wrong.status)


@pytest.mark.slow
async def test_flask(run_apart):
    """
    Routes, JSON, sessions, uploads, templates, streams and error pages work.
    """
    pytest.importorskip("flask")
    emu = await run_apart("flask_app")
    first = await emu.get("/visits")
    again = await emu.get("/visits", headers={"cookie": first.header("set-cookie").partition(";")[0]})
    body, headers = form(title="me", photo=("me.png", "image/png", b"PNG" * 50_000))
    sent = await emu.post("/photos", body, headers=headers)
    gone = await emu.get("/nothing")

    assert [{"visits": 1, "greeting": "hi"}, {"visits": 2, "greeting": "hi"}] == [first.json, again.json]
    assert (201, {"title": "me", "name": "me.png", "size": 150_000}) == (sent.status, sent.json)
    assert "<h1>Hello &lt;Ada&gt;</h1>" == (await emu.get("/hello/%3CAda%3E")).text
    assert "0 1 2 " == (await emu.get("/numbers")).text
    assert (410, {"error": "it was here once"}) == (gone.status, gone.json)
    assert 404 == (await emu.get("/nowhere")).status


async def test_a_web_hook(run):
    """
    A signature is checked, a token is made and believed; a forged one is not.
    """
    emu = await run("webhook")
    body = b'{"name": "Ada"}'
    signature = hmac.digest(b"a secret of this test alone", body, "sha256").hex()
    made = await emu.post("/", body, headers={"x-signature-256": f"sha256={signature}"})
    token = made.json["token"]

    assert 401 == (await emu.post("/", body + b" ", headers={"x-signature-256": f"sha256={signature}"})).status
    assert {"sub": "Ada"} == (await emu.get("/", headers={"authorization": f"Bearer {token}"})).json
    assert 403 == (await emu.get("/", headers={"authorization": f"Bearer {token[:-4]}AAAA"})).status


async def test_a_chat(run):
    """
    What one says the others hear, and who is there is known to all requests.
    """
    emu = await run("chat")
    ada, bob = Browser(emu, "/ada"), Browser(emu, "/bob")
    await ada.next()
    await bob.next()
    bob.say("hello")
    heard = [json.loads((await ada.next())["text"]) for _ in range(2)]

    assert [{"from": "bob", "text": "is here"}, {"from": "bob", "text": "hello"}] == heard
    assert ["ada", "bob"] == (await emu.get("/who")).json


async def test_many_at_once(run):
    """
    Requests do not wait for each other.
    """
    emu = await run("wsgi_app")
    answers = await asyncio.gather(*(emu.post(f"/{number}", b"x" * number) for number in range(50)))

    assert [f"POST /{number} {'x' * number}" for number in range(50)] == [answer.text for answer in answers]
