"""Bodies under way: pieces cross as frames, and nobody sends more than the reader gives credit for."""

from __future__ import annotations

import asyncio
from collections import deque

from emulator.window import Window, pieces
from emulator.wire import Channel, Frame


class InBody:
    """A body that arrives: an async iterator that gives credit for what has been read."""

    def __init__(self, channel: Channel, number: int, *, credit: str = "credit") -> None:
        self._channel = channel
        self._number = number
        self._credit = credit
        self._error: str | None = None
        self._pieces: deque[bytes] = deque()
        self._ended = False
        self._news = asyncio.Event()

    def feed(self, frame: Frame) -> None:
        if frame.body:
            self._pieces.append(frame.body)
        self._ended = self._ended or not frame.head["more"]
        self._error = frame.head.get("error")
        self._news.set()

    def __aiter__(self) -> InBody:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise OSError(self._error)
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._channel.send(self._credit, self._number, {"bytes": len(piece)})
        return piece

    async def aclose(self) -> None:
        """Nobody reads on."""
        if self._credit == "taken" and not self._ended:
            self._channel.send("leave", self._number)


class OutBody:
    """A body that leaves: `send` waits while a window's worth is not yet passed on."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._window = Window()
        self.credit = self._window.give

    async def send(self, content: bytes) -> None:
        for piece in pieces(content):
            await self._window.take(len(piece))
            self._channel.send("body", self._number, {"more": True}, bytes(piece))

    def end(self) -> None:
        self._channel.send("body", self._number, {"more": False})
