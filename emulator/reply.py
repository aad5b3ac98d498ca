"""An answer that goes to the user's process in pieces; no more than a window's worth is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.window import Window
from emulator.wire import Frame


class Reply:
    """The rest of a call's answer: `start` it, then send its pieces. `on_leave` is called when nobody reads on."""

    def __init__(self, send: Callable[[str, int, dict[str, Any], bytes], None], number: int) -> None:
        self._send = send
        self._number = number
        self._window = Window()
        self.on_leave: Callable[[], None] = lambda: None

    def receive(self, frame: Frame) -> None:
        if frame.kind == "leave":
            self.on_leave()
            return
        self._window.give(frame.head["bytes"])

    def start(self, head: dict[str, Any], body: bytes) -> None:
        self._send("answer", self._number, head, body)

    async def piece(self, body: bytes, *, more: bool, error: str | None = None) -> None:
        await self._window.take(len(body))
        self._send("piece", self._number, {"more": more, **({"error": error} if error else {})}, body)
