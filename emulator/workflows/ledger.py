"""How the steps of a pass are recorded: with the status they lead to, under its epoch, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from emulator.clock import Clock
from emulator.models import Attempt, Failure, Status, Step, StepKind, StepState
from emulator.store import Store
from emulator.workflows.retries import DEFAULTS
from emulator.workflows.run import Leaving, Run

INTERRUPTED = Failure(name="Interrupted", message="the worker's process ended during this attempt")


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the lives of all steps are handed: the store, the clock, the terminal."""

    store: Store
    clock: Clock
    tell: Callable[[str, str], None]

    def new_step(
        self,
        run: Run,
        kind: StepKind,
        head: dict[str, Any],
        *,
        config: str = "{}",
        wake_at: datetime | None = None,
        event_type: str | None = None,
    ) -> Step:
        """A step that starts now; nothing is written yet."""
        order = run.next_order()
        return Step(
            instance=run.instance.key,
            kind=kind,
            name=head["name"],
            count=head["count"],
            order=order,
            state=StepState.STARTED,
            # Only a step of the usual config can have begun by the grant that is on record here.
            attempts=1 if kind is StepKind.DO and order == run.interrupted and config == DEFAULTS.as_json else 0,
            started_at=self.clock.now(),
            config=config if run.is_alone else json.dumps({**json.loads(config), "beside": True}),
            wake_at=wake_at,
            event_type=event_type,
        )

    def begin_attempt(self, run: Run, step: Step) -> Step:
        """The next attempt, numbered on disk before the body runs."""
        begun = replace(step, state=StepState.STARTED, attempts=step.attempts + 1, wake_at=None)
        attempt = Attempt(instance=step.instance, order=step.order, attempt=begun.attempts, started_at=self.clock.now())
        # A process that dies takes no number with it. A machine that dies may: then one number comes twice.
        with self.store.transaction(synced=False):
            if step.state is StepState.STARTED and step.attempts:
                self.store.steps.end_attempt(step, at=self.clock.now(), error=INTERRUPTED)
            if step.attempts:
                self.store.streams.forget(step.instance, step.order)
            self.store.steps.put_attempt(attempt)
            self.write(run, begun)
        return begun

    def catch_up(self, run: Run) -> None:
        """Write the step that has begun by a grant, if it is not on record yet."""
        step, run.unwritten = run.unwritten, None
        if step is not None:
            with self.store.transaction(synced=False):
                self.store.steps.put_attempt(_first_attempt(step))
                self.write(run, step)

    def end_attempt(self, run: Run, step: Step, error: Failure | None = None) -> None:
        """The latest attempt is over, with what has become of the step."""
        begun = run.unwritten if run.is_unwritten(step) else None
        started_at = None if begun is None else begun.started_at
        with self.store.transaction():
            self.store.steps.end_attempt(step, at=self.clock.now(), error=error, started_at=started_at)
            self.write(run, step)
        if begun is not None:
            run.unwritten = None

    def end(self, run: Run, step: Step, *, result: str | None = None, error: Failure | None = None) -> Step:
        """A step that has no attempts is over."""
        state = StepState.DONE if error is None else StepState.FAILED
        ended = replace(step, state=state, result=result, error=error, ended_at=self.clock.now())
        self.write(run, ended)
        return ended

    def write(self, run: Run, step: Step) -> None:
        """The step and the status it leads to. Raises Superseded when this pass is no longer the instance's own."""
        status = _status_of(run)
        with self.store.transaction():
            if not run.is_unwritten(step):
                # What comes later in the order is not on record before it.
                self.catch_up(run)
            self.store.instances.change(run.instance.key, epoch=run.instance.epoch, at=self.clock.now(), status=status)
            self.store.steps.put(step)
        run.status = status
        run.steps[step.identity] = step

    def say(self, run: Run, step: Step, text: str) -> None:
        """A line in the terminal about a step."""
        sign = "↶" if step.kind is StepKind.ROLLBACK else "›"
        self.tell(f"{run.name} {sign} {step.name}", text)

    def hold_against_records(self, run: Run, kind: StepKind, head: dict[str, Any], settings: str = "") -> None:
        """Say so when a step does not fit what earlier passes recorded."""
        complaint = run.replay.asked((kind, head["name"], head["count"]), settings)
        if complaint is not None:
            file, line = head.get("at") or ("", 0)
            self.tell(run.name, f"{file}:{line}: {complaint}" if file else complaint)


def _first_attempt(step: Step) -> Attempt:
    return Attempt(instance=step.instance, order=step.order, attempt=1, started_at=step.started_at)


def _status_of(run: Run) -> Status:
    """A pass that writes is running, unless it still waits elsewhere or is about to pause."""
    if run.leaving is Leaving.PAUSE:
        return Status.WAITING_FOR_PAUSE
    return Status.WAITING if run.is_waiting else Status.RUNNING
