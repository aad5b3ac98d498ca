"""One step's life: recall, attempt, wait, record; sleep; wait for an event. Each answers one call of user code."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator import duration
from emulator.clock import Clock
from emulator.errors import DurationError
from emulator.generation import Answer, failure
from emulator.models import Attempt, Failure, Status, Step, StepKind, StepState
from emulator.runtime import values
from emulator.store import Store
from emulator.workflows import retries
from emulator.workflows.retries import StepConfig
from emulator.workflows.run import Identity, Leaving, Run

LONGEST_NAME = 256
LONGEST_WAIT = timedelta(days=365)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StepRefused(Exception):
    """A step call that cannot be carried out; raised in the user's code, and nothing is recorded."""

    def __init__(self, message: str, kind: str = "WorkflowFatalError") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What all steps are handed: the store, the clock, the terminal, and what to do at a boundary."""

    store: Store
    clock: Clock
    tell: Callable[[str, str], None]
    at_boundary: Callable[[Run], None]
    step_limit: Callable[[str], int]

    async def answer(self, run: Run, method: str, head: dict[str, Any], body: bytes) -> Answer:
        """One call of `step.…`; returns when the user's code may go on."""
        methods: dict[str, Callable[[Run, dict[str, Any], bytes], Awaitable[Answer]]] = {
            "begin": self._begin,
            "succeed": self._succeed,
            "fail": self._fail,
            "sleep": self._sleep,
            "sleep_until": self._sleep_until,
            "wait": self._wait,
        }
        with run.request():
            return await methods[method](run, head, body)

    async def _begin(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        name, count = head["name"], head["count"]
        self._count_step(run)
        _check_name(name)
        step = run.steps.get((StepKind.DO, name, count))
        if step is None:
            config = _step_config(name, head["config"])
            step = self._new_step(run, StepKind.DO, name, count, config=config.to_json())
        if step.state is StepState.DONE:
            return _result(step)
        if step.state is StepState.FAILED:
            return _failed(step)
        return await self._attempt(run, step)

    async def _attempt(self, run: Run, step: Step) -> Answer:
        if step.state is StepState.BACKING_OFF and step.wake_at is not None:
            await run.park(step.wake_at)
        await run.gate(self.at_boundary)
        now = self.clock.now()
        step = replace(step, state=StepState.STARTED, attempts=step.attempts + 1, wake_at=None)
        run.executing[step.identity] = None
        self._write(run, step, Attempt(instance=step.instance, order=step.order, attempt=step.attempts, started_at=now))
        await self.store.durable()
        config = StepConfig.from_json(step.config)
        run.executing[step.identity] = asyncio.ensure_future(self._expire(run, step, now + config.timeout))
        context = {"attempt": step.attempts, "config": config.as_context()}
        return {"go": "attempt", "ctx": context, "timeout": duration.milliseconds(config.timeout)}, b""

    async def _succeed(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = self._end_attempt(run, head)
        if values.is_too_large(body):
            text = f"Step {step.label} output is too large. Maximum allowed size is 1MiB."
            return await self._give_up(run, step, Failure(name="WorkflowInternalError", message=text))
        now = self.clock.now()
        step = replace(step, state=StepState.DONE, result=body.decode(), ended_at=now)
        self._write_end(run, step, now)
        await self.store.durable()
        self.tell(f"{run.name} › {step.name}", "ok" if step.attempts == 1 else f"ok, attempt {step.attempts}")
        await run.gate(self.at_boundary)
        return _result(step)

    async def _fail(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = self._end_attempt(run, head)
        error = failure(head["failure"])
        config = StepConfig.from_json(step.config)
        if "delay_problem" in head:
            text = f'The delay function for step "{step.label}" {head["delay_problem"]}'
            return await self._give_up(run, step, Failure(name="NonRetryableDelayError", message=text))
        delay = None if head["final"] else retries.next_delay(config, step.attempts, base=_base(head))
        if delay is None:
            return await self._give_up(run, step, error)
        now = self.clock.now()
        step = replace(step, state=StepState.BACKING_OFF, wake_at=now + delay)
        self._write_end(run, step, now, error)
        await self.store.durable()
        self.tell(
            f"{run.name} › {step.name}",
            f"attempt {step.attempts} failed ({error.name}: {error.message}), next in {duration.words(delay)}",
        )
        return await self._attempt(run, step)

    async def _give_up(self, run: Run, step: Step, error: Failure) -> Answer:
        now = self.clock.now()
        step = replace(step, state=StepState.FAILED, error=error, ended_at=now)
        self._write_end(run, step, now, error)
        await self.store.durable()
        self.tell(f"{run.name} › {step.name}", f"failed after attempt {step.attempts}: {error.name}: {error.message}")
        await run.gate(self.at_boundary)
        return _failed(step)

    async def _expire(self, run: Run, step: Step, when: datetime) -> None:
        await self.clock.sleep_until(when)
        # A debugger stands in the step's body: its time stands still.
        while run.generation.holds:  # noqa: ASYNC110 - a person is at the prompt, nobody needs to be quick
            await asyncio.sleep(0.25)
        if run.conversation is not None:
            run.conversation.send("expire", {"key": step.label})

    async def _sleep(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = run.steps.get((StepKind.SLEEP, head["name"], head["count"]))
        if step is None:
            until = self.clock.now() + _wait_of(head["name"], head["duration"])
            step = self._new_step(run, StepKind.SLEEP, head["name"], head["count"], wake_at=until)
        return await self._sleep_out(run, step)

    async def _sleep_until(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = run.steps.get((StepKind.SLEEP, head["name"], head["count"]))
        if step is None:
            until = _moment(head["name"], head["until"])
            if until < self.clock.now():
                raise StepRefused("You can't sleep until a time in the past, time-traveler", kind="Error")
            step = self._new_step(run, StepKind.SLEEP, head["name"], head["count"], wake_at=until)
        return await self._sleep_out(run, step)

    async def _sleep_out(self, run: Run, step: Step) -> Answer:
        if step.state is StepState.DONE:
            return {"go": "result"}, b""
        assert step.wake_at is not None
        await run.gate(self.at_boundary)
        if step.identity not in run.steps:
            self._write(run, step)
        await run.park(step.wake_at)
        await run.gate(self.at_boundary)
        self._write(run, replace(step, state=StepState.DONE, ended_at=self.clock.now()))
        await self.store.durable()
        return {"go": "result"}, b""

    async def _wait(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        name, count, event_type = head["name"], head["count"], head["event_type"]
        step = run.steps.get((StepKind.WAIT, name, count))
        if step is None:
            wait = _wait_of(name, head["timeout"] or "24 hours")
            step = self._new_step(
                run, StepKind.WAIT, name, count, wake_at=self.clock.now() + wait, event_type=event_type
            )
            step = replace(step, config=json.dumps({"timeout": duration.milliseconds(wait)}))
        if step.state is StepState.DONE:
            return _result(step)
        if step.state is StepState.FAILED:
            return _failed(step)
        return await self._wait_out(run, step, event_type)

    async def _wait_out(self, run: Run, step: Step, event_type: str) -> Answer:
        assert step.wake_at is not None
        while True:
            await run.gate(self.at_boundary)
            if self._take_event(run, step, event_type):
                break
            if self.clock.now() >= step.wake_at:
                self._time_out(run, step)
                break
            if step.identity not in run.steps:
                self._write(run, step)
            await run.park(step.wake_at, event_type=event_type)
        await self.store.durable()
        step = run.steps[step.identity]
        return _result(step) if step.state is StepState.DONE else _failed(step)

    def _take_event(self, run: Run, step: Step, event_type: str) -> bool:
        """Record the oldest event of the type as this wait's, and forget it, in one transaction."""
        with self.store.transaction():
            event = self.store.instances.oldest_event(step.instance, event_type)
            if event is None:
                return False
            self.store.instances.forget_event(event.sequence)
            received = _event_text(event.payload, event.type, event.sent_at)
            self._write(run, replace(step, state=StepState.DONE, result=received, ended_at=self.clock.now()))
        self.tell(f"{run.name} › {step.name}", f'event "{event_type}" received')
        return True

    def _time_out(self, run: Run, step: Step) -> None:
        timeout = json.loads(step.config)["timeout"]
        error = Failure(name="WorkflowTimeoutError", message=f"Execution timed out after {timeout}ms")
        self._write(run, replace(step, state=StepState.FAILED, error=error, ended_at=self.clock.now()))
        self.tell(f"{run.name} › {step.name}", "no event came in time")

    def _new_step(
        self,
        run: Run,
        kind: StepKind,
        name: str,
        count: int,
        *,
        config: str = "{}",
        wake_at: datetime | None = None,
        event_type: str | None = None,
    ) -> Step:
        return Step(
            instance=run.instance.key,
            kind=kind,
            name=name,
            count=count,
            order=run.next_order(),
            state=StepState.STARTED,
            started_at=self.clock.now(),
            config=config,
            wake_at=wake_at,
            event_type=event_type,
        )

    def _end_attempt(self, run: Run, head: dict[str, Any]) -> Step:
        identity: Identity = (StepKind.DO, head["name"], head["count"])
        timer = run.executing.pop(identity)
        if timer is not None:
            timer.cancel()
        return run.steps[identity]

    def _write_end(self, run: Run, step: Step, now: datetime, error: Failure | None = None) -> None:
        with self.store.transaction():
            self.store.instances.end_attempt(step, at=now, error=error)
            self._write(run, step)

    def _write(self, run: Run, step: Step, attempt: Attempt | None = None) -> None:
        """The step, its attempt and the status it leads to change in one transaction, or not at all."""
        status = _status_of(run)
        with self.store.transaction():
            self.store.instances.change(run.instance.key, epoch=run.instance.epoch, at=self.clock.now(), status=status)
            self.store.instances.put_step(step)
            if attempt is not None:
                self.store.instances.put_attempt(attempt)
        run.status = status
        run.steps[step.identity] = step

    def _count_step(self, run: Run) -> None:
        run.taken += 1
        limit = self.step_limit(run.instance.workflow)
        if run.taken > limit:
            raise StepRefused(
                f"The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
            )


def _status_of(run: Run) -> Status:
    """A run that writes is running, unless it still waits elsewhere or is about to pause."""
    if run.leaving is Leaving.PAUSE:
        return Status.WAITING_FOR_PAUSE
    return Status.WAITING if run.is_waiting else Status.RUNNING


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise StepRefused(f"a step's name is text, got {type(name).__name__}")
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_NAME or any(
        ord(character) < 32 for character in name
    ):
        raise StepRefused(f'Step name "{name}" exceeds max length (256 chars) or invalid characters found')


def _step_config(name: str, given: Any) -> StepConfig:
    try:
        return retries.resolve(given, name)
    except ValueError as error:
        raise StepRefused(str(error)) from error


def _base(head: dict[str, Any]) -> timedelta | None:
    """What the user's own delay function said, if the config has one."""
    if "delay" not in head:
        return None
    try:
        return duration.parse(head["delay"])
    except DurationError:
        return None


def _wait_of(name: str, given: Any) -> timedelta:
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


def _result(step: Step) -> Answer:
    return {"go": "result"}, (step.result or "null").encode()


def _failed(step: Step) -> Answer:
    error = step.error or Failure(name="Error", message="")
    described = {"kind": error.name, "message": error.message, "type": error.type}
    # Without a type the error is the engine's own: it takes the place of what the body raised.
    return {"go": "failure", "failure": described, "replaces": not error.type}, b""
