"""The guard: what never reaches the worker, and how the client is told."""

import asyncio
import base64
import os
import re
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from emulator.api.explorer import explorer_routes
from emulator.api.local import Local
from emulator.api.rest import OPERATIONS, PREFIX
from emulator.guard import Limits, check_head, check_headers, guarded, origins
from emulator.guard.origins import Host, is_loopback, is_ours, is_own_origin, parse_host

SMALL = Limits(linger_seconds=0.02, head_bytes=4_000, target_bytes=500, header_lines=20, pipelined=3)
HURRIED = replace(SMALL, head_seconds=0.03, body_idle_seconds=0.03)
PARSERS = ["httptools", "h11"]


async def echo(scope, receive, send):
    """Says what it got; `/slow` waits for its body or the client's leaving first."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close"})
        return
    body, more = b"", True
    while more and scope["path"] != "/deaf":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    names = ",".join(sorted(name.decode() for name, _ in scope["headers"]))
    if scope["path"] == "/slow":
        await asyncio.sleep(0.06)
    answer = f"{scope['raw_path'].decode()} [{names}] ".encode() + body
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(answer)).encode())]}
    )
    await send({"type": "http.response.body", "body": answer})


class _Server(uvicorn.Server):
    async def stop(self):
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(app=echo, *, limits=SMALL, parser="httptools"):
    """A real server on a free port; yields the port."""
    config = uvicorn.Config(
        app,
        http=guarded(limits, parser=parser),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=1,
    )
    config.load()
    server = _Server(config)
    server.lifespan = config.lifespan_class(config)
    listening = socket.create_server(("127.0.0.1", 0))
    await server.startup([listening])
    try:
        yield listening.getsockname()[1]
    finally:
        await server.stop()


async def say(port, *pieces, end=False):
    """Everything the server answers to these bytes until it closes, or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    answer = b""
    try:
        async with asyncio.timeout(0.5):
            while piece := await reader.read(65536):
                answer += piece
                if end and end in answer:
                    break
            else:
                answer += b"<closed>"
    except (TimeoutError, ConnectionResetError) as error:
        answer += f"<{type(error).__name__}>".encode()
    writer.transport.abort()
    return answer


def head(line="GET / HTTP/1.1", *lines):
    return "\r\n".join([line, *lines, "\r\n"]).encode("latin-1")


REFUSED = {
    "no host": (head(), 400, b""),
    "no host, 1.0": (head("GET / HTTP/1.0"), 400, b""),
    "two hosts": (head("GET / HTTP/1.1", "Host: a", "Host: a"), 400, b""),
    "http/0.9": (b"GET /\r\n\r\n", 400, b""),
    "http/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, b""),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, b""),
    "length and chunked": (
        head("POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
        b"",
    ),
    "two equal lengths": (
        head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 1") + b"x",
        400,
        b"",
    ),
    "signed length": (head("POST / HTTP/1.1", "Host: a", "Content-Length: +1") + b"x", 400, b""),
    "two codings": (head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: identity, chunked"), 400, b""),
    "unknown coding": (head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked"), 400, b""),
    "chunked in 1.0": (head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400, b""),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", 400, b""),
    "folded header": (head("GET / HTTP/1.1", "Host: a", "X: 1", " 2"), 400, b""),
    "fragment": (head("GET /a#b HTTP/1.1", "Host: a"), 400, b"percent-encoded"),
    "backslash": (head("GET /cdn-cgi\\x HTTP/1.1", "Host: a"), 400, b"percent-encoded"),
    "encoded NUL": (head("GET /a%00b HTTP/1.1", "Host: a"), 400, b"NUL"),
    "NUL": (head("GET /a\0b HTTP/1.1", "Host: a"), 400, b""),
    "another server": (head("GET http://evil.com/ HTTP/1.1", "Host: a"), 400, b"no proxy"),
    "connect": (head("CONNECT evil.com:80 HTTP/1.1", "Host: a"), 400, b"no proxy"),
    "long url": (head(f"GET /{'a' * 600} HTTP/1.1", "Host: a"), 414, b"500 bytes"),
    "endless url": (b"GET /" + b"a" * 600, 414, b"500 bytes"),
    "many lines": (head("GET / HTTP/1.1", "Host: a", *["X: 1"] * 20), 431, b"20 header lines"),
    "large head": (head("GET / HTTP/1.1", "Host: a", "X: " + "1" * 4_000), 431, b"4000 bytes"),
    "endless header": (b"GET / HTTP/1.1\r\nX: " + b"1" * 400_000, 431, b"4000 bytes"),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("sent", "status", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_head_is_refused(sent, status, reason, parser):
    """
    A head that is malformed, ambiguous or too large gets one line saying why, and the connection is closed.
    """
    async with serving(parser=parser) as port:
        answer = await say(port, sent)

    assert b"HTTP/1.1 %d " % status == answer[:13]
    assert reason in answer
    assert 1 == answer.count(b"HTTP/1.1 ")
    assert answer.endswith(b"\n<closed>")


SERVED = {
    "plain": (head("GET /a HTTP/1.1", "Host: a"), b"/a [host] "),
    "1.0 with host": (head("GET /a HTTP/1.0", "Host: a"), b"/a [host] "),
    "encoding kept": (head("GET /a%2Fb//c/../%41 HTTP/1.1", "Host: a"), b"/a%2Fb//c/../%41 [host] "),
    "backslash in query": (head("GET /a?b=\\ HTTP/1.1", "Host: a"), b"/a [host] "),
    "body": (head("POST /a HTTP/1.1", "Host: a", "Content-Length: 5") + b"hello", b" hello"),
    "chunks": (
        head("POST /a HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked") + b"5\r\nhello\r\n0\r\n\r\n",
        b" hello",
    ),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("sent", "expected"), SERVED.values(), ids=SERVED)
async def test_a_good_request_passes(sent, expected, parser):
    """
    What is within the rules reaches the app unchanged.
    """
    async with serving(parser=parser) as port:
        answer = await say(port, sent, end=expected)

    assert expected in answer


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_request_in_single_bytes_passes(parser):
    """
    It does not matter how the bytes are cut into pieces.
    """
    sent = head("POST /a HTTP/1.1", "Host: a", "Content-Length: 5") + b"hello"
    async with serving(parser=parser) as port:
        answer = await say(port, *(sent[at : at + 1] for at in range(len(sent))), end=b"hello")

    assert b" hello" in answer


async def test_blank_lines_may_come_first():
    """
    Some clients end a body with a line too many; that disturbs nothing, and buys no time.
    """
    async with serving(limits=HURRIED) as port:
        served = await say(port, b"\r\n\r\n" + head("GET /a HTTP/1.1", "Host: a"), end=b"[host]")
        silent = await say(port, b"\r\n")

    assert b"/a [host] " in served
    assert b"HTTP/1.1 408 " == silent[:13]


SILENT = {
    "half a head": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"the request head took too long"),
    "half a method": (b"GE", b"the request head took too long"),
    "half a body": (head("POST / HTTP/1.1", "Host: a", "Content-Length: 9") + b"he", b"the request body stopped"),
    "half a chunk": (
        head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + b"9\r\nhe",
        b"the request body stopped",
    ),
    "a head after a request": (
        head("GET / HTTP/1.1", "Host: a") + b"GET / HTTP/1.1\r\n",
        b"the request head took too long",
    ),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("sent", "reason"), SILENT.values(), ids=SILENT)
async def test_a_client_that_falls_silent_is_let_go(sent, reason, parser):
    """
    Half a request and then nothing is answered 408 at the deadline.
    """
    async with serving(limits=HURRIED, parser=parser) as port:
        answer = await say(port, sent)

    assert b"HTTP/1.1 408 " in answer
    assert reason in answer
    assert answer.endswith(b"<closed>")


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_connection_that_says_nothing_is_closed_without_a_word(parser):
    """
    Browsers open connections ahead of need; those are not answered, only closed.
    """
    async with serving(limits=HURRIED, parser=parser) as port:
        answer = await say(port)

    assert b"<closed>" == answer


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_head_that_drips_has_the_same_deadline(parser):
    """
    The deadline of a head counts from its first byte; more bytes do not put it off.
    """
    async with serving(limits=HURRIED, parser=parser) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
        answered = asyncio.create_task(reader.read(100))
        began = asyncio.get_running_loop().time()
        while not answered.done() and asyncio.get_running_loop().time() < began + 0.15:
            writer.write(b"X")
            await asyncio.sleep(0.005)
        took = asyncio.get_running_loop().time() - began
        answer = await answered
        writer.transport.abort()

    assert b"HTTP/1.1 408 " == answer[:13]
    assert took < 0.1


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_slow_answer_has_no_deadline(parser):
    """
    Deadlines are for clients: a handler may take as long as it likes.
    """
    async with serving(limits=HURRIED, parser=parser) as port:
        answer = await say(port, head("GET /slow HTTP/1.1", "Host: a"), end=b"[host]")

    assert b"/slow [host] " in answer


@pytest.mark.parametrize("parser", PARSERS)
async def test_requests_on_one_connection_are_answered_in_order(parser):
    """
    A few requests sent ahead of their answers are all answered, in order.
    """
    ahead = b"".join(head(f"GET /{n} HTTP/1.1", "Host: a") for n in range(3))
    async with serving(parser=parser) as port:
        answer = await say(port, ahead, end=b"/2 [host]")

    assert [b"/0", b"/1", b"/2"] == [part[:2] for part in answer.split(b"\r\n\r\n")[1:]]


async def test_too_many_requests_ahead_end_the_connection():
    """
    Past the limit what was taken is answered, and the rest is not.
    """
    ahead = b"".join(head(f"GET /{n} HTTP/1.1", "Host: a") for n in range(10))
    async with serving() as port:
        answer = await say(port, ahead)

    assert 4 == answer.count(b"HTTP/1.1 200 ")
    assert answer.endswith(b"/3 [host] <closed>")


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_bad_request_behind_a_good_one_does_not_disturb_its_answer(parser):
    """
    The first answer arrives whole; the refusal is not mixed into it.
    """
    sent = head("GET /slow HTTP/1.1", "Host: a") + head("GET /evil HTTP/1.1")
    async with serving(parser=parser) as port:
        answer = await say(port, sent)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"/slow [host] ")
    assert b"/evil" not in answer
    assert answer.endswith(b"<closed>")


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_trailer_does_not_become_a_header(parser):
    """
    What comes after the body cannot be taken for a checked header.
    """
    chunked = head("POST /a HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")
    async with serving(parser=parser) as port:
        answer = await say(port, chunked + b"1\r\nx\r\n0\r\nOrigin: b\r\n\r\n", end=b"] x")

    assert b"[host,transfer-encoding] x" in answer


async def test_an_endless_trailer_is_refused():
    """
    The limit on headers holds for trailers too.
    """
    chunked = head("POST /a HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")
    async with serving() as port:
        answer = await say(port, chunked, b"0\r\nX: ", *[b"y" * 3_000] * 200)

    assert b"HTTP/1.1 431 " == answer[:13]


async def test_bytes_after_another_upgrade_are_no_request():
    """
    A request that asks for a protocol we do not speak is answered, and is the last on its connection.
    """
    sent = head("GET /a HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: h2c")
    async with serving() as port:
        answer = await say(port, sent + head("GET /smuggled HTTP/1.1", "Host: a"))

    assert 1 == answer.count(b"HTTP/1.1 ")
    assert b"/smuggled" not in answer
    assert answer.endswith(b"<closed>")


@pytest.mark.parametrize("parser", PARSERS)
async def test_half_open_connections_make_room_for_a_good_one(parser):
    """
    When all places are taken by idle connections, the oldest leaves and the new one is served.
    """
    async with serving(limits=replace(SMALL, connections=3), parser=parser) as port:
        half_open = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in half_open:
            writer.write(b"GET / HTTP/1.1\r\n")
        answer = await say(port, head("GET /a HTTP/1.1", "Host: a"), end=b"[host]")
        left = await asyncio.wait_for(half_open[0][0].read(), 0.2)
        for _, writer in half_open:
            writer.transport.abort()

    assert b"/a [host] " in answer
    assert b"" == left


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_busy_server_says_that_it_is_full(parser):
    """
    When every connection is at work, a new one is answered 503.
    """
    async with serving(limits=replace(SMALL, connections=1), parser=parser) as port:
        _, busy = await asyncio.open_connection("127.0.0.1", port)
        busy.write(head("GET /slow HTTP/1.1", "Host: a"))
        await asyncio.sleep(0.01)
        answer = await say(port, head("GET /a HTTP/1.1", "Host: a"))
        busy.transport.abort()

    assert b"HTTP/1.1 503 " == answer[:13]
    assert answer.endswith(b"<closed>")


def upgrade(path="/ws", *lines, host="localhost"):
    key = base64.b64encode(os.urandom(16)).decode()
    asked = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}")
    return head(f"GET {path} HTTP/1.1", f"Host: {host}", *asked, *lines)


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_websocket_works_and_has_no_deadline(parser):
    """
    After the upgrade the guard lets go: a socket may be quiet for as long as it likes.
    """
    async with serving(limits=HURRIED, parser=parser) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(upgrade())
        accepted = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.06)
        writer.write(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
        frame = await reader.readexactly(4)
        writer.transport.abort()

    assert b"HTTP/1.1 101 " == accepted[:13]
    assert b"\x81\x02hi" == frame


async def test_a_foreign_websocket_is_refused_before_the_upgrade():
    """
    A page of another origin gets 403 and a reason where it asked for a socket of ours.
    """
    app = origins(echo, hosts=frozenset, strict_host=False)
    async with serving(app) as port:
        answer = await say(port, upgrade("/cdn-cgi/x", "Origin: http://evil.com"), end=b"Origin")

    assert b"HTTP/1.1 403 " == answer[:13]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "exactly one Host"),
        ([(b"host", b"a"), (b"host", b"b")], "exactly one Host"),
        ([(b"host", b"a"), (b"content-length", b"1"), (b"content-length", b"1")], "one Content-Length"),
        ([(b"host", b"a"), (b"content-length", b"1"), (b"transfer-encoding", b"chunked")], "cannot be combined"),
        ([(b"host", b"a"), (b"transfer-encoding", b"gzip, chunked")], "exactly: chunked"),
        ([(b"host", b"a"), (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], "exactly: chunked"),
    ],
)
def test_a_refusal_names_the_header(headers, reason):
    """
    The one line says which header is wrong.
    """
    refusal = check_head("1.1", b"/", headers, Limits())

    assert 400 == refusal.status
    assert reason in refusal.reason


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_get_a_verdict(target, value):
    """
    The checks of a head answer for every input.
    """
    verdict = check_head("1.1", target, [(b"host", b"a"), (b"transfer-encoding", value)], Limits())

    assert verdict is None or verdict.status in (400, 414)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x-a", "b", None),
        ("x-a", "tab\tand \xe9", None),
        ("x-a", "b\r\nset-cookie: c", "header x-a has a carriage return at position 1; encode it, or leave it out"),
        ("x-a", "b\nc", "header x-a has a line feed at position 1; encode it, or leave it out"),
        ("x-a", "\0", "header x-a has a NUL at position 0; encode it, or leave it out"),
        ("x-a", "5 €", "header x-a has the character '\\u20ac' at position 2; encode it, or leave it out"),
        ("x a", "b", "'x a' is no header name; use letters, digits and -"),
        ("x\r\n", "b", "'x\\r\\n' is no header name; use letters, digits and -"),
        ("", "b", "'' is no header name; use letters, digits and -"),
        ("Content-Length", "ten", "header Content-Length must be a whole number, got 'ten'"),
    ],
)
def test_headers_of_an_answer_are_checked(name, value, expected):
    """
    A header that cannot be sent is named before anything is sent.
    """
    assert expected == check_headers([("x-fine", "1"), (name, value)])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("localhost", Host("localhost")),
        ("LOCALHOST.:8787", Host("localhost", 8787)),
        ("[::1]:80", Host("::1", 80)),
        ("[0:0:0:0:0:0:0:1]", Host("::1")),
        ("my_box:1", Host("my_box", 1)),
        ("", None),
        (":80", None),
        ("a:b", None),
        ("a:99999", None),
        ("a:", None),
        ("a/b", None),
        ("localhost@evil.com", None),
        ("evil.com, localhost", None),
        ("[::1", None),
        ("[1.2.3.4]", None),
        ("a b", None),
        ("münchen", None),
        ("a%2eb", None),
    ],
)
def test_a_host_has_one_spelling(value, expected):
    """
    Case, a trailing dot and ways to write an address do not matter; what is no host is None.
    """
    assert expected == parse_host(value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True),
        ("a.b.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("evil.com", False),
        ("localhost.evil.com", False),
        ("evillocalhost", False),
        ("127.0.0.1.nip.io", False),
        ("127.1", False),
        ("2130706433", False),
        ("0.0.0.0", False),
        ("192.168.0.1", False),
        ("::", False),
        ("::2", False),
    ],
)
def test_loopback_names(name, expected):
    """
    Only names that no name server can point elsewhere are loopback names.
    """
    assert expected is is_loopback(name)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8787", True),
        ("http://127.0.0.1:8787", True),
        ("HTTP://localhost:8787", False),
        ("http://[::1]:8787", True),
        ("https://localhost:8787", True),
        ("http://shop.test:8787", True),
        ("http://localhost:9999", False),
        ("http://localhost", False),
        ("http://[::1]:9", False),
        ("http://evil.com:8787", False),
        ("http://evil.com", False),
        ("http://localhost.evil.com:8787", False),
        ("http://localhost:8787@evil.com", False),
        ("http://localhost:8787/", False),
        ("ftp://localhost:8787", False),
        ("chrome-extension://localhost:8787", False),
        ("null", False),
        ("", False),
        ("localhost:8787", False),
    ],
)
def test_an_origin_must_be_one_of_ours(origin, expected):
    """
    Scheme, name and port must all be ours; another port of this machine is another origin.
    """
    assert expected is is_own_origin(origin, Host("localhost", 8787), frozenset({"shop.test"}))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/cdn-cgi/local/health", True),
        ("/cdn-cgi", True),
        ("//cdn-cgi/x", True),
        ("/CDN-CGI/x", True),
        ("/./cdn-cgi/x", True),
        ("/a/../cdn-cgi/x", True),
        ("/../../cdn-cgi", True),
        ("/cdn-cgi\\x", True),
        ("\\cdn-cgi\\x", True),
        ("/", False),
        ("/cdn-cgix", False),
        ("/a/cdn-cgi/x", False),
        ("/cdn-cgi/../a", True),
        ("/a/cdn-cgi/../b", False),
    ],
)
def test_every_spelling_of_our_paths_is_guarded(path, expected):
    """
    Whatever could be taken for a path under /cdn-cgi/ falls under its rules.
    """
    assert expected is is_ours(path)


async def ask(method="GET", path="/cdn-cgi/x", *, host="localhost:8787", strict=False, **headers):
    """The status and reason of the rules, or 200 where they let the request through."""
    sent = []

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        cors = [(b"Access-Control-Allow-Origin", b"*"), (b"x-app", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": cors})
        await send({"type": "http.response.body", "body": b"reached"})

    raw = [(b"host", host.encode("latin-1"))] if host is not None else []
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    await origins(app, hosts=lambda: {"Shop.test.", "192.168.0.7", "::2"}, strict_host=strict)(scope, None, send)
    return sent[0]["status"], sent[1]["body"].decode(), dict(sent[0]["headers"])


OWN = "http://localhost:8787"
EVIL = "http://evil.com"
TRIGGER = "/cdn-cgi/handler/scheduled"
JSON = {"content_type": "application/json", "content_length": "2"}


@pytest.mark.parametrize(
    ("expected", "asked"),
    [
        (200, {}),
        (200, {"host": "127.0.0.1:8787", "origin": OWN}),
        (200, {"host": "[::1]:8787"}),
        (200, {"host": "shop.test:8787"}),
        (200, {"host": "192.168.0.7"}),
        (200, {"host": "[::2]:8787"}),
        (400, {"host": None}),
        (400, {"host": ""}),
        (400, {"host": "a b", "path": "/"}),
        (403, {"host": "evil.com"}),
        (403, {"host": "x.shop.test"}),
        (403, {"origin": EVIL}),
        (403, {"origin": "null"}),
        (403, {"origin": "http://localhost:9999"}),
        (403, {"method": "OPTIONS", "origin": EVIL, "access_control_request_method": "POST"}),
        (200, {"path": "/", "host": "evil.com", "origin": EVIL}),
        (403, {"path": "/", "host": "evil.com", "strict": True}),
        (200, {"path": "/", "host": "localhost", "origin": EVIL, "strict": True}),
        (200, {"method": "POST"}),
        (200, {"method": "POST", **JSON}),
        (200, {"method": "POST", "origin": OWN, "sec_fetch_site": "same-origin", **JSON}),
        (
            200,
            {"method": "PATCH", "content_type": "application/merge-patch+json; charset=utf-8", "content_length": "2"},
        ),
        (415, {"method": "POST", "content_type": "text/plain", "content_length": "2"}),
        (415, {"method": "DELETE", "transfer_encoding": "chunked"}),
        (415, {"method": "POST", "content_type": "multipart/form-data; a=application/json", "content_length": "2"}),
        (403, {"method": "POST", "sec_fetch_site": "cross-site", **JSON}),
        (403, {"method": "POST", "sec_fetch_site": "same-site", **JSON}),
        (403, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "script"}),
        (200, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}),
        (403, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}),
        (200, {"path": TRIGGER}),
        (200, {"path": TRIGGER, "sec_fetch_site": "none", "sec_fetch_mode": "navigate"}),
        (403, {"path": TRIGGER, "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}),
        (403, {"path": TRIGGER, "sec_fetch_site": "same-site"}),
        (403, {"path": TRIGGER + "/", "sec_fetch_site": "cross-site"}),
        (403, {"path": TRIGGER, "host": "shop.test"}),
        (200, {"path": TRIGGER, "host": "shop.test", "method": "POST"}),
    ],
)
async def test_the_rules_of_our_routes(expected, asked):
    """
    Foreign names and pages are refused, scripts and our own pages pass.
    """
    status, body, _ = await ask(**asked)

    assert expected == status
    assert ("reached" == body) is (200 == expected)
    assert 1 == len(body.splitlines())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE", "PROPFIND", "QUERY", "get"])
@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:9", "https://localhost.evil.com:8787", ""])
async def test_no_method_is_forgotten(method, origin):
    """
    Every method, real or made up, is refused to a foreign origin.
    """
    status, _, headers = await ask(method, origin=origin, x_http_method_override="GET")

    assert 403 == status
    assert [] == [name for name in headers if name.startswith(b"access-control")]


@pytest.mark.parametrize("path", ["//cdn-cgi/x", "/CDN-CGI/x", "/./cdn-cgi/x", "/cdn-cgi\\x"])
async def test_another_spelling_is_no_way_round(path):
    """
    The rules hold for what only looks like one of our paths, too.
    """
    status, _, _ = await ask(path=path, host="evil.com")

    assert 403 == status


OUR_PATHS = sorted(
    {
        *(route.path for route in (*Local(None).routes(), *explorer_routes(None))),
        *(PREFIX + operation.path for operation in OPERATIONS),
    }
)


@pytest.mark.parametrize("path", OUR_PATHS)
async def test_no_parameter_leads_a_request_past_the_rules(path):
    """
    Whatever the URL map takes for ours is guarded, also when its decoded parameters seem to lead elsewhere.
    """
    climbing = re.sub(r"\{.*?\}", "../../../../../../x", path)
    for each in (climbing, f"{climbing}/../../../../../../x"):
        assert 403 == (await ask("POST", each, host="evil.com"))[0]
        assert 403 == (await ask("POST", each, origin=EVIL))[0]


async def test_a_saved_route_counts_at_once():
    """
    The names that count as ours are those of the configs as they are now.
    """
    names, reached = [], []

    async def app(scope, receive, send):
        reached.append(scope["path"])

    async def send(message):
        pass

    guarded = origins(app, hosts=lambda: names, strict_host=True)
    await guarded({"type": "http", "method": "GET", "path": "/1", "headers": [(b"host", b"new.test")]}, None, send)
    names.append("new.test")
    await guarded({"type": "http", "method": "GET", "path": "/2", "headers": [(b"host", b"new.test")]}, None, send)

    assert ["/2"] == reached


async def test_our_routes_invite_no_other_origin():
    """
    No header of ours lets another origin in, and the worker's own are left alone.
    """
    _, _, ours = await ask()
    _, _, workers = await ask(path="/")

    assert b"Access-Control-Allow-Origin" not in ours
    assert b"same-origin" == ours[b"cross-origin-resource-policy"]
    assert b"nosniff" == ours[b"x-content-type-options"]

    assert b"*" == workers[b"Access-Control-Allow-Origin"]


async def test_a_refusal_says_what_to_do():
    """
    The one line names what was wrong and the way out.
    """
    _, host, _ = await ask(host="evil.com")
    _, strict, _ = await ask(path="/", host="evil.com", strict=True)

    assert (
        "Host evil.com may not use /cdn-cgi/; say localhost, or make the name a route in the worker's config\n" == host
    )
    assert "--strict-host" in strict
