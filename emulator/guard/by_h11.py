"""The guard over uvicorn's h11 protocol, for platforms without httptools."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulator.guard.connection import Connection, Phase
from emulator.guard.head import Refusal, check_head, check_size, check_target, too_large

_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length[ \t]*:", re.IGNORECASE)
_LOOSE = re.compile(rb"(?<!\r)\n|\n[ \t]")


class GuardProtocol(Connection, H11Protocol):
    """h11 reads the bytes; `_Checked` looks at each head before uvicorn does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Checked(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.phase is not Phase.LEFT:
            super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if self.phase is not Phase.LEFT:
            self._enter(self.conn.their_state, self.conn.trailing_data[0])
            self.watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self.closed()
        super().handle_websocket_upgrade(event)

    def _enter(self, state: Any, unread: bytes) -> None:
        if state is h11.SEND_BODY:
            self.phase = Phase.BODY
        elif state is h11.IDLE and unread:
            if self.phase is not Phase.HEAD:
                self.since = self.loop.time()
            self.phase = Phase.HEAD
        else:
            self.phase = Phase.QUIET


class _Checked(h11.Connection):
    """h11 with stricter line ends, sizes and framing."""

    def __init__(self, protocol: GuardProtocol) -> None:
        super().__init__(h11.SERVER, protocol.limits.head_bytes)
        self._protocol = protocol

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            self._protocol.phase = Phase.HEAD if self._protocol.phase is Phase.BODY else self._protocol.phase
            self._refuse(self._check_bytes(self.trailing_data[0]))
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                self._protocol.refusal = too_large(self._protocol.limits)
            raise
        if isinstance(event, h11.Request):
            self._refuse(self._check(event))
        return event

    def _check_bytes(self, unread: bytes) -> Refusal | None:
        limits = self._protocol.limits
        end = _END.search(unread)
        head = unread[: end.end()] if end else unread
        if _LOOSE.search(head):
            return Refusal(400, "header lines must end in CR LF and cannot be folded")
        if len(_LENGTH.findall(head)) > 1:
            # h11 makes one header of equal ones.
            return Refusal(400, "there must be no more than one Content-Length header")
        first = head.partition(b"\r\n")[0].partition(b" ")[2]
        if len(first) > limits.target_bytes + len(" HTTP/1.1"):
            return check_target(first, limits)
        return None

    def _check(self, request: h11.Request) -> Refusal | None:
        limits = self._protocol.limits
        headers = [(bytes(name), bytes(value)) for name, value in request.headers]
        version = request.http_version.decode("ascii")
        return check_size(headers, limits) or check_head(version, request.target, headers, limits)

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._protocol.refusal = refusal
            raise h11.RemoteProtocolError(refusal.reason, error_status_hint=refusal.status)
