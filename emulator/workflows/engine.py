"""Which instances run now: start, give way, pause, resume, terminate, restart, events, either side's death."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator.clock import Clock
from emulator.errors import StoreError, WorkerGone, WorkflowError
from emulator.generation import Answer, Generation, failure
from emulator.models import Failure, Instance, Status, Step, StepKind, StepState, Trigger
from emulator.runtime import values
from emulator.store import Store, Superseded
from emulator.wire import Frame
from emulator.workflows.run import Leaving, Run
from emulator.workflows.step import StepRefused, Steps

log = logging.getLogger("emulator")

STEP_LIMIT = 10_000
LARGEST_BATCH = 100
_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}")
_EVENT_TYPE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}")
_HOT_WINDOW = timedelta(seconds=1)
_DEATHS_BEFORE_HOLD = 5
_TRY_AGAIN_AFTER = 1.0


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who runs a workflow: the class, the generation its worker has now, and the workflow's limits."""

    class_name: str
    script: str
    generation: Generation | None
    step_limit: int = STEP_LIMIT


class Engine:
    """All workflow instances of this emulator. Everything it knows about an instance is in the store."""

    def __init__(
        self, store: Store, clock: Clock, tell: Callable[[str, str], None], *, hot_window: timedelta = _HOT_WINDOW
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._hot_window = hot_window
        self._owners: Mapping[str, Owner] = {}
        self._runs: dict[int, Run] = {}
        self._heard: dict[tuple[int, int], Run] = {}
        self._deaths: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._earlier = asyncio.Event()
        self._closed = False
        self._steps = Steps(
            store=store,
            clock=clock,
            tell=tell,
            at_boundary=self._end_at_boundary,
            step_limit=lambda workflow: self._owners[workflow].step_limit,
        )
        self._spawn(self._wake_sleepers())

    # What the outside asks for

    async def create(
        self,
        workflow: str,
        *,
        id: str | None = None,
        params: str = "{}",
        trigger: Trigger = Trigger.BINDING,
        schedule: str | None = None,
    ) -> Instance:
        """A new instance, on disk, started. Raises WorkflowError `instance.already_exists`, `instance.invalid_id`."""
        id = str(uuid.uuid4()) if id is None else id
        check_id(id)
        with self._store.transaction():
            instance = self._add(workflow, id, params, trigger, schedule)
            if instance is None:
                raise WorkflowError("instance.already_exists", f'Workflow instance with id "{id}" already exists')
            started = self._start(instance)
        await self._store.durable()
        return started

    async def create_batch(
        self, workflow: str, wanted: Iterable[tuple[str | None, str]], *, trigger: Trigger = Trigger.BINDING
    ) -> list[Instance]:
        """New instances for those (id, params) whose id is free; all ids are checked before anything is done."""
        batch = [(str(uuid.uuid4()) if id is None else id, params) for id, params in wanted]
        if not batch:
            raise WorkflowError("body", "batchCreate should have at least 1 instance")
        if len(batch) > LARGEST_BATCH:
            raise WorkflowError("body", f"batchCreate only supports {LARGEST_BATCH} instances at a time")
        for id, _ in batch:
            check_id(id)
        with self._store.transaction():
            added = [self._add(workflow, id, params, trigger, None) for id, params in batch]
            made = [self._start(instance) for instance in added if instance is not None]
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
        run = self._runs.get(instance.key)
        if run is not None:
            return sorted(run.steps.values(), key=lambda step: step.order)
        return self._store.instances.steps(instance.key)

    async def pause(self, workflow: str, id: str) -> None:
        """Let attempts under way finish, then stand still. Raises WorkflowError `instance.cannot_pause`."""
        instance = self.get(workflow, id)
        run = self._runs.get(instance.key)
        if instance.status not in (Status.RUNNING, Status.WAITING) or (
            run is not None and run.leaving is Leaving.PAUSE
        ):
            raise WorkflowError("instance.cannot_pause", f"Cannot pause an instance that is {instance.status}")
        if run is None or run.is_waiting:
            self._stand_still(instance)
        else:
            run.leaving = Leaving.PAUSE
            self._show(run, Status.WAITING_FOR_PAUSE)
        await self._store.durable()

    async def resume(self, workflow: str, id: str) -> None:
        """Go on; every timer is later by the time spent paused. Raises WorkflowError `instance.cannot_resume`."""
        instance = self.get(workflow, id)
        if instance.status is Status.WAITING_FOR_PAUSE:
            self._call_pause_off(self._runs[instance.key])
        elif instance.status is Status.PAUSED:
            self._start_after_pause(instance)
        else:
            raise WorkflowError("instance.cannot_resume", f"Cannot resume an instance that is {instance.status}")
        await self._store.durable()

    async def terminate(self, workflow: str, id: str) -> None:
        """Stop for good; code in flight is cancelled. Raises WorkflowError `instance.cannot_terminate`."""
        instance = self.get(workflow, id)
        if instance.status.is_final:
            raise WorkflowError("instance.cannot_terminate", "Cannot terminate instance since its on a finite state")
        self._drop_run(instance.key)
        self._end(instance, Status.TERMINATED)
        await self._store.durable()

    async def restart(self, workflow: str, id: str, *, from_step: tuple[StepKind, str, int] | None = None) -> None:
        """Begin again with the same event, as a first run, or from a step on with the steps before it kept."""
        instance = self.get(workflow, id)
        orders = None if from_step is None else self._orders_from(instance, from_step)
        self._drop_run(instance.key)
        self._deaths.pop(instance.key, None)
        with self._store.transaction():
            table = self._store.instances
            table.forget_steps(instance.key, orders)
            if from_step is None:
                table.forget_events(instance.key)
            table.change(
                instance.key,
                at=self._clock.now(),
                status=Status.QUEUED,
                started_at=None,
                ended_at=None,
                wake_at=None,
                paused_at=None,
                hold_reason=None,
                output=None,
                error=None,
            )
            self._start(self.get(workflow, id))
        await self._store.durable()

    async def send_event(self, workflow: str, id: str, *, event_type: str, payload: str) -> None:
        """Keep an event for the instance's waits. Raises WorkflowError for ended instances and odd types."""
        instance = self.get(workflow, id)
        check_event_type(event_type)
        if instance.status.is_final:
            raise WorkflowError(
                "instance.cannot_receive_event", f"The instance is {instance.status}; it waits for nothing"
            )
        with self._store.transaction():
            self._store.instances.add_event(instance.key, event_type, payload=payload, at=self._clock.now())
        run = self._runs.get(instance.key)
        if run is not None:
            run.wake_oldest(event_type)
        elif instance.status is Status.WAITING:
            self._start(instance)
        await self._store.durable()

    async def delete(self, workflow: str, id: str) -> None:
        """Stop it and forget it."""
        instance = self.get(workflow, id)
        self._drop_run(instance.key)
        with self._store.transaction():
            self._store.instances.delete(instance.key)
        await self._store.durable()

    # What the emulator tells it

    def adopt(self, owners: Mapping[str, Owner]) -> None:
        """New generations are here: instances go on with them, those in the middle of a step at its end."""
        self._owners = owners
        for run in list(self._runs.values()):
            owner = owners.get(run.instance.workflow)
            if owner is not None and owner.generation is run.generation:
                continue
            if run.is_waiting or not run.generation.alive:
                self._begin_again(run)
            elif run.leaving is None:
                run.leaving = Leaving.GIVE_WAY
        self._start_unfinished()

    def lost(self, generation: Generation) -> None:
        """A generation's process has ended: its runs are over, and start again when there is a new one."""
        lost = [run for run in self._runs.values() if run.generation is generation]
        executing = [run for run in lost if run.executing]
        if len(executing) == 1:
            self._deaths[executing[0].instance.key] += 1
        for run in lost:
            self._forget(run)
            if self._deaths[run.instance.key] >= _DEATHS_BEFORE_HOLD:
                self._hold(run)

    async def answer(self, generation: Generation, frame: Frame) -> Answer:
        """A step call from the user's code."""
        run = self._heard.get((id(generation), frame.head["run"]))
        if run is None or not run.live:
            raise asyncio.CancelledError
        try:
            return await self._steps.answer(run, frame.head["method"], frame.head, frame.body)
        except StepRefused as error:
            return {"error": {"kind": error.kind, "message": str(error)}}, b""
        except (StoreError, Superseded) as error:
            self._lose_for_now(run, error)
            raise asyncio.CancelledError from error

    def name_of(self, generation: Generation, conversation: int) -> str | None:
        """The run that prints."""
        run = self._heard.get((id(generation), conversation))
        return None if run is None else run.name

    @property
    def is_busy(self) -> bool:
        """User code of some instance is under way."""
        return any(run.is_busy for run in self._runs.values())

    async def close(self) -> None:
        """Leave all runs; what is on disk goes on next time."""
        self._closed = True
        for run in list(self._runs.values()):
            self._forget(run)
            run.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # One pass from start to end

    def _add(self, workflow: str, id: str, params: str, trigger: Trigger, schedule: str | None) -> Instance | None:
        if values.is_too_large(params.encode()):
            raise WorkflowError("body", "params are too large. Maximum allowed size is 1MiB.")
        return self._store.instances.add(
            workflow, id, params=params, trigger=trigger, at=self._clock.now(), schedule=schedule
        )

    def _start(self, instance: Instance) -> Instance:
        """Claim the instance for a new pass, where its worker is there; otherwise it stays queued until it is."""
        owner = self._owners.get(instance.workflow)
        if owner is None or owner.generation is None or not owner.generation.alive or self._closed:
            return instance
        with self._store.transaction():
            claimed = self._store.instances.claim(instance.key, at=self._clock.now())
        run = Run(claimed, owner.generation, self._clock, steps=self._store.instances.steps(instance.key))
        run.on_parked = self._note_wait
        self._runs[instance.key] = run
        self._spawn(self._pass(run, owner))
        return instance

    async def _pass(self, run: Run, owner: Owner) -> None:
        instance = run.instance
        try:
            await self._store.durable()
            if not run.live:
                return
            if owner.class_name not in run.generation.loaded.workflows:
                self._finish_missing(run, owner)
                return
            head = {"class_name": owner.class_name}
            run.conversation = run.generation.open("run", head, _event(instance).encode())
            self._heard[id(run.generation), run.conversation.number] = run
            self._finish(run, await run.conversation.done())
        except WorkerGone:
            return
        except (StoreError, Superseded) as error:
            self._lose_for_now(run, error)

    def _finish(self, run: Run, frame: Frame) -> None:
        if not run.live or frame.head.get("cancelled"):
            return
        error = frame.head.get("error")
        if error is None:
            self._end(run.instance, Status.COMPLETE, epoch=run.instance.epoch, output=frame.body.decode() or "null")
            self._tell(run.name, "complete")
        else:
            self._fail(run, failure(error))
        self._forget(run)
        run.leave()

    def _finish_missing(self, run: Run, owner: Owner) -> None:
        there = ", ".join(sorted(run.generation.loaded.workflows)) or "none"
        text = f'the worker has no workflow class "{owner.class_name}"; it exports {there}'
        self._fail(run, Failure(name="TypeError", message=text))
        self._forget(run)

    def _fail(self, run: Run, error: Failure) -> None:
        self._end(run.instance, Status.ERRORED, epoch=run.instance.epoch, error=error)
        self._tell(run.name, f"errored: {error.name}: {error.message}")
        if error.trace:
            log.error("%s", error.trace.rstrip())

    def _end(
        self,
        instance: Instance,
        status: Status,
        *,
        epoch: int | None = None,
        output: str | None = None,
        error: Failure | None = None,
    ) -> None:
        self._deaths.pop(instance.key, None)
        with self._store.transaction():
            self._store.instances.change(
                instance.key,
                epoch=epoch,
                at=self._clock.now(),
                status=status,
                ended_at=self._clock.now(),
                wake_at=None,
                output=output,
                error=error,
            )

    # Leaving a pass

    def _end_at_boundary(self, run: Run) -> None:
        """The last attempt of a run that is to leave has been recorded."""
        if run.leaving is Leaving.PAUSE:
            self._stand_still(run.instance)
        else:
            self._begin_again(run)

    def _stand_still(self, instance: Instance) -> None:
        self._drop_run(instance.key)
        with self._store.transaction():
            self._store.instances.change(
                instance.key, at=self._clock.now(), status=Status.PAUSED, paused_at=self._clock.now(), wake_at=None
            )

    def _call_pause_off(self, run: Run) -> None:
        self._show(run, Status.RUNNING)
        run.go_on()

    def _start_after_pause(self, instance: Instance) -> None:
        paused = self._clock.now() - (instance.paused_at or self._clock.now())
        self._deaths.pop(instance.key, None)
        with self._store.transaction():
            table = self._store.instances
            table.shift_wakes(instance.key, paused // timedelta(microseconds=1))
            table.change(instance.key, at=self._clock.now(), status=Status.QUEUED, paused_at=None, hold_reason=None)
            self._start(instance)

    def _begin_again(self, run: Run) -> None:
        """The same instance in a new pass, on the generation its worker has now."""
        self._forget(run)
        run.leave()
        with self._store.transaction():
            self._store.instances.change(run.instance.key, at=self._clock.now(), status=Status.QUEUED)
            self._start(run.instance)

    def _hold(self, run: Run) -> None:
        """This instance ended the worker's process again and again: the others shall not suffer for it."""
        with self._store.transaction():
            self._store.instances.change(
                run.instance.key,
                at=self._clock.now(),
                status=Status.PAUSED,
                paused_at=self._clock.now(),
                hold_reason="crash-loop",
            )
        self._tell(
            run.name, f"paused: the worker's process ended {_DEATHS_BEFORE_HOLD} times in it; resume to try again"
        )

    def _lose_for_now(self, run: Run, error: Exception) -> None:
        """The store refused a write. What is on disk still holds; go on from there a little later."""
        if not run.live:
            return
        log.error("%s: %s; trying again in %.0f s", run.name, error, _TRY_AGAIN_AFTER)
        self._forget(run)
        run.leave()
        self._spawn(self._start_later(run.instance))

    async def _start_later(self, instance: Instance) -> None:
        await asyncio.sleep(_TRY_AGAIN_AFTER)
        current = self._store.instances.get(instance.workflow, instance.id)
        if current is None or current.status.is_final or instance.key in self._runs:
            return
        with suppress(StoreError, Superseded):
            self._start(current)
            return
        self._spawn(self._start_later(instance))

    def _drop_run(self, key: int) -> None:
        run = self._runs.get(key)
        if run is not None:
            self._forget(run)
            run.leave()

    def _forget(self, run: Run) -> None:
        run.live = False
        if self._runs.get(run.instance.key) is run:
            del self._runs[run.instance.key]
        if run.conversation is not None:
            self._heard.pop((id(run.generation), run.conversation.number), None)

    # Those nobody runs

    def _start_unfinished(self) -> None:
        """All that ended neither now nor before the last crash go on, each from its recorded steps."""
        now = self._clock.now()
        with self._store.transaction():
            for instance in self._store.instances.unfinished(list(self._owners)):
                asleep = instance.status is Status.WAITING and instance.wake_at is not None and instance.wake_at > now
                if instance.key in self._runs or asleep or instance.status is Status.PAUSED:
                    continue
                if instance.status is Status.WAITING_FOR_PAUSE:
                    self._stand_still(instance)
                else:
                    self._start(instance)
        self._earlier.set()

    def _note_wait(self, run: Run) -> None:
        """A run that is blocked on nothing but a long wait needs no coroutine."""
        if not run.is_waiting or run.leaving is not None:
            return
        if run.status is not Status.WAITING:
            self._show(run, Status.WAITING)
        if run.wakes_at - self._clock.now() > self._hot_window:
            delay = self._hot_window.total_seconds()
            asyncio.get_running_loop().call_later(delay, self._hibernate, run, run.wakes_at)

    def _hibernate(self, run: Run, until: datetime) -> None:
        still = run.live and run.is_waiting and run.leaving is None and run.wakes_at == until
        if not still or until - self._clock.now() <= timedelta():
            return
        self._drop_run(run.instance.key)
        with suppress(StoreError), self._store.transaction():
            self._store.instances.change(run.instance.key, at=self._clock.now(), status=Status.WAITING, wake_at=until)
        self._earlier.set()

    async def _wake_sleepers(self) -> None:
        while True:
            self._earlier.clear()
            await self._earlier_or(self._store.instances.next_wake())
            for instance in self._store.instances.due(self._clock.now()):
                if instance.key not in self._runs:
                    self._start(instance)

    async def _earlier_or(self, due: datetime | None) -> None:
        waits = [asyncio.ensure_future(self._earlier.wait())]
        if due is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep_until(due)))  # type: ignore[arg-type]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _show(self, run: Run, status: Status) -> None:
        with self._store.transaction():
            self._store.instances.change(
                run.instance.key, epoch=run.instance.epoch, at=self._clock.now(), status=status
            )
        run.status = status

    def _orders_from(self, instance: Instance, wanted: tuple[StepKind, str, int]) -> list[int]:
        steps = self.steps(instance)
        target = next((step for step in steps if step.identity == wanted), None)
        if target is None:
            raise WorkflowError("instance.cannot_restart", f'Step "{wanted[1]}" not found in execution history')
        return [step.order for step in steps if step.order >= target.order]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def check_id(id: object) -> None:
    """Raise WorkflowError unless an instance may be called so."""
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise WorkflowError("instance.invalid_id", "Workflow instance has invalid id")


def check_event_type(event_type: object) -> None:
    """Raise WorkflowError unless an event may be of this type."""
    if not isinstance(event_type, str) or not _EVENT_TYPE.fullmatch(event_type):
        raise WorkflowError(
            "event.invalid_type",
            "an event's type has 1 to 100 letters, digits, underscores or hyphens, no hyphen first",
        )


def status_of(instance: Instance, steps: Iterable[Step]) -> dict[str, Any]:
    """What `instance.status()` answers: status, step outputs so far, output, and the error of an errored one."""
    outputs = [
        _shown_output(step) for step in steps if step.state is StepState.DONE and step.kind is not StepKind.SLEEP
    ]
    answer: dict[str, Any] = {
        "status": str(instance.status),
        "__LOCAL_DEV_STEP_OUTPUTS": outputs,
        "output": values.shown(instance.output),
    }
    if instance.error is not None:
        answer["error"] = {"name": instance.error.name, "message": instance.error.message}
    return answer


def _shown_output(step: Step) -> Any:
    if step.kind is StepKind.DO and json.loads(step.config).get("sensitive") == "output":
        return "[REDACTED]"
    shown = values.shown(step.result)
    return shown["payload"] if step.kind is StepKind.WAIT else shown


def _event(instance: Instance) -> str:
    rest: dict[str, Any] = {
        "timestamp": instance.created_at,
        "instanceId": instance.id,
        "workflowName": instance.workflow,
    }
    if instance.schedule is not None:
        rest["schedule"] = json.loads(instance.schedule)
    return f'{{"payload":{instance.params},{values.encode(rest)[1:]}'
