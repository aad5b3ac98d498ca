"""What can be asked of workflows: create, get, pause, resume, terminate, restart, send an event, delete."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from emulator.calls import Answer
from emulator.clock import Clock
from emulator.errors import WorkflowError
from emulator.generation import Generation
from emulator.models import Attempt, Failure, Instance, Status, Step, StepKind, Trigger
from emulator.runtime import values
from emulator.store import Store
from emulator.wire import Frame
from emulator.workflows import rollback as rollbacks
from emulator.workflows.names import check_event_type, check_id
from emulator.workflows.owners import Limits, Owner
from emulator.workflows.passes import Passes
from emulator.workflows.retention import Retention
from emulator.workflows.run import Leaving
from emulator.workflows.transitions import Action, check

LARGEST_BATCH = 100
_KEPT = Retention()
_ROLLED_BACK = Failure(name="Terminated", message="Instance terminated during rollback")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An instance to create. `params` is in wire form."""

    id: str | None = None
    params: str = "{}"
    retention: Retention = _KEPT


class Engine:
    """All workflow instances of this emulator. Everything it knows about an instance is in the store."""

    def __init__(
        self, store: Store, clock: Clock, tell: Callable[[str, str], None], *, limits: Limits | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._passes = Passes(store, clock, tell, limits or Limits())

    # What the outside asks for

    async def create(
        self,
        workflow: str,
        wanted: Wanted,
        *,
        trigger: Trigger = Trigger.BINDING,
        schedule: str | None = None,
    ) -> Instance:
        """A new instance, on disk, started. Raises WorkflowError `instance.already_exists`, `instance.invalid_id`."""
        if schedule is None and wanted.id is not None:
            check_id(wanted.id)
        with self._store.transaction():
            instance = self._add(workflow, wanted, trigger, schedule)
            if instance is None:
                raise WorkflowError(
                    "instance.already_exists", f'Workflow instance with id "{wanted.id}" already exists'
                )
            self._passes.start(instance)
        await self._store.durable()
        return instance

    async def create_batch(
        self, workflow: str, batch: Iterable[Wanted], *, trigger: Trigger = Trigger.BINDING
    ) -> list[Instance]:
        """New instances for those whose id is free; all ids are checked before anything is done."""
        wanted = list(batch)
        if not wanted:
            raise WorkflowError("body", "batchCreate should have at least 1 instance")
        if len(wanted) > LARGEST_BATCH:
            raise WorkflowError("body", f"batchCreate only supports {LARGEST_BATCH} instances at a time")
        for each in wanted:
            if each.id is not None:
                check_id(each.id)
        with self._store.transaction():
            added = [self._add(workflow, each, trigger, None) for each in wanted]
            made = [instance for instance in added if instance is not None]
            for instance in made:
                self._passes.start(instance)
        await self._store.durable()
        return made

    def get(self, workflow: str, id: str) -> Instance:
        """The instance as it stands. Raises WorkflowError `instance.not_found`."""
        instance = self._store.instances.get(workflow, id)
        if instance is None:
            raise WorkflowError("instance.not_found", "Instance does not exist")
        return instance

    def steps(self, instance: Instance) -> list[Step]:
        """The steps of an instance in the order in which they started."""
        run = self._passes.of(instance)
        if run is not None:
            return sorted(run.steps.values(), key=lambda step: step.order)
        return self._store.steps.of(instance.key)

    def attempts(self, instance: Instance) -> list[Attempt]:
        """Every attempt of every step, with its times and its error, in the order of the steps."""
        return self._store.steps.attempts(instance.key)

    async def pause(self, workflow: str, id: str) -> None:
        """Let attempts under way finish, then stand still. Raises WorkflowError `instance.cannot_pause`."""
        instance = self._check(Action.PAUSE, workflow, id)
        run = self._passes.of(instance)
        if instance.ending is not None or (run is not None and run.leaving is Leaving.PAUSE):
            raise WorkflowError("instance.cannot_pause", "Cannot pause an instance that is being rolled back or paused")
        if run is None or run.is_waiting:
            self._passes.stand_still(instance)
            told = "paused"
        else:
            run.leaving = Leaving.PAUSE
            self._passes.show(run, Status.WAITING_FOR_PAUSE)
            told = "to be paused after what is under way"
        await self._store.durable()
        self._tell(instance.title, told)

    async def resume(self, workflow: str, id: str) -> None:
        """Go on; every timer is later by the time spent paused. Raises WorkflowError `instance.cannot_resume`."""
        instance = self._check(Action.RESUME, workflow, id)
        run = self._passes.of(instance)
        if run is not None:
            self._passes.go_on(run)
        else:
            self._go_on_after_pause(instance)
        await self._store.durable()
        self._tell(instance.title, "resumed")

    async def terminate(self, workflow: str, id: str, *, rollback: bool = False) -> None:
        """
        Stop for good; code in flight is cancelled. Raises WorkflowError `instance.cannot_terminate`.

        With `rollback` the rollback handlers of the steps that have started run first; returns when they are done.
        """
        instance = self._check(Action.TERMINATE, workflow, id)
        if rollback and instance.ending is not None:
            # Among others it is the instance's own code that asks, run again to bring its handlers back.
            raise WorkflowError("instance.cannot_terminate", "The instance is being rolled back already")
        to_undo = rollback and rollbacks.plan(self.steps(instance))
        self._passes.drop(instance)
        if not to_undo:
            self._passes.endings.record(instance, Status.TERMINATED)
            await self._store.durable()
            self._tell(instance.title, "terminated")
            return
        with self._store.transaction():
            self._store.instances.change(
                instance.key,
                at=self._clock.now(),
                status=Status.QUEUED,
                wake_at=None,
                ending=Status.TERMINATED,
                error=_ROLLED_BACK,
            )
            self._passes.start(self.get(workflow, id))
        await self._passes.endings.wait(instance)

    async def restart(self, workflow: str, id: str, *, from_step: tuple[StepKind, str, int] | None = None) -> None:
        """Begin again with the same event, as a first run, or from a step on with the steps before it kept."""
        instance = self._check(Action.RESTART, workflow, id)
        orders = None if from_step is None else self._orders_from(instance, from_step)
        self._passes.forget(instance)
        with self._store.transaction():
            self._store.steps.forget(instance.key, orders)
            if from_step is None:
                self._store.events.forget_all(instance.key)
            self._store.instances.reset(instance.key, at=self._clock.now())
            self._passes.start(self.get(workflow, id))
        await self._store.durable()
        self._tell(instance.title, "restarted" if from_step is None else f'restarted from "{from_step[1]}"')

    async def send_event(self, workflow: str, id: str, *, event_type: str, payload: str) -> None:
        """Keep an event for the instance's waits. Raises WorkflowError for ended instances and odd types."""
        instance = self.get(workflow, id)
        check_event_type(event_type)
        check(Action.RECEIVE_EVENT, instance.status)
        if values.is_too_large(payload.encode()):
            raise WorkflowError("body", "the event's payload is too large. Maximum allowed size is 1MiB.")
        with self._store.transaction():
            self._store.events.add(instance.key, event_type, payload=payload, at=self._clock.now())
        run = self._passes.of(instance)
        if run is not None:
            run.wake_oldest(event_type)
        elif instance.status is Status.WAITING:
            self._passes.start(instance)
        await self._store.durable()

    async def delete(self, workflow: str, id: str) -> None:
        """Stop it and forget it."""
        instance = self._check(Action.DELETE, workflow, id)
        self._passes.forget(instance)
        with self._store.transaction():
            self._store.instances.delete(instance.key)
        await self._store.durable()
        self._tell(instance.title, "deleted")

    # What the emulator tells it

    def adopt(self, owners: Mapping[str, Owner]) -> None:
        """New generations are here: instances go on with them."""
        self._passes.adopt(owners)

    def lost(self, generation: Generation) -> None:
        """A generation's process has ended."""
        self._passes.lost(generation)

    async def answer(self, generation: Generation, frame: Frame) -> Answer | None:
        """A step call from the user's code."""
        return await self._passes.answer(generation, frame)

    def name_of(self, generation: Generation, conversation: int) -> str | None:
        """The instance on whose behalf a conversation's code prints."""
        return self._passes.name_of(generation, conversation)

    def count_unfinished(self) -> int:
        """How many instances have not ended, whoever runs them."""
        return self._store.instances.count_unfinished()

    @property
    def is_busy(self) -> bool:
        """User code of some instance is under way."""
        return self._passes.is_busy

    async def close(self) -> None:
        """Leave all passes; what is on disk goes on next time."""
        await self._passes.close()

    # Parts of the above

    def _check(self, action: Action, workflow: str, id: str) -> Instance:
        instance = self.get(workflow, id)
        check(action, instance.status)
        return instance

    def _add(self, workflow: str, wanted: Wanted, trigger: Trigger, schedule: str | None) -> Instance | None:
        if values.is_too_large(wanted.params.encode()):
            raise WorkflowError("body", "params are too large. Maximum allowed size is 1MiB.")
        return self._store.instances.add(
            workflow,
            str(uuid.uuid4()) if wanted.id is None else wanted.id,
            params=wanted.params,
            trigger=trigger,
            at=self._clock.now(),
            schedule=schedule,
            success_retention=wanted.retention.success,
            error_retention=wanted.retention.error,
        )

    def _go_on_after_pause(self, instance: Instance) -> None:
        paused = self._clock.now() - (instance.paused_at or self._clock.now())
        self._passes.forgive(instance)
        with self._store.transaction():
            self._store.steps.shift_wakes(instance.key, paused // timedelta(microseconds=1))
            self._store.instances.change(
                instance.key, at=self._clock.now(), status=Status.QUEUED, paused_at=None, hold_reason=None
            )
            self._passes.start(self.get(instance.workflow, instance.id))

    def _orders_from(self, instance: Instance, wanted: tuple[StepKind, str, int]) -> list[int]:
        steps = self.steps(instance)
        target = next((step for step in steps if step.identity == wanted), None)
        if target is None:
            raise WorkflowError("instance.cannot_restart", f'Step "{wanted[1]}" not found in execution history')
        return [step.order for step in steps if step.order >= target.order]
