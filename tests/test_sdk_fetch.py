"""`fetch()` to another server: a small one on a free port, which answers as the path says."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.sdk.workers import FormData, Request, Response, fetch

pytestmark = pytest.mark.slow


class Server:
    """Answers by path, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""
        self.hangs = asyncio.Event()
        self.gone = asyncio.Event()
        self.answers: dict[str, bytes] = {
            "/ok": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok",
            "/continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
            "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            "/close": b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
            "/gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"packed"),
            "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
            "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
            "/nonsense": b"SSH-2.0-OpenSSH\r\n\r\n",
            "/silent": b"",
            "/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n",
            **{
                f"/to/{status}": f"HTTP/1.1 {status} Go\r\nLocation: /ok?from\r\n\r\n".encode()
                for status in (301, 302, 303, 307, 308)
            },
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            self.asked.append((line.rpartition(" ")[0], headers, await self.body(reader, headers)))
            path = line.split(" ")[1].partition("?")[0]
            if path == "/hang":
                self.hangs.set()
                await reader.read()
                self.gone.set()
            writer.write(self.answers.get(path, b""))
            await writer.drain()
        finally:
            writer.close()

    async def body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            return await reader.readuntil(b"0\r\n\r\n")
        return await reader.readexactly(int(headers.get("content-length", 0)))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listener = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield served


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/ok", 200, b"ok"),
        ("/continue", 201, b""),
        ("/chunks", 200, b"abc"),
        ("/close", 200, b"until the end"),
        ("/gzip", 200, b"packed"),
        ("/none", 204, b""),
    ],
)
async def test_bodies_of_all_kinds_arrive(server, path, status, body):
    """
    However the other server marks the end of its body, and whether it is packed, the content is the same.
    """
    response = await fetch(server.url + path)

    assert (status, body, server.url + path) == (response.status, await response.bytes(), response.url)
    assert response.headers.get("content-encoding") is None


async def test_an_answer_can_be_passed_on(server):
    """
    What `fetch` gives may be returned: repeated cookies stay apart, headers of the connection are gone.
    """
    status, headers, body = (await fetch(f"{server.url}/ok"))._outgoing()

    assert (200, b"ok") == (status, body)
    assert [("content-length", "2"), ("set-cookie", "a=1"), ("set-cookie", "b=2")] == sorted(headers)


async def test_what_is_sent(server):
    """
    Method, headers and body reach the other server, with the content type of the body.
    """
    await fetch(f"{server.url}/ok?q=1", method="post", headers={"X-A": 1}, body="hé")
    line, headers, body = server.asked[0]

    assert ("POST /ok?q=1", "hé".encode()) == (line, body)
    assert ("1", "3", "text/plain;charset=UTF-8") == (
        headers["x-a"],
        headers["content-length"],
        headers["content-type"],
    )


async def test_a_streamed_body_is_sent_in_chunks(server):
    """
    A generator is sent as it produces.
    """

    async def pieces() -> AsyncIterator[str]:
        yield "ab"
        yield "c"

    await fetch(f"{server.url}/ok", method="PUT", body=pieces())

    assert b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" == server.asked[0][2]


async def test_a_request_can_be_sent(server):
    """
    A `Request` may stand for the URL and options; a form is sent as multipart.
    """
    await fetch(Request(f"{server.url}/ok", method="POST", body=FormData({"a": "b"})))
    line, headers, body = server.asked[0]

    assert "POST /ok" == line
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="a"\r\n\r\nb\r\n' in body


@pytest.mark.parametrize(
    ("status", "method", "expected", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (307, "POST", "POST", b"x"),
        (308, "PUT", "PUT", b"x"),
        (301, "PUT", "PUT", b"x"),
    ],
)
async def test_redirects_are_followed(server, status, method, expected, body):
    """
    The method and body of the next request follow from the status, as in a browser.
    """
    response = await fetch(f"{server.url}/to/{status}", method=method, body="x")

    assert (f"{expected} /ok?from", body) == (server.asked[1][0], server.asked[1][2])
    assert (True, f"{server.url}/ok?from") == (response.redirected, response.url)


async def test_a_redirect_can_be_left_alone(server):
    """
    With redirect="manual" the redirect itself is the answer.
    """
    response = await fetch(f"{server.url}/to/302", redirect="manual")

    assert (302, "/ok?from", False) == (response.status, response.headers["location"], response.redirected)


async def test_another_origin_does_not_learn_secrets(server):
    """
    Following a redirect elsewhere drops authorization and cookies, and keeps other headers.
    """
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.answers["/away"] = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}/ok\r\n\r\n".encode()

    await fetch(f"{server.url}/away", headers={"authorization": "secret", "cookie": "a=b", "x": "y"})
    headers = server.asked[1][1]

    assert ("y", None, None) == (headers["x"], headers.get("authorization"), headers.get("cookie"))


@pytest.mark.parametrize(
    ("path", "options"),
    [("/nonsense", {}), ("/silent", {}), ("/short", {}), ("/loop", {}), ("/to/302", {"redirect": "error"})],
)
async def test_no_answer_is_an_os_error(server, path, options):
    """
    Whatever goes wrong on the way is an OSError.
    """
    with pytest.raises(OSError):
        await (await fetch(server.url + path, **options)).text()


async def test_nobody_listens():
    """
    A refused connection is an OSError that names the URL.
    """
    with pytest.raises(OSError, match=r"^fetch http://127\.0\.0\.1:1/: "):
        await fetch("http://127.0.0.1:1")


async def test_cancelling_closes_the_connection(server):
    """
    When the task that fetches is cancelled, the other server sees the connection end.
    """
    task = asyncio.create_task(fetch(f"{server.url}/hang"))
    await server.hangs.wait()
    task.cancel()

    await server.gone.wait()

    assert task.cancelled()


async def test_fetch_takes_one_positional_argument():
    """
    Options are keywords; the mistake gets Python's own text.
    """
    with pytest.raises(TypeError, match=r"fetch\(\) takes 1 positional argument but 2 were given"):
        await fetch("http://x/", {})  # type: ignore[call-arg]


async def test_another_fetcher():
    """
    `fetcher` sends the request instead.
    """

    async def fetcher(resource: Any, **options: Any) -> Response:
        return Response(f"{resource} {options}")

    assert "x {'method': 'PUT'}" == await (await fetch("x", method="PUT", fetcher=fetcher)).text()


@pytest.mark.parametrize("url", ["ftp://x/", "data:text/plain,x"])
async def test_other_schemes_are_refused(url):
    """
    Only http and https can be fetched.
    """
    with pytest.raises(TypeError, match=r"^Fetch API cannot load: "):
        await fetch(url)
