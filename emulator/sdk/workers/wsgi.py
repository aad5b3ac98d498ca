"""Serve a WSGI application from a worker: `return await wsgi.fetch(app, request, self.env)`."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from . import current
from .body import Content
from .entrypoints import WorkerEntrypoint
from .gateway import BaseOptions
from .request import Request, _source
from .response import Response
from .stacks import on_own_stack, run_sync
from .statuses import NO_BODY
from .urls import PORTS

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger("wsgi")


class Options(BaseOptions):
    """How responses leave."""


async def fetch(app: App, req: Any, env: Any, ctx: Any = None, *, options: Options | None = None) -> Response:
    """
    The application's response to a request, piece by piece as it makes it.

    The application may use `run_sync`. Raises what it raised before it began to answer.
    """
    request, _ = _source(req)
    if request is None:
        raise TypeError(f"wsgi.fetch() takes a Request, got {type(req).__name__}")
    exchange = _Exchange(app, build_environ(request, env, _input(request._body.take())))
    work = asyncio.ensure_future(on_own_stack(exchange.run))
    try:
        waited: set[asyncio.Future[Any]] = {work, exchange.response}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        work.cancel()
        raise
    if not exchange.response.done():
        await work
        raise RuntimeError("The WSGI application did not call start_response()")
    if work.done():
        _complain(work)
    else:
        current.keep(_rest(work))
    return exchange.response.result()


def entrypoint(app: App, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """A class that serves an application: `Default = wsgi.entrypoint(app)`."""

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            return await fetch(app, request, self.env, self.ctx, options=options)

    return Default


def build_environ(req: Any, env: Any, body: Any) -> Environ:
    """The WSGI environ of a request; `env` is in it as `workers.env`."""
    request, _ = _source(req)
    assert request is not None
    url = urlsplit(request.url)
    environ: Environ = {
        "REQUEST_METHOD": request._method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "",
        "SERVER_PORT": str(url.port or PORTS.get(url.scheme, 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "workers.env": env,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


class _Exchange:
    """One request and what the application writes for it; `run` is called on a stack of its own."""

    def __init__(self, app: App, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._start: tuple[int, list[tuple[str, str]]] | None = None
        # One piece waits at most: an application must not run ahead of a slow client.
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(1)
        self._left = asyncio.Event()
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def run(self) -> None:
        result = self._app(self._environ, self._start_response)
        try:
            self._send(result)
        except BaseException as error:
            if not self.response.done():
                raise
            log.exception("WSGI request failed")
            run_sync(self._put(error))
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def _send(self, result: Iterable[bytes]) -> None:
        if isinstance(result, list | tuple) and not self.response.done():
            self._respond(b"".join(result))
            return
        for piece in result:
            if self._left.is_set():
                return
            if piece:
                self._write(piece)
        if self.response.done():
            run_sync(self._put(None))
        else:
            self._respond(b"")

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info is not None and self.response.done():
            raise exc_info[1].with_traceback(exc_info[2])
        assert self._start is None or exc_info is not None, "start_response() was called twice without exc_info"
        self._start = (int(status.split(" ", 1)[0]), list(headers))
        return self._write

    def _write(self, piece: bytes) -> None:
        if not self.response.done():
            self._respond(self._streamed())
        run_sync(self._put(bytes(piece)))

    def _respond(self, body: Any) -> None:
        if self._start is None:
            raise RuntimeError("The WSGI application did not call start_response()")
        status, headers = self._start
        self.response.set_result(Response(None if status in NO_BODY else body, status, headers=headers))
        if status in NO_BODY:
            self._left.set()

    async def _put(self, piece: bytes | BaseException | None) -> None:
        """Hand on a piece, unless the client has left."""
        putting, leaving = asyncio.ensure_future(self._pieces.put(piece)), asyncio.ensure_future(self._left.wait())
        try:
            await asyncio.wait({putting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()
            leaving.cancel()

    async def _streamed(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self._left.set()


def _complain(work: asyncio.Future[None]) -> None:
    error = None if work.cancelled() else work.exception()
    if error is not None:
        log.error("WSGI request failed after its response", exc_info=error)


async def _rest(work: asyncio.Future[None]) -> None:
    await asyncio.wait([work])
    _complain(work)


class _Arriving(io.RawIOBase):
    """A body that arrives, read by sync code."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest:
            self._rest = run_sync(self._next())
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    async def _next(self) -> bytes:
        async for piece in self._source:
            if piece:
                return piece
        return b""


def _input(content: Content) -> Any:
    if content is None or isinstance(content, bytes):
        return io.BytesIO(content or b"")
    return io.BufferedReader(_Arriving(content))
