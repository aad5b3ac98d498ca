"""`ReadableStream`: a body as JavaScript hands it round."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from .body import Body, Content, pieces
from .buffers import Uint8Array
from .proxy import JsProxy


def over(body: Body) -> Any:
    """A stream that reads this body."""
    stream = ReadableStream.new()
    stream._body = body
    return stream


class ReadableStream(JsProxy):
    """
    A stream of bytes, as JavaScript's class of that name.

    `new()` takes an async or sync iterator of bytes or str; `async for` gives a `Uint8Array` for each piece.
    """

    _body: Body

    def __init__(self, source: Any = None) -> None:
        if isinstance(source, AsyncIterable | Iterator):
            self._body = Body(pieces(source))
        elif source is None:
            self._body = Body(b"")
        else:
            raise TypeError("ReadableStream.new() takes an iterator of bytes here; underlying sources are not emulated")

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

    def _as_body(self) -> tuple[Content, None]:
        return self._body.take(), None


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
