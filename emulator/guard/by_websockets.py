"""uvicorn's web sockets, which say at the end of the emulator that it goes away."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_GOING_AWAY = 1001


class GuardedSocket(WebSocketsSansIOProtocol):
    """One connection. Importing this takes a while, so that happens when the first browser asks for a web socket."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # It was answered without an upgrade. uvicorn would still miss one, and complain.
            self.handshake_complete = True

    def shutdown(self) -> None:
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _GOING_AWAY})
        self.conn.send_close(_GOING_AWAY)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
