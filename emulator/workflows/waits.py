"""Waiting: sleep, sleep until, wait for an event. Each answers one call of user code, when the waiting is over."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator import duration
from emulator.calls import Answer
from emulator.errors import DurationError, WorkflowError
from emulator.models import Failure, Step, StepKind, StepState
from emulator.runtime import values
from emulator.workflows.answers import FAR_ENOUGH, StepRefused, failed, result
from emulator.workflows.ledger import Ledger
from emulator.workflows.names import check_event_type, problem_with_step_name
from emulator.workflows.run import Run

LONGEST_WAIT = timedelta(days=365)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OVER: Answer = ({"go": "result"}, b"")
_USUAL_TIMEOUT = "24 hours"


@dataclass(frozen=True)
class Waits:
    """What answers `step.sleep`, `step.sleep_until` and `step.wait_for_event`."""

    ledger: Ledger
    at_boundary: Callable[[Run], None]

    async def sleep(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        _check_name(head)
        wait = _duration(head["name"], head["duration"])
        return await self._sleep(run, head, self.ledger.clock.now() + wait, f"for {duration.words(wait)}")

    async def sleep_until(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        _check_name(head)
        until = _moment(head["name"], head["until"])
        is_new = (StepKind.SLEEP, head["name"], head["count"]) not in run.steps
        if is_new and until < self.ledger.clock.now() and not run.is_rolling_back:
            raise StepRefused("You can't sleep until a time in the past, time-traveler", kind="Error")
        return await self._sleep(run, head, until, "")

    async def wait(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        _check_name(head)
        event_type = _event_type(head)
        timeout = _duration(head["name"], head["timeout"] or _USUAL_TIMEOUT)
        settings = f'for "{event_type}" within {duration.words(timeout)}'
        step = run.steps.get((StepKind.WAIT, head["name"], head["count"]))
        if run.is_rolling_back:
            return _remembered(run, step)
        self.ledger.hold_against_records(run, StepKind.WAIT, head, settings)
        if step is None:
            config = json.dumps({"timeout": duration.milliseconds(timeout), "settings": settings})
            wake_at = self.ledger.clock.now() + timeout
            step = self.ledger.new_step(run, StepKind.WAIT, head, config=config, wake_at=wake_at, event_type=event_type)
        if step.state is StepState.STARTED:
            step = await self._wait_out(run, step, head)
        return result(step) if step.state is StepState.DONE else failed(step)

    async def _sleep(self, run: Run, head: dict[str, Any], until: datetime, settings: str) -> Answer:
        step = run.steps.get((StepKind.SLEEP, head["name"], head["count"]))
        if run.is_rolling_back:
            return _OVER if step is not None else _beyond(run)
        self.ledger.hold_against_records(run, StepKind.SLEEP, head, settings)
        if step is None:
            config = json.dumps({"settings": settings})
            step = self.ledger.new_step(run, StepKind.SLEEP, head, config=config, wake_at=until)
        if step.state is StepState.DONE or step.wake_at is None:
            return _OVER
        await run.gate(self.at_boundary, nested=head["within"])
        if step.identity not in run.steps:
            self.ledger.write(run, step)
        await run.park(step.wake_at)
        await run.gate(self.at_boundary, nested=head["within"])
        self.ledger.end(run, step)
        await self.ledger.store.durable()
        return _OVER

    async def _wait_out(self, run: Run, step: Step, head: dict[str, Any]) -> Step:
        assert step.wake_at is not None
        event_type = step.event_type or head["event_type"]
        while True:
            await run.gate(self.at_boundary, nested=head["within"])
            ended = self._take_event(run, step, event_type) or self._time_out(run, step)
            if ended is not None:
                await self.ledger.store.durable()
                return ended
            if step.identity not in run.steps:
                self.ledger.write(run, step)
            await run.park(step.wake_at, event_type=event_type)

    def _take_event(self, run: Run, step: Step, event_type: str) -> Step | None:
        """Record the oldest event of the type as this wait's, and forget it, in one transaction."""
        events = self.ledger.store.events
        with self.ledger.store.transaction():
            event = events.oldest(step.instance, event_type)
            if event is None:
                return None
            events.forget(event.sequence)
            ended = self.ledger.end(run, step, result=_event_text(event.payload, event.type, event.sent_at))
        self.ledger.say(run, step, f'event "{event_type}" received')
        return ended

    def _time_out(self, run: Run, step: Step) -> Step | None:
        assert step.wake_at is not None
        if self.ledger.clock.now() < step.wake_at:
            return None
        text = f"Execution timed out after {json.loads(step.config)['timeout']}ms"
        self.ledger.say(run, step, "no event came in time")
        return self.ledger.end(run, step, error=Failure(name="WorkflowTimeoutError", message=text))


def _remembered(run: Run, step: Step | None) -> Answer:
    if step is None:
        return _beyond(run)
    return failed(step) if step.state is StepState.FAILED else result(step)


def _beyond(run: Run) -> Answer:
    return FAR_ENOUGH if run.goes_too_far() else _OVER


def _check_name(head: dict[str, Any]) -> None:
    problem = problem_with_step_name(head["name"])
    if problem is not None:
        raise StepRefused(problem)


def _event_type(head: dict[str, Any]) -> str:
    try:
        check_event_type(head["event_type"])
    except WorkflowError as error:
        raise StepRefused(f'"{head["name"]}": {error.message}', kind="ValueError") from error
    return str(head["event_type"])


def _duration(name: str, given: Any) -> timedelta:
    try:
        return min(duration.parse(given), LONGEST_WAIT)
    except DurationError as error:
        raise StepRefused(f'"{name}": {error}', kind="ValueError") from error


def _moment(name: str, given: Any) -> datetime:
    if not isinstance(given, int | float) or isinstance(given, bool) or not math.isfinite(given):
        raise StepRefused(
            f'"{name}": sleep_until takes a datetime or milliseconds since 1970, got {given!r}', kind="TypeError"
        )
    try:
        return _EPOCH + timedelta(milliseconds=given)
    except OverflowError as error:
        raise StepRefused(f'"{name}": {given!r} is no moment a calendar knows', kind="ValueError") from error


def _event_text(payload: str, event_type: str, sent_at: datetime) -> str:
    rest = values.encode({"type": event_type, "timestamp": sent_at})
    return f'{{"payload":{payload},{rest[1:]}'
