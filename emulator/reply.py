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
        self._has_begun = False
        self._is_whole = False
        self.on_leave: Callable[[], None] = lambda: None

    def receive(self, frame: Frame) -> None:
        if frame.kind == "leave":
            self.on_leave()
            return
        self._window.give(frame.head["bytes"])

    def start(self, head: dict[str, Any], body: bytes) -> None:
        self._has_begun, self._is_whole = True, not head["more"]
        self._send("answer", self._number, head, body)

    async def piece(self, body: bytes, *, more: bool, error: str | None = None) -> None:
        await self._window.take(len(body))
        self._is_whole = not more
        self._send("piece", self._number, {"more": more, **({"error": error} if error else {})}, body)

    def break_off(self, why: str) -> bool:
        """Tell the reader that no more will come; False when nothing has begun that could be broken off."""
        if self._has_begun and not self._is_whole:
            self._is_whole = True
            self._send("piece", self._number, {"more": False, "error": why}, b"")
        return self._has_begun
