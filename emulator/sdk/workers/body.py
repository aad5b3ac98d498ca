"""The body of a request or response: complete or still arriving, read once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from .later import part

Content = bytes | AsyncIterator[bytes] | None


class BodyUsedError(OSError):
    """A body can be read once."""

    def __init__(self) -> None:
        super().__init__("Body already used")


class Body:
    """What is read, and whether it was."""

    __slots__ = ("_stream", "content", "used")

    def __init__(self, content: Content) -> None:
        self.content = content
        self.used = False
        self._stream: Any = None

    def take(self) -> Content:
        """The content, for the one who reads it. Raises OSError when somebody else did."""
        if self.used:
            raise BodyUsedError
        self.used = self.content is not None
        return self.content

    async def read(self) -> bytes:
        content = self.take()
        if content is None:
            return b""
        if isinstance(content, bytes):
            return content
        return b"".join([piece async for piece in content])

    async def text(self) -> str:
        return (await self.read()).decode("utf-8", "replace").removeprefix("\ufeff")

    def clone(self) -> Body:
        """A second body with the same content; each is read on its own."""
        if self.used:
            raise BodyUsedError
        if self.content is None or isinstance(self.content, bytes):
            return Body(self.content)
        self.content, other = tee(self.content)
        return Body(other)

    @property
    def stream(self) -> Any:
        """The body as a `ReadableStream`, always the same one; None when there is no body."""
        if self.content is None:
            return None
        if self._stream is None:
            self._stream = part("workers.streams").over(self)
        return self._stream


async def pieces(source: Any) -> AsyncIterator[bytes]:
    """The bytes of an iterator, sync or async, of bytes or str."""
    try:
        if isinstance(source, AsyncIterable):
            async for piece in source:
                yield to_bytes(piece)
        else:
            for piece in source:
                yield to_bytes(piece)
                # A generator that never waits would keep every other request from being served.
                await asyncio.sleep(0)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


def to_bytes(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    as_body = getattr(piece, "to_bytes", None)
    if as_body is None or isinstance(piece, int):
        raise TypeError(f"a streamed body is made of bytes or str, got {type(piece).__name__}")
    return bytes(as_body())


def tee(source: AsyncIterator[bytes]) -> tuple[AsyncIterator[bytes], AsyncIterator[bytes]]:
    """Two iterators over one; what one has read waits for the other."""
    lock = asyncio.Lock()
    queues: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
    ended: list[BaseException] = []

    async def branch(own: deque[bytes]) -> AsyncIterator[bytes]:
        while True:
            async with lock:
                if not own and not ended:
                    await pull()
            if own:
                yield own.popleft()
            elif ended:
                if not isinstance(ended[0], StopAsyncIteration):
                    raise ended[0]
                return

    async def pull() -> None:
        try:
            piece = await anext(source)
        except Exception as end:
            ended.append(end)
        else:
            for queue in queues:
                queue.append(piece)

    return branch(queues[0]), branch(queues[1])
