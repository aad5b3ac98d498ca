"""The guard over uvicorn's httptools protocol. Its callbacks run for every request, so they are short."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.guard.connection import Connection, Phase
from emulator.guard.head import Refusal, check_head, check_size, check_target, too_large

_QUIET, _HEAD, _BODY, _LEFT = Phase


class Refused(Exception):
    """Leaves the parser from within one of its callbacks."""


class GuardProtocol(Connection, HttpToolsProtocol):
    """httptools reads the bytes; its callbacks check what it found. `super()` is spelled out where time counts."""

    _received = 0
    _progressed = False
    _is_upgrade = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.phase is _LEFT:
            return
        self._progressed = False
        self._received += len(data)
        HttpToolsProtocol.data_received(self, data)
        if self.phase is _QUIET and self._progressed:
            self._received = 0
            return
        self._watch_rest()

    def _watch_rest(self) -> None:
        """Part of a request is here. What the parser holds back without progress is limited."""
        if self.phase is _LEFT:
            return
        if self.phase is _QUIET:
            # Blank lines, or half a method: the head has begun.
            self._begin_head()
        if self.phase is _HEAD and not self.since:
            self.since = self.loop.time()
        if self._progressed:
            self._received = 0
        if self._received > self.limits.head_bytes:
            self.refuse(too_large(self.limits))
        self.watch()

    def _begin_head(self) -> None:
        self.phase, self.since = _HEAD, 0.0

    def handle_websocket_upgrade(self) -> None:
        self.closed()
        super().handle_websocket_upgrade()

    def on_url(self, url: bytes) -> None:
        if self.phase is _QUIET:
            self._begin_head()
        self.url += url
        if len(self.url) > self.limits.target_bytes:
            self._refuse(check_target(self.url, self.limits))

    def on_headers_complete(self) -> None:
        parser, limits = self.parser, self.limits
        refusal = check_head(parser.get_http_version(), self.url, self.headers, limits)
        if refusal is None and (self._received > limits.head_bytes or len(self.headers) > limits.header_lines):
            refusal = check_size(self.headers, limits)
        self._is_upgrade = parser.should_upgrade()
        if refusal is None and (self._is_upgrade or self.pipeline):
            refusal = self._check_turn()
        if refusal is not None:
            self._refuse(refusal)
        HttpToolsProtocol.on_headers_complete(self)
        self.phase = _BODY
        if not self._is_upgrade:
            # Trailers end up in this list, and not among the headers that have been checked.
            self.headers = []
        elif not self._should_upgrade():
            # What follows would be another protocol's bytes, so this is the last request here.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._progressed = True
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        HttpToolsProtocol.on_message_complete(self)
        self._progressed = True
        self.phase = _LEFT if self._is_upgrade and not self._should_upgrade() else _QUIET

    def _check_turn(self) -> Refusal | None:
        if len(self.pipeline) >= self.limits.pipelined:
            return Refusal(429, "too many requests were sent ahead of their answers")
        if not self._is_upgrade:
            return None
        if self._is_answering:
            return Refusal(400, "an upgrade cannot be asked for ahead of an answer")
        if any(_announces_body(*header) for header in self.headers):
            return Refusal(400, "a request for an upgrade cannot have a body")
        return None

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self.refusal = refusal
            raise Refused(refusal.reason)


def _announces_body(name: bytes, value: bytes) -> bool:
    return name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
