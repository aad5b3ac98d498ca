"""Web sockets from the inside: frames on one side, on the other the end that the worker gave away, or was given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from emulator.sdk.workers.later import part
from emulator.wire import Channel, Frame

if TYPE_CHECKING:
    # Few workers have web sockets, so the class is imported by those that do.
    from emulator.sdk.workers.sockets import Closing, Content

_BROKEN = 1006


class Relay:
    """Passes on in both directions until both sides have closed."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._end: Any = None
        self._over = asyncio.Event()

    def couple(self, end: Any) -> None:
        """Begin. Raises TypeError for an end that the worker has accepted itself."""
        if end._sink is not None:
            raise TypeError(
                "Can't return WebSocket in a Response after calling accept(): accept() one end of the pair,"
                " and return the other"
            )
        self._end = end
        end._attach(self._leaves)

    async def over(self) -> None:
        """Return when the browser's side is closed."""
        await self._over.wait()

    def arrives(self, frame: Frame) -> None:
        """What the browser sent."""
        head, end = frame.head, self._end
        if end is None:
            return
        if head["event"] == "close":
            code, reason = head["code"], head["reason"]
            end._has_closed = True
            end._pass((code, reason, code != _BROKEN))
            self._over.set()
            return
        end._pass(frame.body.decode() if head["event"] == "text" else frame.body)
        self._channel.send("credit", self._number, {"bytes": len(frame.body)})

    def _leaves(self, what: Content | Closing) -> None:
        self._channel.send("socket", self._number, *_told(what))


class AskedSocket:
    """A web socket that another worker answered a `fetch` with: `end` is for the worker here."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self.end = part("workers.sockets").WebSocket.new()
        self.end._other = self

    def feed(self, frame: Frame) -> None:
        """What the other worker sent; the answer itself has no event."""
        head = frame.head
        match head.get("event"):
            case "text" | "binary" as kind:
                self.end._arrive(frame.body.decode() if kind == "text" else frame.body)
                self._channel.send("taken", self._number, {"bytes": len(frame.body)})
            case "close":
                self._close(head["code"], head["reason"])
            case _ if "error" in head:
                self._close(_BROKEN, head["error"])
            case _:
                pass

    def _close(self, code: int, reason: str) -> None:
        self.end._has_closed = True
        self.end._arrive((code, reason, code != _BROKEN))

    def _arrive(self, what: Content | Closing) -> None:
        """What the worker here sends."""
        self._channel.send("say", self._number, *_told(what))


def _told(what: Content | Closing) -> tuple[dict[str, Any], bytes]:
    """Head and body of a frame."""
    if isinstance(what, tuple):
        code, reason, _ = what
        return {"event": "close", "code": code, "reason": reason}, b""
    if isinstance(what, str):
        return {"event": "text"}, what.encode("utf-8", "replace")
    return {"event": "binary"}, what
