"""Serve an ASGI application from a worker: `return await asgi.fetch(app, request, self.env)`."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from . import current
from .entrypoints import WorkerEntrypoint
from .gateway import BaseOptions
from .inline import use_no_threads
from .later import part
from .request import Request, _source
from .response import Response
from .statuses import NO_BODY

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

_VERSION = {"spec_version": "2.0", "version": "3.0"}

log = logging.getLogger("asgi")
background_tasks: set[asyncio.Future[Any]] = set()


class Options(BaseOptions):
    """How responses leave."""


async def fetch(app: App, req: Any, env: Any, ctx: Any = None, *, options: Options | None = None) -> Response:
    """
    The application's response to a request. Its lifespan begins before and ends after each one.

    A body that the application sends in several pieces is streamed. What it does after the last piece goes on in
    `waitUntil`. Raises what the application raised, or RuntimeError when it sent no response.
    """
    request, _ = _source(req)
    if request is None:
        raise TypeError(f"asgi.fetch() takes a Request, got {type(req).__name__}")
    use_no_threads()
    lifespan = _Lifespan(app)
    await lifespan.say("startup")
    exchange = _Exchange(app, request_to_scope(request, env, state=dict(lifespan.state)), await request.bytes())
    work = asyncio.ensure_future(exchange.run())
    try:
        response = await exchange.response
    except BaseException:
        work.cancel()
        await lifespan.say("shutdown")
        raise
    if work.done():
        await lifespan.say("shutdown")
    else:
        _keep(_finish(work, lifespan), ctx)
    return response


async def websocket(app: App, req: Any, env: Any = None) -> Response:
    """The response that opens a web socket, behind which the application talks with the browser."""
    use_no_threads()
    answer: Response = await part("workers.conversation").websocket(app, request_to_scope(req, env, ws=True))
    return answer


def entrypoint(app: App, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """A class that serves an application, web sockets included: `Default = asgi.entrypoint(app)`."""

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            if str(request.headers.get("upgrade", "")).lower() == "websocket":
                return await websocket(app, request, self.env)
            return await fetch(app, request, self.env, self.ctx, options=options)

    return Default


def request_to_scope(req: Any, env: Any, ws: bool = False, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """The ASGI scope of a request; `env` is in it."""
    request, _ = _source(req)
    assert request is not None
    url = urlsplit(request.url)
    secure = url.scheme == "https"
    return {
        "asgi": _VERSION,
        "type": "websocket" if ws else "http",
        "http_version": "1.1",
        "method": request._method,
        "scheme": ("wss" if secure else "ws") if ws else url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in request._pairs],
        "env": env,
        "state": state or {},
    }


class _Exchange:
    """One request and what the application sends for it."""

    def __init__(self, app: App, scope: dict[str, Any], content: bytes) -> None:
        self._app = app
        self._scope = scope
        pieces = [{"type": "http.request", "body": content, "more_body": True}] if content else []
        self._requests = [*pieces, {"type": "http.request", "body": b"", "more_body": False}]
        self._start: Message | None = None
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        # One piece waits at most: an application must not run ahead of a slow client.
        self._room = asyncio.Semaphore(1)
        self._over = asyncio.Event()
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._is_told(RuntimeError("The application was cancelled before its response was whole"))
            raise
        except Exception as error:
            if not self._is_told(error):
                log.exception("ASGI request failed")
        else:
            what = "a whole response" if self.response.done() else "a response"
            self._is_told(RuntimeError(f"The application did not generate {what}"))

    def _is_told(self, error: Exception) -> bool:
        """Tell who waits for the response, or who reads it; nobody does once it is whole, or has been left."""
        if self._over.is_set():
            return False
        if self.response.done():
            self._pieces.put_nowait(error)
        else:
            self.response.set_exception(error)
        self._over.set()
        return True

    async def _receive(self) -> Message:
        if self._requests:
            return self._requests.pop(0)
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" if self._start is None:
                self._start = message
            case "http.response.body" if self._start is not None:
                await self._body(self._start, message.get("body", b""), message.get("more_body", False))
            case unexpected:
                raise RuntimeError(f"Unexpected ASGI message '{unexpected}'")

    async def _body(self, start: Message, body: bytes, more: bool) -> None:
        if self._over.is_set():
            return
        if not self.response.done() and not more:
            self._over.set()
            self.response.set_result(_response(start, bytes(body)))
            return
        if not self.response.done():
            self.response.set_result(_response(start, self._streamed()))
        if body:
            await self._room.acquire()
            self._pieces.put_nowait(bytes(body))
        if not more:
            self._pieces.put_nowait(None)
            self._over.set()

    async def _streamed(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                self._room.release()
                yield piece
        finally:
            # The client may have left early: whoever waits to send goes on, and is not heard.
            self._over.set()
            self._room.release()


def _response(start: Message, body: Any) -> Response:
    status = start["status"]
    headers = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in start.get("headers", [])]
    return Response(None if status in NO_BODY else body, status, headers=headers)


class _Lifespan:
    """The application's start and end. Applications that know nothing of it are left alone."""

    def __init__(self, app: App) -> None:
        self.state: dict[str, Any] = {}
        self._questions: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": _VERSION, "state": self.state}
        self._task = asyncio.ensure_future(self._run(app, scope))

    async def _run(self, app: App, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._questions.get, self._answers.put)
        except Exception as error:
            log.debug("the application has no lifespan: %r", error)

    async def say(self, phase: str) -> None:
        """Tell the application to start up or shut down, and wait. Raises RuntimeError when it failed."""
        if self._task.done():
            return
        self._questions.put_nowait({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(self._answers.get())
        try:
            await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            failed = answer.done() and answer.result()["type"].endswith(".failed")
            if failed or phase == "shutdown" or not answer.done():
                answer.cancel()
                self._task.cancel()
        if failed:
            raise RuntimeError(answer.result().get("message") or f"the application failed at {phase}")


async def _finish(work: asyncio.Future[None], lifespan: _Lifespan) -> None:
    try:
        await work
    finally:
        await lifespan.say("shutdown")


def _keep(work: Any, ctx: Any) -> None:
    """Let work go on after the answer, in the context we were given or the one there is."""
    if ctx is not None:
        ctx.waitUntil(work)
    elif current.invocation.get(None) is not None:
        current.wait_until(work)
    else:
        run_in_background(work)


def run_in_background(coro: Any) -> None:
    """Let work go on, and keep hold of it."""
    task = asyncio.ensure_future(coro)
    background_tasks.add(task)
    task.add_done_callback(background_tasks.discard)


def __getattr__(name: str) -> Any:
    if name == "env":
        # FastAPI reads the annotation: this class stands for requests and web sockets alike.
        _env_of.__annotations__["request"] = importlib.import_module("starlette.requests").HTTPConnection
        return importlib.import_module("fastapi").Depends(_env_of)
    raise AttributeError(f"module 'workers.asgi' has no attribute '{name}'", name=name)


async def _env_of(request: Any) -> Any:
    return request.scope["env"]
