"""What a guarded connection does whichever parser reads it: keep deadlines, refuse, leave politely, make room."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from emulator.guard.head import Limits, Refusal

_MALFORMED = Refusal(400, "this is not a well-formed request; speak HTTP 1.1 here")
_LATE_HEAD = Refusal(408, "the request head took too long to arrive")
_LATE_BODY = Refusal(408, "the request body stopped arriving")
_FULL = Refusal(503, "too many connections are open; close some and try again")


class Phase(Enum):
    """What the client may send next."""

    QUIET = auto()
    HEAD = auto()
    BODY = auto()
    LEFT = auto()


class Connection:
    """
    Mixed into one of uvicorn's protocols, whose attributes come first here.

    One lazy timer per connection: it looks whether anything is overdue, so a request that arrives in one piece, as
    nearly all do, costs no timer at all.
    """

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any
    flow: Any

    limits = Limits()
    phase = Phase.QUIET
    since = 0.0
    refusal: Refusal | None = None
    _timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """No request of this connection is being read or answered."""
        return self.phase in (Phase.QUIET, Phase.HEAD) and not self._is_answering

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def opened(self) -> None:
        """The socket is open: nothing is known of the client yet."""
        self.since = self.loop.time()
        self._look_at(self.since + self.limits.head_seconds)
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def closed(self) -> None:
        """The socket is closed, or another protocol has it."""
        self.phase = Phase.LEFT
        self._stop_timer()

    def watch(self) -> None:
        """Data has arrived; what it began and did not finish has a deadline."""
        if self.phase is Phase.BODY:
            self.since = self.loop.time()
        due = self._due()
        if due is not None:
            self._look_at(due)

    def _due(self) -> float | None:
        match self.phase:
            case Phase.HEAD:
                return self.since + self.limits.head_seconds
            case Phase.BODY:
                return self.since + self.limits.body_idle_seconds
            case Phase.QUIET if self.cycle is None:
                return self.since + self.limits.head_seconds
        return None

    def _look_at(self, due: float) -> None:
        if self._timer is not None and self._timer.when() <= due:
            return
        self._stop_timer()
        self._timer = self.loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self.flow.read_paused or (self._is_answering and self.cycle.waiting_for_100_continue):
            # It is us who keep the client waiting.
            self.since = now
        due = self._due()
        if due is None:
            return
        if due > now:
            self._look_at(due)
            return
        self._give_up()

    def _give_up(self) -> None:
        match self.phase:
            case Phase.HEAD:
                self.refuse(_LATE_HEAD)
            case Phase.BODY:
                self.refuse(_LATE_BODY)
            case _:
                # A browser opens connections ahead of need; an answer to no question would only confuse it.
                self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this when the parser, or one of our checks inside it, has raised."""
        self.refuse(self.refusal or _MALFORMED)

    def refuse(self, refusal: Refusal) -> None:
        """Answer if an answer can still be understood, and read no more requests from this connection."""
        if self.phase is Phase.LEFT:
            return
        in_body, self.phase = self.phase is Phase.BODY, Phase.LEFT
        if not in_body and not self._is_answering:
            self._say(refusal)
        elif not in_body:
            # Earlier requests are still being answered; this one came after them and gets no answer.
            self.cycle.keep_alive = False
        elif self.cycle.response_started or self._is_queued():
            self.transport.close()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._say(refusal)

    def _is_queued(self) -> bool:
        return bool(getattr(self, "pipeline", None))

    def _say(self, refusal: Refusal) -> None:
        self.phase = Phase.LEFT
        self._stop_timer()
        self.transport.write(refusal.answer())
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing with unread bytes resets the connection, and the client would never see the reason.
        self.transport.write_eof()
        self._timer = self.loop.call_later(self.limits.linger_seconds, self.transport.close)

    def _make_room(self) -> None:
        """Let the longest idle connections go. Half-open ones must not keep the next honest request out."""
        others = [other for other in self.connections if other is not self and getattr(other, "is_idle", False)]
        for other in sorted(others, key=lambda other: other.since)[: 1 + self.limits.connections // 20]:
            self.connections.discard(other)
            other.phase = Phase.LEFT
            other.transport.close()
        if not others:
            self.connections.discard(self)
            self._say(_FULL)
