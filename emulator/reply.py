"""An answer that goes to the user's process in pieces; no more than a window's worth is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.wire import WINDOW, Frame


class Reply:
    """The rest of a call's answer: `start` it, then send its pieces. `on_leave` is called when nobody reads on."""

    def __init__(self, send: Callable[[str, int, dict[str, Any], bytes], None], number: int) -> None:
        self._send = send
        self._number = number
        self._room = WINDOW
        self._more_room = asyncio.Event()
        self.on_leave: Callable[[], None] = lambda: None

    def receive(self, frame: Frame) -> None:
        if frame.kind == "leave":
            self.on_leave()
            return
        self._room += frame.head["bytes"]
        self._more_room.set()

    def start(self, head: dict[str, Any], body: bytes) -> None:
        self._send("answer", self._number, head, body)

    async def piece(self, body: bytes, *, more: bool, error: str | None = None) -> None:
        while self._room <= 0 and body:
            self._more_room.clear()
            await self._more_room.wait()
        self._room -= len(body)
        self._send("piece", self._number, {"more": more, **({"error": error} if error else {})}, body)
