"""The nouns, frozen: instances, steps, attempts, events, messages, ticks, batches, and how a dispatch ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """The states of a workflow instance, in the platform's words."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    WAITING_FOR_PAUSE = "waitingForPause"
    ERRORED = "errored"
    TERMINATED = "terminated"
    COMPLETE = "complete"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        return self in (Status.ERRORED, Status.TERMINATED, Status.COMPLETE)


class Trigger(StrEnum):
    """Who created an instance."""

    API = "api"
    BINDING = "binding"
    CRON = "cron"


class StepKind(StrEnum):
    """What a workflow can ask of the platform, and the undoing of a step, which is recorded like one."""

    DO = "do"
    SLEEP = "sleep"
    WAIT = "waitForEvent"
    ROLLBACK = "rollback"


class StepState(StrEnum):
    """Where a step stands. `started`: an attempt under way, a sleep or a wait; `backing off`: before the next try."""

    STARTED = "started"
    BACKING_OFF = "backing off"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error as it is stored and shown: class name, text, traceback; `type` is where the class is found again."""

    name: str
    message: str
    trace: str = ""
    type: str = ""

    @property
    def words(self) -> str:
        """`ValueError: boom`; the name alone of an exception without text."""
        return f"{self.name}: {self.message}" if self.message else self.name


@dataclass(frozen=True, kw_only=True)
class Instance:
    """
    One run of a workflow, from create to its end. Values (`params`, `output`) are in their wire form.

    `ending` is the status that an instance which is being rolled back will end with; `error` is then the reason.
    """

    key: int
    workflow: str
    id: str
    status: Status
    params: str
    epoch: int
    trigger: Trigger
    created_at: datetime
    modified_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    wake_at: datetime | None = None
    paused_at: datetime | None = None
    output: str | None = None
    error: Failure | None = None
    schedule: str | None = None
    hold_reason: str | None = None
    ending: Status | None = None
    success_retention: timedelta | None = None
    error_retention: timedelta | None = None
    expires_at: datetime | None = None

    @property
    def title(self) -> str:
        """Which one it is: workflow/id."""
        return f"{self.workflow}/{self.id}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of an instance, known by what it is, its name, and how often that name was used before."""

    instance: int
    kind: StepKind
    name: str
    count: int
    order: int
    state: StepState
    started_at: datetime
    config: str = "{}"
    attempts: int = 0
    wake_at: datetime | None = None
    ended_at: datetime | None = None
    result: str | None = None
    error: Failure | None = None
    event_type: str | None = None

    @property
    def identity(self) -> tuple[StepKind, str, int]:
        return (self.kind, self.name, self.count)

    @property
    def label(self) -> str:
        return f"{self.name}-{self.count}"

    @property
    def key(self) -> str:
        """Its label, apart from that of the step it undoes."""
        return f"rollback:{self.label}" if self.kind is StepKind.ROLLBACK else self.label

    @property
    def settings(self) -> str:
        """What a sleep or a wait was told, in words; empty for the others."""
        return str(json.loads(self.config).get("settings", ""))

    @property
    def is_sensitive(self) -> bool:
        """Its result is for the workflow only: nobody else may see it."""
        # Status asks this of every step: most configs need not be read for it.
        return '"sensitive"' in self.config and json.loads(self.config).get("sensitive") == "output"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try of a step's body."""

    instance: int
    order: int
    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event sent to an instance and not yet taken by a wait."""

    sequence: int
    type: str
    payload: str
    sent_at: datetime


@dataclass(frozen=True, kw_only=True)
class Message:
    """A queued message. `failures` counts the deliveries that did not end in an ack."""

    sequence: int
    id: str
    queue: str
    body: str
    content_type: str
    sent_at: datetime
    visible_at: datetime
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class PullConsumer:
    """Who takes a queue's messages over HTTP, a batch at a time, and acks them by the ids of their leases."""

    queue: str
    batch_size: int
    max_retries: int
    retry_delay: timedelta
    visibility_timeout: timedelta
    created_at: datetime
    dead_letter_queue: str | None = None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A message that was pulled: nobody else sees it until the lease ends."""

    id: str
    message: Message


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What the scheduled handler receives: the expression as written, and the minute it stands for."""

    cron: str
    time: datetime


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the queue handler receives, with what is left behind in the queue."""

    queue: str
    messages: tuple[Message, ...]
    backlog_count: int = 0
    backlog_bytes: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a dispatch ended. `result` is what the handler recorded: acks and retries of a batch, `noRetry` of a tick."""

    outcome: str
    milliseconds: float
    error: Failure | None = None
    result: dict[str, object] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"
