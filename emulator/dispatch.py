"""One verb: event → generation → outcome, and the record of the invocation."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from emulator.clock import Clock
from emulator.errors import WorkerError
from emulator.generation import Conversation, failure
from emulator.models import Failure, Invocation, Outcome
from emulator.wire import Frame
from emulator.worker import Worker

KEPT = 500


class Event(Protocol):
    """Something a handler receives: its frame, and how to talk until it is over."""

    @property
    def kind(self) -> str:
        """The frame's kind: fetch, upgrade, rpc, scheduled or queue."""

    @property
    def label(self) -> str:
        """How the terminal calls it."""

    @property
    def title(self) -> str:
        """What it is about: a path, a cron, a queue."""

    def frame(self) -> tuple[dict[str, Any], bytes]:
        """Head and body of the frame that begins the conversation."""

    def result(self, outcome: Outcome) -> str:
        """What the terminal says of its end; empty when somebody else says it."""

    async def converse(self, conversation: Conversation) -> Frame | None:
        """Talk until the last frame; None when that came before the conversation's end."""


class Dispatch:
    """Every browser request, tick and batch ends here; nothing else calls user code, except the workflow engine."""

    def __init__(self, clock: Clock, report: Callable[[Event, Outcome], None]) -> None:
        self._clock = clock
        self._report = report
        self._numbers = itertools.count(1)
        self._kept: deque[Invocation] = deque(maxlen=KEPT)
        self._under_way: dict[tuple[str, int, int], Event] = {}

    async def __call__(self, worker: Worker, event: Event) -> Outcome:
        """
        Call a handler of the worker; a failing one is an outcome, not an exception.

        Raises WorkerError for who must answer a browser, after the record is made: the process has ended, or what it
        said cannot be sent.
        """
        started_at, started = self._clock.now(), time.perf_counter()
        generation = await worker.ready()
        head, body = event.frame()
        conversation = generation.open(event.kind, head, body)
        place = (worker.name, generation.number, conversation.number)
        self._under_way[place] = event
        error: WorkerError | None = None
        try:
            last = await event.converse(conversation)
            outcome = _outcome(last, started)
        except WorkerError as wrong:
            error = wrong
            outcome = _outcome_of_error(wrong, started)
        except BaseException:
            outcome = Outcome(outcome="canceled", milliseconds=_since(started))
            raise
        finally:
            del self._under_way[place]
            self._record(worker, event, conversation, started_at, outcome)
        if error is not None:
            raise error
        return outcome

    @property
    def is_busy(self) -> bool:
        # A web socket stays open for as long as somebody looks at a page; that is no work.
        return any(event.kind != "upgrade" for event in self._under_way.values())

    def speaker(self, worker: str, generation: int, conversation: int) -> Event | None:
        """On whose behalf user code prints."""
        return self._under_way.get((worker, generation, conversation))

    def invocations(self) -> Iterable[Invocation]:
        """The latest ones, oldest first."""
        return tuple(self._kept)

    def _record(
        self, worker: Worker, event: Event, conversation: Conversation, started_at: Any, outcome: Outcome
    ) -> None:
        invocation = Invocation(
            number=next(self._numbers),
            kind=event.kind,
            title=event.title,
            worker=worker.name,
            generation=conversation.generation.number,
            started_at=started_at,
            milliseconds=outcome.milliseconds,
            outcome=outcome.outcome,
            error=outcome.error,
        )
        self._kept.append(invocation)
        self._report(event, outcome)


def _outcome(last: Frame | None, started: float) -> Outcome:
    if last is None:
        return Outcome(outcome="ok", milliseconds=_since(started))
    error = last.head.get("error")
    return Outcome(
        outcome=last.head.get("outcome", "ok"),
        milliseconds=_since(started),
        error=failure(error) if error else None,
        result=last.head.get("result") or {},
    )


def _outcome_of_error(error: WorkerError, started: float) -> Outcome:
    found = Failure(name=error.kind, message=error.message, trace=error.trace)
    return Outcome(outcome="exception", milliseconds=_since(started), error=found)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
