"""One request in the user's process: its body arrives, its response leaves, its web socket is relayed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from emulator.runtime.invocation import Invocation
from emulator.runtime.relay import Relay
from emulator.runtime.streams import InBody, OutBody
from emulator.sdk.workers import Request
from emulator.wire import Channel, Frame

Pairs = list[tuple[str, str]]
Place = Callable[[], list[Any]]
"""Tells file and line of a handler; asked only when something is wrong with it."""


class Exchange:
    """What comes in for a request while its handler runs, and what goes out once it has returned."""

    def __init__(self, channel: Channel, frame: Frame) -> None:
        self._channel = channel
        self._frame = frame
        self._in = InBody(channel, frame.id) if frame.head["has_body"] else None
        self._out: OutBody | None = None
        self._relay: Relay | None = None

    def receive(self, frame: Frame) -> None:
        """A piece of the request's body, room for one of the response's, or something of the web socket."""
        match frame.kind:
            case "body" if self._in is not None:
                self._in.feed(frame)
            case "credit" if self._out is not None:
                self._out.credit(frame.head["bytes"])
            case "socket" if self._relay is not None:
                self._relay.arrives(frame)
            case _:
                pass

    def request(self) -> Request:
        """What the handler receives."""
        head = self._frame.head
        headers = [(name, value) for name, value in head["headers"]]
        return Request._incoming(head["method"], head["url"], headers, self._in, head["cf"])

    async def answer(self, response: Any, invocation: Invocation, where: Place) -> dict[str, Any] | None:
        """Send what the handler, which stands at `where`, returned; None when the head was all there is to say."""
        status, headers, content = _outgoing(response, where)
        socket = getattr(response, "web_socket", None)
        if socket:
            return await self._upgrade(status, headers, socket, invocation)
        if content is None or isinstance(content, bytes):
            done = not invocation.has_work
            self._send_head(status, headers, content or b"", more=False, done=done)
            if done:
                return None
        else:
            self._send_head(status, headers, more=True)
            await self._stream(content)
        await invocation.finish()
        return {"outcome": "ok"}

    def _send_head(self, status: int, headers: Pairs, body: bytes = b"", **fields: bool) -> None:
        self._channel.send("head", self._frame.id, {"status": status, "headers": headers, **fields}, body)

    async def _stream(self, content: AsyncIterator[bytes]) -> None:
        self._out = OutBody(self._channel, self._frame.id)
        try:
            async for piece in content:
                await self._out.send(piece)
        finally:
            # Whoever makes the pieces learns that the browser has left.
            close = getattr(content, "aclose", None)
            if close is not None:
                await close()
        self._out.end()

    async def _upgrade(self, status: int, headers: Pairs, socket: Any, invocation: Invocation) -> dict[str, Any]:
        if self._frame.kind != "upgrade":
            raise TypeError(
                "Worker tried to return WebSocket in a response to a request which did not contain the header"
                ' "Upgrade: websocket".'
            )
        self._relay = Relay(self._channel, self._frame.id)
        # The head first: what the worker has sent by now leaves as soon as the two are coupled.
        self._send_head(status, headers, more=True, socket=True)
        self._relay.couple(socket)
        await self._relay.over()
        await invocation.finish()
        return {"outcome": "ok"}


def _outgoing(response: Any, where: Place) -> tuple[int, Pairs, Any]:
    outgoing = getattr(response, "_outgoing", None)
    if outgoing is None:
        file, line = where()
        raise TypeError(
            f"fetch() must return a Response, got {type(response).__name__}"
            f" (the Promise did not resolve to 'Response'); {_advice(response)} ({file}:{line})"
        )
    found: tuple[int, Pairs, Any] = outgoing()
    return found


def _advice(result: Any) -> str:
    match result:
        case None:
            return "is there a way through it without `return`?"
        case dict() | list():
            return "write Response.json(…)"
        case _:
            return "write Response(…)"
