"""A batch of messages on its way through a generation, and what the handler said of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from emulator.errors import WorkerGone
from emulator.generation import Conversation
from emulator.models import Batch, Message, Outcome
from emulator.store.messages import Backlog
from emulator.wire import Frame


class BatchLost(WorkerGone):
    """
    The user's process ended with a batch under way; a process that ended before that says just WorkerGone.

    `by_us` says that it was stopped for a newer version.
    """

    def __init__(self, why: str, *, by_us: bool = False) -> None:
        super().__init__(why)
        self.by_us = by_us


class QueueEvent:
    """One batch on its way through a generation."""

    kind = "queue"
    label = "QUEUE"

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._has_begun = False

    @property
    def title(self) -> str:
        return f"{self.batch.queue} ({len(self.batch.messages)})"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        batch = self.batch
        backlog = Backlog(count=batch.backlog_count, bytes=batch.backlog_bytes, oldest_at=batch.oldest_at)
        head = {
            "queue": batch.queue,
            "messages": [(each.id, _milliseconds(each.sent_at), each.failures + 1) for each in batch.messages],
            "metrics": {
                name: _milliseconds(value) if isinstance(value, datetime) else value
                for name, value in metrics(backlog).items()
            },
        }
        return head, f"[{','.join(each.body for each in batch.messages)}]".encode()

    def result(self, outcome: Outcome) -> str:
        if outcome.error is not None and not self._has_begun:
            # The broker says, once, that it cannot be delivered.
            return ""
        if outcome.outcome == "canceled":
            return outcome.outcome
        again = len(retried(self.batch.messages, outcome))
        parts = {"acked": len(self.batch.messages) - again, "retried": again}
        return ", ".join(f"{count} {word}" for word, count in parts.items() if count)

    async def converse(self, conversation: Conversation) -> Frame:
        self._has_begun = True
        try:
            return await conversation.done()
        except WorkerGone as gone:
            raise BatchLost(gone.message, by_us=conversation.generation.is_stopping) from gone


def retried(messages: Sequence[Message], outcome: Outcome) -> list[tuple[Message, int | None]]:
    """
    Which messages come again, with the delay in seconds the handler asked for.

    What was said of a message wins over what was said of the batch, and that over how the handler ended.
    """
    recorded: dict[str, Any] = outcome.result
    batch = recorded.get("retryBatch", {})
    others_again = not recorded.get("ackAll") and (batch.get("retry") or not outcome.is_ok)
    acked = set(recorded.get("explicitAcks", ()))
    single = {entry["msgId"]: entry.get("delaySeconds") for entry in recorded.get("retryMessages", ())}
    return [
        (message, batch.get("delaySeconds") if (own := single.get(message.id)) is None else own)
        for message in messages
        if message.id in single or (others_again and message.id not in acked)
    ]


def metrics(backlog: Backlog) -> dict[str, Any]:
    """A backlog in the platform's words."""
    found: dict[str, Any] = {"backlogCount": backlog.count, "backlogBytes": backlog.bytes}
    return found if backlog.oldest_at is None else {**found, "oldestMessageTimestamp": backlog.oldest_at}


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
