"""An answer that goes to the user's process in pieces; no more than a window's worth is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.window import Window
from emulator.wire import Frame


class Reply:
    """
    The rest of a call's answer: `start` it, then send its pieces.

    `on_leave` is called when nobody reads on, `on_say` with what is sent over a web socket that was the answer.
    """

    def __init__(self, send: Callable[[str, int, dict[str, Any], bytes], None], number: int) -> None:
        self._send = send
        self._number = number
        self._window = Window()
        self._has_begun = False
        self._is_whole = False
        self.on_leave: Callable[[], None] = lambda: None
        self.on_say: Callable[[Frame], None] = lambda frame: None

    def receive(self, frame: Frame) -> None:
        match frame.kind:
            case "leave":
                self.on_leave()
            case "say":
                self.on_say(frame)
            case _:
                self._window.give(frame.head["bytes"])

    def start(self, head: dict[str, Any], body: bytes) -> None:
        self._has_begun, self._is_whole = True, not head["more"]
        self._send("answer", self._number, head, body)

    async def piece(self, body: bytes, *, more: bool, **fields: Any) -> None:
        await self._window.take(len(body))
        self._is_whole = not more
        self._send("piece", self._number, {"more": more, **fields}, body)

    def end(self, **fields: Any) -> None:
        """The last piece, without a body."""
        self._is_whole = True
        self._send("piece", self._number, {"more": False, **fields}, b"")

    def break_off(self, why: str) -> bool:
        """Tell the reader that no more will come; False when nothing has begun that could be broken off."""
        if self._has_begun and not self._is_whole:
            self._is_whole = True
            self._send("piece", self._number, {"more": False, "error": why}, b"")
        return self._has_begun
