"""One step's life: recall, attempt, wait, record; and the undoing of steps. Each answers one call of user code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from emulator import duration
from emulator.calls import Answer
from emulator.clock import Alarm
from emulator.errors import DurationError, StoreError
from emulator.generation import failure
from emulator.models import Failure, Status, Step, StepKind, StepState
from emulator.runtime import values
from emulator.store import Superseded
from emulator.workflows import retries, rollback
from emulator.workflows.answers import FAR_ENOUGH, StepRefused, failed, result, streamed
from emulator.workflows.grants import Grants
from emulator.workflows.ledger import Ledger
from emulator.workflows.names import problem_with_step_name
from emulator.workflows.retries import StepConfig
from emulator.workflows.run import Run
from emulator.workflows.streams import Streams
from emulator.workflows.waits import Waits

# Seconds after which a step that began by a grant is written down, if it has not ended.
_WRITTEN_AFTER = 0.002

_Method = Callable[[Run, dict[str, Any], bytes], Awaitable[Answer | None]]


@dataclass(kw_only=True)
class Steps:
    """What answers the calls of `step.…`: begin, succeed and fail of bodies, and the order in which to undo."""

    ledger: Ledger
    at_boundary: Callable[[Run], None]
    step_limit: Callable[[str], int]
    refused: Callable[[Run, Exception], None]

    def __post_init__(self) -> None:
        waits = Waits(self.ledger, self.at_boundary)
        self._streams = Streams(self.ledger)
        self.grants = Grants(ledger=self.ledger, step_limit=self.step_limit)
        self._methods: dict[str, _Method] = {
            "begin": self._begin,
            "succeed": self._succeed,
            "fail": self._fail,
            "sleep": waits.sleep,
            "sleep_until": waits.sleep_until,
            "wait": waits.wait,
            "keep_block": self._streams.keep,
            "read_block": self._streams.read,
            "rollbacks": self._rollbacks,
            "rollback_missing": self._rollback_missing,
            "begun": self._begun,
            "return_grant": self._return_grant,
        }

    async def answer(self, run: Run, method: str, head: dict[str, Any], body: bytes) -> Answer | None:
        """One call of `step.…`; returns when the user's code may go on, with None where it does not wait."""
        found = self._methods.get(method)
        if found is None:
            raise StepRefused(f'a step has no "{method}"; there are {", ".join(self._methods)}', kind="AttributeError")
        if run.has_grant and method != "begun":
            self.grants.withdraw(run)
        with run.request():
            return await found(run, head, body)

    # A body

    async def _begin(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        kind = StepKind(head["kind"])
        step = run.steps.get((kind, head["name"], head["count"]))
        if kind is StepKind.DO:
            self._check(run, head)
            if run.is_rolling_back:
                return _remembered(run, step)
            self.ledger.hold_against_records(run, kind, head)
        if step is None:
            step = self.ledger.new_step(run, kind, head, config=_stored_config(head))
        if step.state is StepState.DONE:
            return _with_context(result(step), step)
        if step.state is StepState.FAILED:
            return _with_context(failed(step), step)
        return await self._attempt(run, step, head)

    async def _begun(self, run: Run, head: dict[str, Any], body: bytes) -> None:
        """The body runs already, by the grant that came with the last result."""
        run.taken += 1
        run.has_grant = False
        self.ledger.hold_against_records(run, StepKind.DO, head)
        step = replace(self.ledger.new_step(run, StepKind.DO, head, config=_stored_config(head)), attempts=1)
        run.steps[step.identity] = run.unwritten = step
        run.executing[step.identity] = self._alarm(run, step)
        asyncio.get_running_loop().call_later(_WRITTEN_AFTER, self._note, run, step)

    def _note(self, run: Run, step: Step) -> None:
        if run.live and run.unwritten is step:
            try:
                self.ledger.catch_up(run)
            except (StoreError, Superseded) as error:
                self.refused(run, error)

    async def _return_grant(self, run: Run, head: dict[str, Any], body: bytes) -> None:
        """The code took no step at once."""

    def _check(self, run: Run, head: dict[str, Any]) -> None:
        if head["rollback"]:
            _resolved(head["rollback_config"], head["name"], "Rollback")
        run.taken += 1
        limit = self.step_limit(run.instance.workflow)
        if run.taken > limit:
            raise StepRefused(
                f"The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
            )
        problem = problem_with_step_name(head["name"])
        if problem is not None:
            raise StepRefused(problem)

    async def _attempt(self, run: Run, step: Step, head: dict[str, Any]) -> Answer:
        if step.state is StepState.BACKING_OFF and step.wake_at is not None:
            # A pass that is to be left does not wait for the back-off to be over.
            await run.gate(self.at_boundary, nested=head["within"])
            await run.park(step.wake_at)
        await run.gate(self.at_boundary, nested=head["within"])
        step = self._begin_attempt(run, step)
        await self.ledger.store.durable()
        timeout = StepConfig.from_json(step.config).timeout
        return {"go": "attempt", "ctx": _context(step), "timeout": duration.milliseconds(timeout)}, b""

    def _begin_attempt(self, run: Run, step: Step) -> Step:
        run.executing[step.identity] = None
        step = self.ledger.begin_attempt(run, step)
        run.executing[step.identity] = self._alarm(run, step)
        return step

    async def _succeed(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = _end_of_attempt(run, head)
        kept = streamed(self._streams.preview(step)) if head.get("stream") else body.decode()
        if values.is_too_large(body):
            text = f"Step {step.label} output is too large. Maximum allowed size is 1MiB."
            return await self._give_up(run, step, head, Failure(name="WorkflowInternalError", message=text))
        step = replace(step, state=StepState.DONE, result=kept, ended_at=self.ledger.clock.now())
        with self.ledger.store.transaction():
            self.ledger.end_attempt(run, step)
            grant = self.grants.give(run)
        await self.ledger.store.durable()
        self.ledger.say(run, step, "ok" if step.attempts == 1 else f"ok, attempt {step.attempts}")
        await run.gate(self.at_boundary, nested=head["within"])
        return result(step, grant)

    async def _fail(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = _end_of_attempt(run, head)
        error = failure(head["failure"])
        problem = head.get("delay_problem") or _problem_with_delay(head)
        if problem:
            text = f'The delay function for step "{step.label}" {problem}'
            return await self._give_up(run, step, head, Failure(name="NonRetryableDelayError", message=text))
        config = StepConfig.from_json(step.config)
        delay = None if head["final"] else retries.next_delay(config, step.attempts, base=_base(head))
        if delay is None:
            return await self._give_up(run, step, head, error)
        step = replace(step, state=StepState.BACKING_OFF, wake_at=self.ledger.clock.now() + delay)
        self.ledger.end_attempt(run, step, error)
        await self.ledger.store.durable()
        self.ledger.say(run, step, f"attempt {step.attempts} failed ({error.words}), next in {duration.words(delay)}")
        return await self._attempt(run, step, head)

    async def _give_up(self, run: Run, step: Step, head: dict[str, Any], error: Failure) -> Answer:
        step = replace(step, state=StepState.FAILED, error=error, ended_at=self.ledger.clock.now())
        self.ledger.end_attempt(run, step, error)
        await self.ledger.store.durable()
        self.ledger.say(run, step, f"failed after attempt {step.attempts}: {error.words}")
        await run.gate(self.at_boundary, nested=head["within"])
        return failed(step)

    def _alarm(self, run: Run, step: Step) -> Alarm:
        """The time of an attempt that begins now: when it is over, the body is told so."""
        held_before = run.generation.held_for
        expires_at = self.ledger.clock.now() + StepConfig.from_json(step.config).timeout

        def ring() -> None:
            run.executing[step.identity] = asyncio.ensure_future(self._expire(run, step, expires_at, held_before))

        return self.ledger.clock.alarm(expires_at, ring)

    async def _expire(self, run: Run, step: Step, when: datetime, before: timedelta) -> None:
        # While a debugger stands in the step's body, its time stands still.
        while (held := await run.generation.let_go()) > before:
            when, before = when + held - before, held
            await self.ledger.clock.sleep_until(when)
        if run.conversation is not None:
            run.conversation.send("expire", {"key": step.key})

    # Undoing

    async def _rollbacks(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        """`run` is over and has failed, or is to be undone: which handlers run now, in this order."""
        run.turn_back()
        steps = rollback.plan(run.steps.values())
        if steps and not run.is_rolling_back:
            self._note_ending(run, failure(head["failure"]))
            await self.ledger.store.durable()
        return {"go": "rollback", "steps": [[step.name, step.count] for step in steps]}, b""

    def _note_ending(self, run: Run, error: Failure) -> None:
        """From here on the instance can only end: a crash goes on with the undoing, not with the steps."""
        run.instance = replace(run.instance, ending=Status.ERRORED, error=error)
        with self.ledger.store.transaction():
            self.ledger.store.instances.change(
                run.instance.key,
                epoch=run.instance.epoch,
                at=self.ledger.clock.now(),
                ending=Status.ERRORED,
                error=error,
            )

    async def _rollback_missing(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        step = self.ledger.new_step(run, StepKind.ROLLBACK, head)
        step = self.ledger.end(run, step, error=rollback.MISSING)
        await self.ledger.store.durable()
        self.ledger.say(run, step, f"{rollback.MISSING.name}: the code no longer takes this step")
        return failed(step)


def _end_of_attempt(run: Run, head: dict[str, Any]) -> Step:
    identity = (StepKind(head["kind"]), head["name"], head["count"])
    timer = run.executing.pop(identity)
    if timer is not None:
        timer.cancel()
    return run.steps[identity]


def _remembered(run: Run, step: Step | None) -> Answer:
    """What a step gives while the code runs only to bring its rollback handlers back: its record, and nothing new."""
    if step is None:
        return FAR_ENOUGH if run.goes_too_far() else ({"go": "skip"}, b"")
    if step.state is StepState.DONE:
        return _with_context(result(step), step)
    if step.state is StepState.FAILED:
        return _with_context(failed(step), step)
    return _with_context(({"go": "skip"}, b""), step)


def _with_context(answer: Answer, step: Step) -> Answer:
    """A rollback handler receives the context of its step, also where the step does not run again."""
    head, body = answer
    return ({**head, "ctx": _context(step)}, body) if rollback.has_handler(step) else answer


def _context(step: Step) -> dict[str, Any]:
    return {"attempt": step.attempts, "config": StepConfig.from_json(step.config).as_context()}


def _stored_config(head: dict[str, Any]) -> str:
    config = _resolved(head["config"], head["name"], "Step").as_json
    return json.dumps({**json.loads(config), "rollback": True}) if head.get("rollback") else config


def _resolved(given: Any, name: str, what: str) -> StepConfig:
    try:
        return retries.resolve(given, name, what=what)
    except ValueError as error:
        raise StepRefused(str(error)) from error


def _base(head: dict[str, Any]) -> timedelta | None:
    """What the user's own delay function said, if the config has one."""
    return duration.parse(head["delay"]) if "delay" in head else None


def _problem_with_delay(head: dict[str, Any]) -> str | None:
    try:
        _base(head)
    except DurationError as error:
        return f"returned an invalid delay value ({error})"
    return None
