"""`TransformStream`, its kin and `WritableStream`: what is written on one side is read on the other, piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any

from emulator.sdk.js.promise import Promise
from emulator.sdk.workers.body import to_bytes
from emulator.sdk.workers.proxy import JsException, JsProxy
from emulator.sdk.workers.streams import ReadableStream


def _functions(given: Any) -> Any:
    """An object with functions may be given as keywords or as a dict."""
    return SimpleNamespace(**given) if isinstance(given, dict) else given


class WritableStream(JsProxy):
    """Takes pieces: `getWriter()`. `new()` takes an object with the functions `start`, `write`, `close`, `abort`."""

    def __init__(self, sink: Any = None, strategy: Any = None) -> None:
        self._sink = _functions(sink)
        self._writer: Any = None
        if hasattr(self._sink, "start"):
            self._sink.start(None)

    @property
    def locked(self) -> bool:
        return self._writer is not None

    def getWriter(self) -> Any:
        if self._writer is not None:
            raise JsException("TypeError", "This WritableStream is currently locked to a writer.")
        self._writer = WritableStreamDefaultWriter.new(self)
        return self._writer

    def close(self) -> Any:
        return Promise.resolve(self._tell("close"))

    def abort(self, reason: Any = None) -> Any:
        return Promise.resolve(self._tell("abort", reason))

    async def _tell(self, name: str, *arguments: Any) -> None:
        function = getattr(self._sink, name, None)
        result = function(*arguments) if function is not None else None
        if inspect.isawaitable(result):
            await result


class WritableStreamDefaultWriter(JsProxy):
    """Writes to a stream; await what `write` returns, so as not to run ahead of the reader."""

    def __init__(self, stream: WritableStream) -> None:
        self._stream = stream
        self._last: Any = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def ready(self) -> Any:
        return Promise.resolve(self._last)

    @property
    def closed(self) -> Any:
        return Promise.resolve(self._closed)

    @property
    def desiredSize(self) -> int:
        return 1

    def write(self, piece: Any) -> Any:
        return self._queue(self._stream._tell("write", piece))

    def close(self) -> Any:
        async def closing() -> None:
            await self._stream._tell("close")
            if not self._closed.done():
                self._closed.set_result(None)

        return self._queue(closing())

    def abort(self, reason: Any = None) -> Any:
        return self._stream.abort(reason)

    def releaseLock(self) -> None:
        self._stream._writer = None

    def _queue(self, work: Coroutine[Any, Any, None]) -> Any:
        # Writes happen in the order of their calls, awaited or not.
        before = self._last

        async def after() -> None:
            if before is not None:
                await before
            await work

        self._last = Promise.resolve(after())
        return self._last


class TransformStream(JsProxy):
    """A pair, `readable` and `writable`; `new()` takes an object with `transform(piece, controller)` and `flush`."""

    def __init__(self, transformer: Any = None, *strategies: Any) -> None:
        self._transformer = _functions(transformer)
        self._pieces: asyncio.Queue[Any] = asyncio.Queue(1)
        self._left = False
        self._error: BaseException | None = None
        self.readable: Any = ReadableStream.new(self._read())
        self.writable: Any = WritableStream.new(_Into(self))
        if hasattr(self._transformer, "start"):
            self._transformer.start(_Controller(self))

    async def _read(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._taken()) is not None:
                yield to_bytes(piece)
        finally:
            self._left = True
            while not self._pieces.empty():
                self._pieces.get_nowait()

    async def _taken(self) -> Any:
        failed = self._error is not None and self._pieces.empty()
        piece = self._error if failed else await self._pieces.get()
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def _fail(self, reason: Any) -> None:
        """Ends the readable side in an error, after what waits there to be read."""
        self._error = reason if isinstance(reason, BaseException) else JsException("Error", str(reason))
        with contextlib.suppress(asyncio.QueueFull):
            self._pieces.put_nowait(self._error)

    async def _put(self, piece: Any) -> None:
        if not self._left:
            await self._pieces.put(piece)


class IdentityTransformStream(TransformStream):
    """Hands on bytes as they are."""

    def __init__(self, options: Any = None) -> None:
        super().__init__()


class FixedLengthStream(TransformStream):
    """Hands on so many bytes, no more and no less: anything else is a TypeError."""

    def __init__(self, length: int, options: Any = None) -> None:
        self._missing = int(length)
        super().__init__(self)

    def transform(self, piece: Any, controller: _Controller) -> None:
        self._missing -= len(to_bytes(piece))
        if self._missing < 0:
            raise JsException("TypeError", f"{-self._missing} bytes more were written than FixedLengthStream was told")
        controller.enqueue(piece)

    def flush(self, controller: _Controller) -> None:
        if self._missing:
            raise JsException("TypeError", f"{self._missing} bytes fewer were written than FixedLengthStream was told")


class _Controller:
    """What a transformer hands its pieces to."""

    def __init__(self, stream: TransformStream) -> None:
        self._stream = stream
        self._made: list[Any] = []

    def enqueue(self, piece: Any) -> None:
        self._made.append(piece)

    def error(self, reason: Any = None) -> None:
        self._made.append(reason if isinstance(reason, BaseException) else JsException("Error", str(reason)))

    def terminate(self) -> None:
        self._made.append(None)

    async def pass_on(self) -> None:
        made, self._made = self._made, []
        for piece in made:
            await self._stream._put(piece)


class _Into:
    """The writable side of a pair."""

    def __init__(self, stream: TransformStream) -> None:
        self._stream = stream

    async def write(self, piece: Any) -> None:
        await self._transform("transform", piece)

    async def close(self) -> None:
        await self._transform("flush")
        await self._stream._put(None)

    async def abort(self, reason: Any = None) -> None:
        self._stream._fail(reason)

    async def _transform(self, name: str, *piece: Any) -> None:
        function = getattr(self._stream._transformer, name, None)
        if function is None:
            for each in piece:
                await self._stream._put(each)
            return
        controller = _Controller(self._stream)
        try:
            result = function(*piece, controller)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            self._stream._fail(error)
            raise
        await controller.pass_on()
