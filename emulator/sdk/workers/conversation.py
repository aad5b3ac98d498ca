"""An ASGI application's web socket: its messages on one side, an end of a `WebSocketPair` on the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import current
from .response import Response
from .sockets import WebSocketPair

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

log = logging.getLogger("asgi")


async def websocket(app: App, scope: dict[str, Any]) -> Response:
    """The response with the browser's end; the application goes on behind it."""
    client, server = WebSocketPair.new()
    conversation = _Conversation(server)
    server.accept()
    current.keep(conversation.run(app, scope))
    return Response(None, status=101, web_socket=client)


class _Conversation:
    """Events of the socket become messages for the application, its messages calls of the socket."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})
        self._is_closed = False
        server.binaryType = "arraybuffer"
        server.addEventListener("message", self._heard)
        server.addEventListener("close", self._ended)

    async def run(self, app: App, scope: dict[str, Any]) -> None:
        code = 1000
        try:
            await app(scope, self._messages.get, self._send)
        except Exception:
            code = 1011
            log.exception("ASGI web socket failed")
        finally:
            self._close(code, "")

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                pass  # The socket is open: its response has left, or is about to.
            case "websocket.send":
                content = message.get("bytes")
                self._server.send(message.get("text", "") if content is None else content)
            case "websocket.close":
                self._close(message.get("code", 1000), message.get("reason") or "")
            case unexpected:
                raise RuntimeError(f"Unexpected ASGI message '{unexpected}'")

    def _heard(self, event: Any) -> None:
        kind = "text" if isinstance(event.data, str) else "bytes"
        content = event.data if kind == "text" else event.data.to_bytes()
        self._messages.put_nowait({"type": "websocket.receive", kind: content})

    def _ended(self, event: Any) -> None:
        self._is_closed = True
        self._messages.put_nowait({"type": "websocket.disconnect", "code": event.code, "reason": event.reason})

    def _close(self, code: int, reason: str) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._server.close(code, reason)
