"""`ReadableStream`: a body as JavaScript hands it round."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from . import current
from .body import Body, Content, pieces
from .buffers import Uint8Array
from .later import part
from .proxy import JsException, JsProxy, options_of


def over(body: Body) -> Any:
    """A stream that reads this body."""
    stream = ReadableStream.new()
    stream._body = body
    return stream


class ReadableStream(JsProxy):
    """
    A stream of bytes, as JavaScript's class of that name.

    `new()` takes an object with the functions `start`, `pull` and `cancel`, or an iterator of bytes or str, sync or
    async; `async for` gives a `Uint8Array` for each piece.
    """

    _body: Body

    def __init__(self, source: Any = None, strategy: Any = None) -> None:
        if isinstance(source, AsyncIterable | Iterator):
            self._body = Body(pieces(source))
        elif source is None:
            self._body = Body(b"")
        else:
            self._body = Body(pieces(_pulled(source)))

    @property
    def locked(self) -> bool:
        return self._body.used

    async def __aiter__(self) -> AsyncIterator[Any]:
        content = self._body.take()
        if isinstance(content, bytes):
            yield Uint8Array.new(content)
        elif content is not None:
            async for piece in content:
                yield Uint8Array.new(piece)

    def tee(self) -> list[Any]:
        other = self._body.clone()
        return [over(Body(self._body.take())), over(other)]

    async def cancel(self, reason: Any = None) -> None:
        content = self._body.content
        self._body.used = True
        close = getattr(content, "aclose", None)
        if close is not None:
            await close()

    def getReader(self, options: Any = None) -> Any:
        return ReadableStreamDefaultReader.new(self)

    def pipeTo(self, target: Any, options: Any = None) -> Any:
        """Write everything to a `WritableStream`, and close it."""

        async def pipe() -> None:
            writer = target.getWriter()
            try:
                async for piece in self:
                    await writer.write(piece)
            except Exception as error:
                await writer.abort(error)
                raise
            await writer.close()

        return part("js.promise").Promise.resolve(pipe())

    def pipeThrough(self, pair: Any, options: Any = None) -> Any:
        """What comes out of a `TransformStream` when everything is written to it."""
        current.keep(_ended(self.pipeTo(pair.writable)))
        return pair.readable

    def _as_body(self) -> tuple[Content, None]:
        return self._body.take(), None


class _Controller:
    """What an underlying source hands its pieces to."""

    desiredSize = 1

    def __init__(self) -> None:
        self.pieces: deque[Any] = deque()
        self.news = asyncio.Event()

    def enqueue(self, piece: Any) -> None:
        self.pieces.append(piece)
        self.news.set()

    def close(self) -> None:
        self.enqueue(None)

    def error(self, reason: Any = None) -> None:
        self.enqueue(reason if isinstance(reason, BaseException) else JsException("Error", str(reason)))


async def _pulled(source: Any) -> AsyncIterator[Any]:
    given = options_of(source)
    controller = _Controller()
    ended = False
    try:
        await _told(given.get("start"), controller)
        while True:
            if not controller.pieces and "pull" in given:
                await _told(given["pull"], controller)
            while not controller.pieces:
                controller.news.clear()
                await controller.news.wait()
            piece = controller.pieces.popleft()
            if piece is None or isinstance(piece, BaseException):
                ended = True
            if isinstance(piece, BaseException):
                raise piece
            if ended:
                return
            yield piece
    finally:
        if not ended:
            await _told(given.get("cancel"), None)


async def _ended(promise: Any) -> None:
    # Whoever reads the other side is told what went wrong.
    with contextlib.suppress(Exception):
        await promise


async def _told(function: Any, argument: Any) -> None:
    result = part("pyodide.code").relaxed_call(function, argument) if function is not None else None
    if inspect.isawaitable(result):
        await result


class ReadableStreamDefaultReader(JsProxy):
    """Reads a stream piece by piece: `{value, done}`."""

    def __init__(self, stream: ReadableStream) -> None:
        self._stream = stream
        self._pieces = aiter(stream)

    async def read(self) -> Any:
        piece = await anext(self._pieces, None)
        return ReadResult(piece, piece is None)

    async def cancel(self, reason: Any = None) -> None:
        await self._stream.cancel(reason)

    def releaseLock(self) -> None:
        """Nobody else can read on: a stream here is read by one."""


class ReadResult:
    """What `reader.read()` gives."""

    def __init__(self, value: Any, done: bool) -> None:
        self.value = value
        self.done = done
