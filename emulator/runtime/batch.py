"""What the queue handler receives: a batch of messages, each acked or retried by itself or with all the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.runtime import values
from emulator.sdk.workers.proxy import options_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessageBatch:
    """
    A batch, as the queue handler's first argument: `queue`, `messages`, `metadata`, and what happens to all at once.

    Follows developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch.
    """

    def __init__(
        self,
        head: dict[str, Any],
        body: bytes,
        *,
        mapping: Callable[[dict[str, Any]], Any],
        warn: Callable[[str], None],
    ) -> None:
        self._marks = _Marks(warn)
        self.queue: str = head["queue"]
        self.messages = [
            Message(self._marks, id, _time(sent_at), attempts, value)
            for (id, sent_at, attempts), value in zip(
                head["messages"], values.decode(body, mapping=mapping), strict=True
            )
        ]
        self.metadata = mapping({"metrics": mapping(_metrics(head["metrics"]))})

    def ack_all(self) -> None:
        """All messages are done, but for those with a `retry` of their own, even if the handler raises later."""
        self._marks.ack_all()

    def retry_all(self, options: Any = None, /, **more: Any) -> None:
        """All messages come again, after `delaySeconds`, but for those that were acked."""
        self._marks.retry_all(_delay(options, more))

    ackAll = ack_all
    retryAll = retry_all

    def recorded(self) -> dict[str, Any]:
        """What the handler asked for, for the other side."""
        return self._marks.recorded()

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<batch of {len(self.messages)} from {self.queue}>"


class Message:
    """
    One message: `id`, `timestamp` (UTC), `attempts` (1 at first), `body`.

    Follows developers.cloudflare.com/queues/configuration/javascript-apis/#message.
    """

    __slots__ = ("_marks", "attempts", "body", "id", "timestamp")

    def __init__(self, marks: _Marks, id: str, timestamp: datetime, attempts: int, body: Any) -> None:
        self._marks = marks
        self.id = id
        self.timestamp = timestamp
        self.attempts = attempts
        self.body = body

    def ack(self) -> None:
        """This message is done, even if the handler raises later."""
        self._marks.ack(self.id)

    def retry(self, options: Any = None, /, **more: Any) -> None:
        """This message comes again, after `delaySeconds`."""
        self._marks.retry(self.id, _delay(options, more))

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<message {self.id} attempt {self.attempts}>"


class _Marks:
    """What was asked for so far. The first call for a message wins, and so does the first of ackAll and retryAll."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._acks: dict[str, None] = {}
        self._retries: dict[str, int | None] = {}
        self._ack_all = False
        self._retry_all = False
        self._delay: int | None = None

    def ack(self, id: str) -> None:
        if self._ack_all:
            return
        if self._retry_all or id in self._retries:
            why = "retryAll() was called before" if self._retry_all else "it is marked for a retry"
            self._warn(f"ack() of message {id} is ignored: {why}")
            return
        self._acks[id] = None

    def retry(self, id: str, delay: int | None) -> None:
        if self._ack_all or id in self._acks:
            why = "ackAll() was called before" if self._ack_all else "it is acked"
            self._warn(f"retry() of message {id} is ignored: {why}")
            return
        self._retries[id] = delay

    def ack_all(self) -> None:
        if self._retry_all:
            self._warn("ackAll() is ignored: retryAll() was called before")
            return
        self._ack_all = True

    def retry_all(self, delay: int | None) -> None:
        if self._ack_all:
            self._warn("retryAll() is ignored: ackAll() was called before")
            return
        self._retry_all = True
        self._delay = self._delay if delay is None else delay

    def recorded(self) -> dict[str, Any]:
        return {
            "ackAll": self._ack_all,
            "retryBatch": {"retry": self._retry_all, **_given(self._delay)},
            "explicitAcks": list(self._acks),
            "retryMessages": [{"msgId": id, **_given(delay)} for id, delay in self._retries.items()],
        }


def _given(delay: int | None) -> dict[str, int]:
    return {} if delay is None else {"delaySeconds": delay}


def _delay(options: Any, more: dict[str, Any]) -> int | None:
    """`delaySeconds` from an object or a keyword, in either spelling. Raises TypeError for what is no number."""
    given = {**options_of(options), **more}
    delay = given.get("delaySeconds", given.get("delay_seconds"))
    if delay is None:
        return None
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not math.isfinite(delay):
        raise TypeError(f"delaySeconds is a number of seconds, got {delay!r}")
    return int(delay)


def _metrics(found: dict[str, Any]) -> dict[str, Any]:
    oldest = found.get("oldestMessageTimestamp")
    return found if oldest is None else {**found, "oldestMessageTimestamp": _time(oldest)}


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
