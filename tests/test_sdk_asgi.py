"""ASGI applications in a worker: scope, lifespan, bodies in both directions, and failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from emulator.sdk.workers import Request, Response, asgi


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An application without a lifespan."""
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"plain"})


async def pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


def request(path: str = "/", **options: Any) -> Request:
    return Request(f"https://example.com{path}", **options)


async def text(response: Response) -> str:
    return await Response(response.js_object).text()


async def test_a_starlette_application():
    """
    Path, query, headers, body and env reach the application, and its answer comes back.
    """

    async def show(asked: StarletteRequest) -> JSONResponse:
        found = [asked.path_params["name"], asked.query_params["q"], asked.headers["x-a"], await asked.json()]
        return JSONResponse([*found, asked.scope["env"]["VAR"]], 201, {"x-b": "1"})

    app = Starlette(routes=[Route("/hi/{name}", show, methods=["POST"])])
    asked = request("/hi/J%C3%B6?q=1", method="POST", body="[2]", headers={"X-A": "a"})

    response = await asgi.fetch(app, asked.js_object, {"VAR": "v"})

    assert (201, "1", "application/json") == (
        response.status,
        response.headers["x-b"],
        response.headers["content-type"],
    )
    assert ["Jö", "1", "a", [2], "v"] == await response.json()


def test_the_scope():
    """
    The scope has what the platform gives, and no client or server.
    """
    scope = asgi.request_to_scope(request("/a%20b?x=%20", headers={"A": "b"}), "env", state={"s": 1})

    assert ("/a b", b"/a%20b", b"x=%20") == (scope["path"], scope["raw_path"], scope["query_string"])
    assert ("GET", "https", [(b"a", b"b")], {"s": 1}) == (
        scope["method"],
        scope["scheme"],
        scope["headers"],
        scope["state"],
    )
    assert set() == scope.keys() & {"client", "server", "root_path", "extensions"}


async def test_the_lifespan_surrounds_each_request():
    """
    Start before, end after; what the start leaves in its state is there for the request.
    """
    told: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            told.append(scope["state"]["db"])
            return await plain(scope, receive, send)
        while True:
            message = await receive()
            told.append(message["type"])
            scope["state"]["db"] = "open"
            await send({"type": f"{message['type']}.complete"})

    await asgi.fetch(app, request(), None)

    assert ["lifespan.startup", "open", "lifespan.shutdown"] == told


async def test_an_application_may_know_no_lifespan():
    """
    One that raises for it is served nevertheless.
    """
    assert "plain" == await text(await asgi.fetch(plain, request(), None))


async def test_a_start_that_fails():
    """
    The request fails with the application's own words.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="no database"):
        await asgi.fetch(app, request(), None)


async def test_a_body_in_pieces_is_streamed():
    """
    The answer comes before the application has finished, and the rest as it is made.
    """
    app = Starlette(routes=[Route("/", lambda asked: StreamingResponse(pieces(), media_type="text/event-stream"))])

    response = await asgi.fetch(app, request(), None)
    status, headers, body = response._outgoing()

    assert (200, [("content-type", "text/event-stream; charset=utf-8")]) == (status, headers)
    assert [b"a", b"b"] == [piece async for piece in body]
    await asyncio.gather(*asgi.background_tasks)


async def test_an_answer_that_nobody_reads_can_be_left():
    """
    An application that waits for its reader ends when it is cancelled.
    """
    app = Starlette(routes=[Route("/", lambda asked: StreamingResponse(pieces()))])
    await asgi.fetch(app, request(), None)
    (work,) = asgi.background_tasks

    work.cancel()
    done, _ = await asyncio.wait({work}, timeout=1)

    assert {work} == done


async def test_work_after_the_answer_goes_on():
    """
    A background task neither delays the answer nor is lost.
    """
    go, done = asyncio.Event(), asyncio.Event()

    async def later() -> None:
        await go.wait()
        done.set()

    app = Starlette(routes=[Route("/", lambda asked: PlainTextResponse("x", background=BackgroundTask(later)))])

    class Context:
        def waitUntil(self, work: Any) -> None:
            self.work = work

    ctx = Context()

    assert "x" == await text(await asgi.fetch(app, request(), None, ctx))
    assert not done.is_set()

    go.set()
    await ctx.work

    assert done.is_set()


async def test_a_client_that_leaves_stops_the_stream():
    """
    An application that goes on sending is told of the disconnect and does not hang.
    """
    told = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(5):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        told.append((await receive())["type"])

    body = (await asgi.fetch(app, request(), None))._outgoing()[2]
    await anext(body)
    await body.aclose()
    await asyncio.gather(*asgi.background_tasks)

    assert ["http.disconnect"] == told


@pytest.mark.parametrize(
    ("app", "error"),
    [
        (lambda scope, receive, send: asyncio.sleep(0), "did not generate a response"),
        (Starlette(routes=[Route("/", lambda asked: 1 / 0)]), None),
    ],
    ids=["silent", "raises"],
)
async def test_no_response_is_an_error(app, error):
    """
    An application that raises, or ends without an answer, fails the request.
    """
    if error is None:
        response = await asgi.fetch(app, request(), None)
        assert 500 == response.status
        return
    with pytest.raises(RuntimeError, match=error):
        await asgi.fetch(app, request(), None)


async def half(scope: Any, receive: Any, send: Any) -> None:
    """Begins a response and does not end it; what comes then is in the path."""
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    if scope["path"] == "/raises":
        raise LookupError("gone")
    if scope["path"] == "/gives up":
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/raises", LookupError, "gone"),
        ("/ends", RuntimeError, "did not generate a whole response"),
        ("/gives up", RuntimeError, "was cancelled before its response was whole"),
    ],
)
async def test_half_a_response_is_never_taken_for_whole(caplog, path, error, words):
    """
    Whoever reads the body meets the application's exception, which is then nobody else's business.
    """
    response = await asgi.fetch(half, request(path), None)
    body = response._outgoing()[2]

    assert b"half" == await anext(body)
    with pytest.raises(error, match=words):
        await anext(body)
    await asyncio.gather(*asgi.background_tasks, return_exceptions=True)

    assert [] == caplog.records


async def test_an_error_before_the_answer_is_raised():
    """
    What the application raises is what the worker sees.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await asgi.fetch(app, request(), None)


async def test_cookies_stay_apart_and_empty_statuses_have_no_body():
    """
    Repeated Set-Cookie headers are kept; a 204 loses its body.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b"x"})

    response = await asgi.fetch(app, request(), None)

    assert (204, [("set-cookie", "a"), ("set-cookie", "b")], None) == response._outgoing()


async def test_an_entry_point():
    """
    `asgi.entrypoint(app)` is a class the platform can call.
    """
    worker = asgi.entrypoint(plain)(None, "env")

    assert "plain" == await (await worker.fetch(request())).text()


def test_both_names_are_one_module():
    """
    `asgi` and `workers.asgi` are the same module.
    """
    from emulator.sdk import asgi as top

    assert top is asgi or top.fetch is asgi.fetch
