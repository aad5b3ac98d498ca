"""Emulator: boot, reload, stop. The only file that knows every other."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from emulator import __version__, banner, config
from emulator.assets import Beside, Folders
from emulator.attendance import Attendance, Owned
from emulator.bindings import assets, queues, services
from emulator.clock import MovableClock, SystemClock
from emulator.config import Config
from emulator.dispatch import Dispatch, Event
from emulator.errors import ConfigError, EmulatorError, WorkerError, WorkflowError
from emulator.generation import Answer, Generation, Hooks, Loaded
from emulator.handlers.fetch import Fetch
from emulator.handlers.queue import Broker, QueueEvent
from emulator.handlers.scheduled import Crons, ScheduledEvent
from emulator.models import Batch, Outcome, Tick, Trigger
from emulator.places import near, where_it_hangs
from emulator.runtime import values
from emulator.store import Store
from emulator.terminal import Terminal
from emulator.versions import Versions
from emulator.wire import Frame
from emulator.worker import Start, Worker
from emulator.workflows.binding import call_instance, call_workflow
from emulator.workflows.engine import Engine, Wanted
from emulator.workflows.passes import STEP_LIMIT, Limits, Owner

log = logging.getLogger("emulator")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line, or a test, decides."""

    configs: tuple[Path, ...]
    env: str | None = None
    persist_to: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    crons: bool = True
    settle_seconds: float = 10.0
    limits: Limits = field(default_factory=Limits)

    @property
    def state(self) -> Path:
        return self.persist_to or self.configs[0].parent / ".emulator"


def limits(*, always_replay: bool, most_running: int | None) -> Limits:
    """How workflows are held, as the command line says it."""
    usual = Limits(most_running=most_running)
    return replace(usual, hot_window=timedelta()) if always_replay else usual


class Emulator:
    """Everything that runs for a set of workers. One of these per state folder."""

    def __init__(self, options: Options, start: Start, terminal: Terminal, clock: MovableClock | None = None) -> None:
        self.options = options
        found = [self._read(path) for path in options.configs]
        _refuse_conflicts(found)
        self.clock = clock or SystemClock()
        self.terminal = terminal
        self.started_at = time.monotonic()
        self.store = Store(options.state)
        self.attendance = Attendance(options.state, self.clock, self._owned_crons)
        self._attending: asyncio.Task[None] | None = None
        self.versions = Versions(self.clock.now())
        self.folders = Folders(options.state)
        self.dispatch = Dispatch(self.clock, self._report)
        self.engine = Engine(
            self.store, self.clock, lambda title, text: terminal.event("FLOW", title, text), limits=options.limits
        )
        self.broker = Broker(
            self.store, self.clock, self._deliver, lambda title, text: terminal.event("QUEUE", title, text)
        )
        hooks = Hooks(
            answer=self._answer, printed=self._printed, died=self._died, blocked=self._blocked, held=self._held
        )
        self.workers = [Worker(each, start, hooks, on_swap=self._swapped) for each in found]
        self._crons = {worker.name: Crons(self.clock, partial(self.tick, worker)) for worker in self.workers}
        self._schedules = {
            worker.name: Crons(self.clock, partial(self._start_scheduled, worker)) for worker in self.workers
        }
        self._holders: set[Generation] = set()
        self.on_hold: Callable[[], None] = lambda: None
        self._changes = 0
        self._warned: set[str] = set()
        self.clock.settled = self.settle

    # Boot, reload, stop

    async def boot(self) -> None:
        """Load all workers. Boot is the first reload; a worker that does not load is shown, and waited for."""
        await asyncio.gather(*(self._load(worker, worker.config) for worker in self.workers))
        self._attending = asyncio.create_task(self.attendance.keep())

    async def reload(self, worker: Worker) -> None:
        """Read the config again and swap in a new generation; on failure the old one goes on and the error is shown."""
        began = time.perf_counter()
        try:
            found = self._read(worker.config.path)
            _refuse_conflicts([found if each is worker else each.config for each in self.workers])
        except ConfigError as error:
            worker.fail(error)
            self._show_error(error)
            return
        if await self._load(worker, found):
            title = near(found.main if found.has_code else found.path, found.root)
            self.terminal.event("RELOAD", title, "ok", (time.perf_counter() - began) * 1000, colour="green")

    async def stop(self) -> None:
        """Let nothing new begin, end the workers, close the store."""
        if self._attending is not None:
            self._attending.cancel()
            self.attendance.note()
        await asyncio.gather(*(crons.close() for crons in (*self._crons.values(), *self._schedules.values())))
        await self.broker.close()
        await self.engine.close()
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        self.store.close()
        self.terminal.flush()

    # What browsers, the API, tests and timers ask for

    @property
    def is_held(self) -> bool:
        """Whether a debugger holds a worker's process, and with it the terminal."""
        return bool(self._holders)

    def fetch_route(self, explain: Callable[..., Awaitable[None]]) -> Beside:
        """The ASGI app of the first worker's own routes, with its assets beside them."""
        worker = self.workers[0]
        routes = Fetch(worker, self.dispatch, explain)
        return Beside(routes, lambda: worker.latest, self.folders, self.terminal.event)

    async def tick(self, worker: Worker, tick: Tick) -> Outcome:
        """Run a worker's scheduled handler."""
        self.attendance.note()
        return await self.dispatch(worker, ScheduledEvent(tick))

    async def advance(self, by: timedelta) -> None:
        """Move the clock forward; what falls due on the way happens, in order."""
        await self.clock.advance(by)

    async def move_to(self, when: datetime) -> None:
        """Set the clock; forward as `advance`, backward without waking anybody."""
        await self.clock.move_to(when)
        self._replan()

    def reset_clock(self) -> None:
        """Back to the machine's time."""
        if isinstance(self.clock, SystemClock):
            self.clock.reset()
        self._replan()

    async def settle(self) -> None:
        """
        Return when what woke has done its work: no handler runs, no workflow's code runs, no batch is under way.

        Code that does not end by itself (a step that only its time-out will end) is not waited for beyond
        `options.settle_seconds`.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.options.settle_seconds
        while loop.time() < give_up:
            before = self._changes
            await asyncio.gather(*(worker.current.settle() for worker in self.workers if worker.current is not None))
            if not self._is_busy() and before == self._changes:
                return
            await asyncio.sleep(0.001)

    def worker_of_workflow(self, workflow: str) -> Worker | None:
        """Who runs a workflow."""
        for worker in self.workers:
            for each in worker.config.workflows:
                if each.name == workflow and each.script_name in (None, worker.name):
                    return worker
        return None

    def workflow_names(self) -> Sequence[str]:
        return [each.name for worker in self.workers for each in worker.config.workflows]

    def crons(self) -> dict[str, dict[str, datetime | None]]:
        """Each worker's crons with their next tick."""
        return {name: crons.next_ticks for name, crons in self._crons.items()}

    def schedules(self) -> dict[str, dict[str, datetime | None]]:
        """The same of the crons of its workflows."""
        return {name: crons.next_ticks for name, crons in self._schedules.items()}

    def banner(self) -> list[str]:
        """What is served, in a few lines."""
        here, now = Path.cwd(), self.clock.now()
        lines = [f"emulator {__version__}, state in {near(self.options.state, here)}"]
        for worker in self.workers:
            loaded = worker.current.loaded if worker.current is not None else Loaded(handlers={}, workflows={})
            ticks = self._crons[worker.name].next_ticks
            lines += banner.lines(worker.config, loaded, ticks, now=now, seen_from=here)
        return lines

    def health(self) -> dict[str, Any]:
        """For scripts: is it up, what does it serve?"""
        worker = self.workers[0]
        return {
            "ok": worker.error is None,
            "version": __version__,
            "worker": {
                "generation": worker.current.number if worker.current is not None else None,
                "error": None if worker.error is None else str(worker.error),
            },
            "uptime_ms": round((time.monotonic() - self.started_at) * 1000),
        }

    # One load

    def _read(self, path: Path) -> Config:
        return config.load(path, env=self.options.env, variables=self.options.variables)

    async def _load(self, worker: Worker, found: Config) -> bool:
        self._warn(found)
        try:
            await worker.load(found)
        except WorkerError as error:
            self._show_error(error)
            return False
        return True

    def _warn(self, found: Config) -> None:
        """Say what is odd in a config, once."""
        for warning in dict.fromkeys(map(str, found.warnings)):
            if warning not in self._warned:
                self._warned.add(warning)
                self.terminal.plain(f"warning: {warning}", colour="yellow")

    def _swapped(self, worker: Worker) -> None:
        """A worker has a new generation: crons, consumers and the engine follow."""
        self.engine.adopt(self._owners())
        self._note_versions(worker)
        self.broker.consume(
            [consumer for each in self.workers for consumer in each.config.consumers],
            delays={p.queue: p.delivery_delay for w in self.workers for p in w.config.producers if p.delivery_delay},
        )
        self._plan(worker)
        if worker.current is not None:
            for text, file, line in worker.current.loaded.warnings:
                self.terminal.plain(f"{near(file, worker.config.root)}:{line}: {text}", colour="yellow")

    def _note_versions(self, worker: Worker) -> None:
        loaded = worker.current.loaded if worker.current is not None else Loaded(handlers={}, workflows={})
        for each in worker.config.workflows:
            if each.script_name in (None, worker.name) and each.class_name in loaded.workflows:
                main = Path(loaded.workflows[each.class_name][0])
                self.versions.note(each.name, each.class_name, main=main, files=loaded.files, at=self.clock.now())

    def _plan(self, worker: Worker) -> None:
        if self.options.crons:
            self._crons[worker.name].plan(worker.config.crons)
            self._schedules[worker.name].plan(cron for each in worker.config.workflows for cron in each.schedules)

    def _owned_crons(self) -> Iterator[Owned]:
        for worker in self.workers if self.options.crons else ():
            yield from (Owned(worker.name, each) for each in worker.config.crons)
            for workflow in worker.config.workflows:
                yield from (Owned(worker.name, each, workflow.name) for each in workflow.schedules)

    async def _start_scheduled(self, worker: Worker, tick: Tick) -> None:
        """A cron of a workflow's own: an instance for each tick, called after it, so that it cannot come twice."""
        self.attendance.note()
        milliseconds = int(tick.time.timestamp() * 1000)
        wanted = Wanted(id=f"{tick.cron}-{milliseconds}")
        schedule = json.dumps({"cron": tick.cron, "scheduledTime": milliseconds})
        for each in worker.config.workflows:
            if tick.cron in each.schedules:
                await self.engine.create(each.name, wanted, trigger=Trigger.CRON, schedule=schedule)
                self.terminal.event("CRON", tick.cron, f"an instance of {each.name}")

    def _owners(self) -> dict[str, Owner]:
        return {
            each.name: Owner(
                class_name=each.class_name,
                script=worker.name,
                generation=worker.current,
                step_limit=each.step_limit or STEP_LIMIT,
            )
            for worker in self.workers
            for each in worker.config.workflows
            if each.script_name in (None, worker.name)
        }

    def _replan(self) -> None:
        for worker in self.workers:
            self._crons[worker.name].plan([])
            self._schedules[worker.name].plan([])
            self._plan(worker)

    # What generations call

    async def _answer(self, generation: Generation, frame: Frame) -> Answer | None:
        self._changes += 1
        target = frame.head["target"]
        if target == "step":
            return await self.engine.answer(generation, frame)
        if target == "service":
            return await services.answer(self._worker_named, self.dispatch, generation, frame)
        if target == "assets":
            owner = self._worker_named(generation.worker) or self.workers[0]
            return assets.answer(self.folders, owner.latest, frame)
        try:
            result = await self._call(target, frame)
            await self.store.durable()
            return {}, values.encode(result).encode()
        except WorkflowError as error:
            return {"error": {"kind": "WorkflowError", "code": error.code, "message": error.message}}, b""
        except (EmulatorError, TypeError, ValueError) as error:
            return {"error": {"kind": type(error).__name__, "message": str(error)}}, b""

    async def _call(self, target: str, frame: Frame) -> Any:
        match target:
            case "workflow":
                self._refuse_unserved(frame.head["workflow"])
                return await call_workflow(self.engine, frame)
            case "instance":
                self._refuse_unserved(frame.head["workflow"])
                return await call_instance(self.engine, frame)
            case "queue":
                arguments = values.decode(frame.body, naive=False)
                return await queues.call(self.broker, frame.head["queue"], frame.head["method"], arguments)
            case _:
                raise TypeError(f'there is no binding of the kind "{target}"')

    def _worker_named(self, name: str) -> Worker | None:
        return next((worker for worker in self.workers if worker.name == name), None)

    def _refuse_unserved(self, workflow: str) -> None:
        if self.worker_of_workflow(workflow) is None:
            scripts = {
                each.script_name for worker in self.workers for each in worker.config.workflows if each.name == workflow
            }
            raise WorkflowError(
                "workflow.not_found",
                f'the workflow "{workflow}" belongs to the worker "{scripts.pop()}", which is not served here;'
                " start the emulator with a -c for each of the two",
            )

    async def _deliver(self, batch: Batch) -> Outcome:
        for worker in self.workers:
            if any(consumer.queue == batch.queue for consumer in worker.config.consumers):
                return await self.dispatch(worker, QueueEvent(batch))
        raise EmulatorError(f'no worker consumes the queue "{batch.queue}" any more')

    def _printed(self, generation: Generation, by: int, stream: str, text: str) -> None:
        self._changes += 1
        event = self.dispatch.speaker(generation.worker, generation.number, by)
        run = self.engine.name_of(generation, by)
        mark = run or (f"{event.label} {event.title}" if event is not None else generation.worker)
        self.terminal.output(mark, stream, text)

    def _died(self, generation: Generation, why: str) -> None:
        self.terminal.plain(f"{generation.worker}: the worker's process ended ({why}); starting it again", colour="red")
        self.engine.lost(generation)
        for worker in self.workers:
            if worker.current is generation:
                worker.revive()

    def _held(self, generation: Generation) -> None:
        (self._holders.add if generation.holds else self._holders.discard)(generation)
        self.on_hold()

    def _blocked(self, generation: Generation, stack: str) -> None:
        where = where_it_hangs(stack, [str(worker.config.root) for worker in self.workers])
        self.terminal.plain(
            f"{generation.worker}: a handler has blocked the worker for over a second{where};"
            " use await, or asyncio.to_thread for what cannot be awaited",
            colour="yellow",
        )

    # What is shown

    def _report(self, event: Event, outcome: Outcome) -> None:
        self._changes += 1
        result = event.result(outcome)
        if result:
            colour = "green" if outcome.is_ok else "red"
            self.terminal.event(event.label, event.title, result, outcome.milliseconds, colour=colour)
        if outcome.error is not None:
            error = outcome.error
            self.terminal.plain(error.trace.rstrip() or f"{error.name}: {error.message}", colour="red")

    def _show_error(self, error: EmulatorError) -> None:
        trace = error.trace.rstrip() if isinstance(error, WorkerError) else ""
        self.terminal.plain(trace or str(error), colour="red")

    def _is_busy(self) -> bool:
        crons = any(crons.is_busy for crons in (*self._crons.values(), *self._schedules.values()))
        return crons or self.dispatch.is_busy or self.engine.is_busy or self.broker.busy()


def _refuse_conflicts(configs: Sequence[Config]) -> None:
    found = config.conflicts(configs)
    if found:
        raise ConfigError(found)
