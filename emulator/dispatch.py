"""One verb: event → generation → outcome, and the report of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from emulator.errors import WorkerError
from emulator.generation import Conversation, Generation, failure
from emulator.models import Failure, Outcome
from emulator.wire import Frame


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


Place = tuple[str, int, int]
"""Where an event runs: the worker's name, the number of its generation, the number of the conversation."""


class Watch(Protocol):
    """Who is told of every event in a generation."""

    def begins(self, place: Place, event: Event) -> None: ...

    def ends(self, place: Place, event: Event, outcome: Outcome) -> None: ...


class Callee(Protocol):
    """Who is called: a worker, or one generation of it."""

    async def ready(self) -> Generation:
        """The generation to call. Raises WorkerGone when there is none."""


class Dispatch:
    """Every browser request, tick and batch ends here; nothing else calls user code, except the workflow engine."""

    def __init__(self, report: Callable[[Event, Outcome], None], watch: Watch | None = None) -> None:
        self._report = report
        self._watch = watch
        self._under_way: dict[Place, Event] = {}

    async def __call__(self, worker: Callee, event: Event) -> Outcome:
        """
        Call a handler of the worker; a failing one is an outcome, not an exception.

        Raises WorkerError for who must answer a browser, after it is reported: there is no process, it has ended, or
        what it said cannot be sent.
        """
        started = time.perf_counter()
        try:
            conversation = self._open(await worker.ready(), event)
        except WorkerError as wrong:
            self._report(event, _outcome_of_error(wrong, started))
            raise
        except BaseException:
            self._report(event, Outcome(outcome="canceled", milliseconds=_since(started)))
            raise
        place = _place(conversation)
        try:
            outcome = _outcome(await self._converse(conversation, event), started)
        except WorkerError as wrong:
            outcome = _outcome_of_error(wrong, started)
            raise
        except BaseException:
            outcome = Outcome(outcome="canceled", milliseconds=_since(started))
            raise
        finally:
            del self._under_way[place]
            self._report(event, outcome)
            if self._watch is not None:
                self._watch.ends(place, event, outcome)
        return outcome

    def _open(self, generation: Generation, event: Event) -> Conversation:
        head, body = event.frame()
        conversation = generation.open(event.kind, head, body)
        self._under_way[_place(conversation)] = event
        if self._watch is not None:
            self._watch.begins(_place(conversation), event)
        return conversation

    async def _converse(self, conversation: Conversation, event: Event) -> Frame | None:
        try:
            return await event.converse(conversation)
        except WorkerError:
            raise
        except BaseException:
            # Nobody listens any more: the server could not go on, or is stopping.
            conversation.leave()
            raise

    @property
    def is_busy(self) -> bool:
        # A web socket stays open for as long as somebody looks at a page; that is no work.
        return any(event.kind != "upgrade" for event in self._under_way.values())

    def speaker(self, worker: str, generation: int, conversation: int) -> Event | None:
        """On whose behalf user code prints."""
        return self._under_way.get((worker, generation, conversation))


def _place(conversation: Conversation) -> Place:
    return conversation.generation.worker, conversation.generation.number, conversation.number


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
