"""Which instances run now: started, left, hibernated, woken, begun again, and what happens when either side dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator.calls import Answer
from emulator.clock import Clock
from emulator.errors import StoreError, WorkerGone
from emulator.generation import Generation
from emulator.models import Failure, Instance, Status
from emulator.store import Store, Superseded
from emulator.wire import Frame
from emulator.workflows.answers import StepRefused
from emulator.workflows.deaths import Deaths
from emulator.workflows.endings import Endings
from emulator.workflows.event import ending_of, event_of
from emulator.workflows.hibernation import Hibernation
from emulator.workflows.ledger import Ledger
from emulator.workflows.outcomes import Outcomes
from emulator.workflows.owners import Limits, Owner
from emulator.workflows.recovery import Recovery
from emulator.workflows.run import Leaving, Run
from emulator.workflows.sleepers import Sleepers
from emulator.workflows.step import Steps

log = logging.getLogger("emulator")

_MOST_HOT = 256


@dataclass
class Passes:
    """All passes of this emulator. Everything they know about their instances is in the store."""

    store: Store
    clock: Clock
    tell: Callable[[str, str], None]
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._owners: Mapping[str, Owner] = {}
        self._runs: dict[int, Run] = {}
        self._heard: dict[tuple[int, int], Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sleepers = Sleepers(self.store, self.clock, self._wake)
        self._hibernation = Hibernation(self.clock, self._hot_window, self._hibernate)
        self.endings = Endings(self.store, self.clock, self._sleepers.look_again)
        self._outcomes = Outcomes(self.endings, self.tell)
        self._deaths = Deaths(self.store, self.clock, self.tell, self.endings)
        self._closed = False
        self._recovery = Recovery(self._begin_unfinished)
        self.store.on_refusal = self._recovery.plan
        self._steps = Steps(
            ledger=Ledger(store=self.store, clock=self.clock, tell=self.tell),
            at_boundary=self._move_on,
            step_limit=lambda workflow: self._owners[workflow].step_limit,
            refused=self._lose_for_now,
        )
        self._spawn(self._sleepers.watch())

    # What the engine asks for

    def of(self, instance: Instance) -> Run | None:
        """The pass an instance is in now."""
        return self._runs.get(instance.key)

    def start(self, instance: Instance) -> None:
        """Claim an instance for a new pass; it stays queued while its worker is not there or all places are taken."""
        owner = self._owners.get(instance.workflow)
        generation = None if owner is None else owner.living
        if owner is None or generation is None or not self._has_room():
            self._leave_queued(instance)
            return
        with self.store.transaction():
            claimed = self.store.instances.claim(instance.key, at=self.clock.now())
            run = self._run_of(claimed, generation)
            grant = self._steps.grants.give(run)
        run.on_parked = self._note_wait
        self._runs[instance.key] = run
        self._spawn(self._pass(run, owner, grant, self.store.commit))

    def drop(self, instance: Instance) -> None:
        """Leave the pass an instance is in, wherever its code stands."""
        run = self._runs.get(instance.key)
        if run is not None:
            self._leave(run)

    def stand_still(self, instance: Instance) -> None:
        """Nothing of the instance runs any more: it is paused."""
        self.drop(instance)
        now = self.clock.now()
        with self.store.transaction():
            self.store.instances.change(instance.key, at=now, status=Status.PAUSED, paused_at=now, wake_at=None)

    def go_on(self, run: Run) -> None:
        """A pause was called off; the pass goes on, on a newer generation if there is one now."""
        self.show(run, Status.RUNNING)
        run.go_on()
        owner = self._owners.get(run.instance.workflow)
        if owner is not None and owner.generation is not run.generation:
            run.leaving = Leaving.GIVE_WAY

    def begin_again(self, run: Run) -> None:
        """The same instance in a new pass, on the generation its worker has now."""
        self._leave(run)
        with self.store.transaction():
            self.store.instances.change(run.instance.key, at=self.clock.now(), status=Status.QUEUED)
            self.start(run.instance)

    def forget(self, instance: Instance) -> None:
        """It begins anew or is deleted: its pass is left, and whoever waits for its end waits no longer."""
        self.drop(instance)
        self._deaths.forgive(instance)
        self.endings.release(instance)

    def forgive(self, instance: Instance) -> None:
        """Count the deaths of the worker's process in this instance anew."""
        self._deaths.forgive(instance)

    # What the emulator tells

    def adopt(self, owners: Mapping[str, Owner]) -> None:
        """New generations are here: instances go on with them, those in the middle of a step at its end."""
        self._owners = owners
        for run in list(self._runs.values()):
            owner = owners.get(run.instance.workflow)
            if owner is not None and owner.generation is run.generation:
                continue
            if run.is_waiting or not run.generation.alive:
                self._move_on(run)
            elif run.leaving is None:
                run.leaving = Leaving.GIVE_WAY
        self._begin_unfinished()

    def lost(self, generation: Generation) -> None:
        """A generation's process has ended: its passes are over, and begin again when there is a living one."""
        lost = [run for run in self._runs.values() if run.generation is generation]
        self._deaths.note(lost)
        for run in lost:
            run.cancel_timers()
            self._forget(run)
            with self._recovery.made_up_for():
                self._deaths.hold_if_many(run)
        # It may have been an old one that was let finish: then the new one is here already.
        self._begin_unfinished()

    async def answer(self, generation: Generation, frame: Frame) -> Answer | None:
        """A step call from the user's code."""
        run = self._heard.get((id(generation), frame.head["run"]))
        if run is None or not run.live:
            raise asyncio.CancelledError
        if frame.head["method"] == "succeed":
            self._deaths.forgive(run.instance)
        try:
            return await self._steps.answer(run, frame.head["method"], frame.head, frame.body)
        except StepRefused as error:
            return {"error": {"kind": error.kind, "message": str(error)}}, b""
        except (StoreError, Superseded) as error:
            self._lose_for_now(run, error)
            raise asyncio.CancelledError from error
        except Exception as error:
            self._break_off(run, error)
            raise asyncio.CancelledError from error
        finally:
            self._hibernation.note(run)

    def name_of(self, generation: Generation, conversation: int) -> str | None:
        """The pass that prints."""
        run = self._heard.get((id(generation), conversation))
        return None if run is None else run.name

    @property
    def is_busy(self) -> bool:
        """User code of some instance is under way."""
        if self._hibernation.is_busy or self._sleepers.is_busy:
            return True
        return any(run.is_busy for run in self._runs.values())

    async def close(self) -> None:
        """Leave all passes; what is on disk goes on next time."""
        self._closed = True
        self._recovery.close()
        self.endings.close()
        for run in list(self._runs.values()):
            self._leave(run)
        await self._hibernation.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # One pass from start to end

    def _run_of(self, instance: Instance, generation: Generation) -> Run:
        steps = self.store.steps
        numbered = steps.last_attempt_order(instance.key)
        return Run(instance, generation, self.clock, steps=steps.of(instance.key), numbered=numbered)

    async def _pass(
        self, run: Run, owner: Owner, grant: dict[str, Any] | None, claimed: asyncio.Future[None] | None
    ) -> None:
        instance = run.instance
        try:
            if claimed is not None:
                await claimed
            if not run.live:
                return
            if owner.class_name not in run.generation.loaded.workflows:
                self._outcomes.fail(run, _no_such_class(owner, run.generation))
                self._forget(run)
                return
            head = {"class_name": owner.class_name, "ending": ending_of(instance), "grant": grant}
            run.conversation = run.generation.open("run", head, event_of(instance).encode())
            self._heard[id(run.generation), run.conversation.number] = run
            self._finish(run, await run.conversation.done())
        except WorkerGone:
            # Those lost with their process are looked after by `lost`; this one was stopped, it had its time.
            if run.live:
                self._move_on(run)
        except (StoreError, Superseded) as error:
            self._lose_for_now(run, error)
        except Exception as error:
            self._break_off(run, error)

    def _finish(self, run: Run, frame: Frame) -> None:
        if not run.live or frame.head.get("cancelled"):
            return
        self._deaths.forgive(run.instance)
        self._steps.ledger.catch_up(run)
        self._outcomes.record(run, frame)
        self._leave(run)

    def _break_off(self, run: Run, error: Exception) -> None:
        """A fault of the emulator's own: it is the instance's error, which would hang otherwise."""
        log.error("%s: this is a fault of the emulator", run.name, exc_info=error)
        if not run.live:
            return
        try:
            self._steps.ledger.catch_up(run)
            self._outcomes.fail(run, Failure(name=type(error).__name__, message=str(error)))
        except (StoreError, Superseded) as refusal:
            self._lose_for_now(run, refusal)
        self._leave(run)

    # Leaving a pass

    def _move_on(self, run: Run) -> None:
        """Nothing of the pass is under way any more: a pause comes true, otherwise the instance goes on in another."""
        with self._recovery.made_up_for():
            if run.leaving is Leaving.PAUSE:
                self.stand_still(run.instance)
            else:
                self.begin_again(run)

    def _leave(self, run: Run) -> None:
        self._forget(run)
        run.leave()

    def _forget(self, run: Run) -> None:
        self._catch_up(run)
        run.live = False
        if self._runs.get(run.instance.key) is run:
            del self._runs[run.instance.key]
        if run.conversation is not None:
            self._heard.pop((id(run.generation), run.conversation.number), None)
        if self.limits.most_running is not None and not self._closed:
            asyncio.get_running_loop().call_soon(self._fill_places)

    def _catch_up(self, run: Run) -> None:
        """The pass is over: what it has begun is on record, and what it was granted is taken back."""
        with self._recovery.made_up_for():
            self._steps.ledger.catch_up(run)
            if run.has_grant and not self._closed:
                self._steps.grants.withdraw(run)

    def _lose_for_now(self, run: Run, error: Exception) -> None:
        """The store refused a write. What is on disk still holds; go on from there a little later."""
        if not run.live:
            return
        # The store itself has said, once, what is wrong with the disk.
        log.debug("%s: %r; going on a little later", run.name, error)
        self._leave(run)
        self._recovery.plan()

    # Those nobody runs

    def _has_room(self) -> bool:
        if self._closed:
            return False
        return self.limits.most_running is None or len(self._runs) < self.limits.most_running

    def _leave_queued(self, instance: Instance) -> None:
        """Due, but nobody can run it now; the next generation or the next free place will."""
        if instance.status is not Status.QUEUED and not self._closed:
            with self.store.transaction():
                self.store.instances.change(instance.key, at=self.clock.now(), status=Status.QUEUED, wake_at=None)

    def _fill_places(self) -> None:
        """A place is free: the instance that has queued longest takes it."""
        places = (self.limits.most_running or 0) - len(self._runs)
        if places > 0 and not self._closed:
            with self._recovery.made_up_for():
                for instance in self.store.instances.queued(self._served(), places):
                    self.start(instance)

    def _served(self) -> list[str]:
        """The workflows whose worker lives: the others' instances must not stand in the way."""
        return [name for name, owner in self._owners.items() if owner.living is not None]

    def _begin_unfinished(self) -> None:
        """All that is to run, and that nobody runs, goes on from its recorded steps."""
        with self._recovery.made_up_for(), self.store.transaction():
            for instance in self.store.instances.to_run(self._served(), self.clock.now()):
                if instance.key in self._runs:
                    continue
                if instance.status is Status.WAITING_FOR_PAUSE:
                    self.stand_still(instance)
                else:
                    self.start(instance)
        self._sleepers.look_again()

    def _wake(self, instance: Instance) -> None:
        if instance.key not in self._runs:
            self.start(instance)

    def _note_wait(self, run: Run) -> None:
        """People see that it waits; perhaps it does so for long."""
        if not run.is_waiting or run.leaving is not None:
            return
        if run.status is not Status.WAITING:
            self.show(run, Status.WAITING)
        self._hibernation.note(run)

    def _hot_window(self) -> timedelta:
        # Where places are few, one that waits must not hold one; where passes are many, memory is what they cost.
        crowded = len(self._runs) > _MOST_HOT or self.limits.most_running is not None
        return timedelta() if crowded else self.limits.hot_window

    def _hibernate(self, run: Run) -> None:
        """A pass that is blocked on nothing but a long wait needs no coroutine."""
        until = run.wakes_at
        self._leave(run)
        with self._recovery.made_up_for(), self.store.transaction():
            self.store.instances.change(run.instance.key, at=self.clock.now(), status=Status.WAITING, wake_at=until)
        self._sleepers.look_again()

    def show(self, run: Run, status: Status) -> None:
        """Change the status of an instance whose pass goes on."""
        with self.store.transaction():
            self.store.instances.change(run.instance.key, epoch=run.instance.epoch, at=self.clock.now(), status=status)
        run.status = status

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _no_such_class(owner: Owner, generation: Generation) -> Failure:
    there = ", ".join(sorted(generation.loaded.workflows)) or "none"
    return Failure(
        name="TypeError", message=f'the worker has no workflow class "{owner.class_name}"; it exports {there}'
    )
