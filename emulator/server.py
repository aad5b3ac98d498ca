"""Emulator: boot, reload, stop. The only file that knows every other."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from emulator import __version__, banner, config
from emulator.assets import Beside, Folders
from emulator.attendance import Attendance
from emulator.calls import Answer
from emulator.clock import MovableClock, SystemClock
from emulator.config import Config
from emulator.dispatch import Dispatch, Event
from emulator.errors import ConfigError, EmulatorError, StoreError, WorkerError, WorkflowError
from emulator.firings import Firings
from emulator.generation import Generation, Hooks
from emulator.handlers.batch import QueueEvent
from emulator.handlers.email import Email, EmailEvent
from emulator.handlers.fetch import Fetch
from emulator.handlers.queue import Broker
from emulator.handlers.scheduled import ScheduledEvent
from emulator.handlers.tail import TailEvent, Tails
from emulator.loaded import Loaded
from emulator.models import Batch, Outcome, Tick, Trigger
from emulator.places import near
from emulator.quiet import Quiet
from emulator.reporter import Reporter
from emulator.store import Store
from emulator.switchboard import Switchboard
from emulator.terminal import Terminal
from emulator.timekeeper import Timekeeper
from emulator.timetable import Timetable
from emulator.versions import Versions
from emulator.wire import Frame
from emulator.worker import Start, Worker
from emulator.workflows.engine import Engine, Wanted
from emulator.workflows.owners import STEP_LIMIT, Limits, Owner

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
        self._attending: asyncio.Task[None] | None = None
        self.versions = Versions(self.clock.now())
        self.folders = Folders(options.state)
        self.tails = Tails(self._tail_consumers, self._tell_tail, lambda: int(self.clock.now().timestamp() * 1000))
        self.dispatch = Dispatch(self._report, self.tails)
        self.engine = Engine(
            self.store,
            self.clock,
            lambda title, text: terminal.event("FLOW", terminal.named(title), text),
            limits=options.limits,
        )
        self.broker = Broker(
            self.store, self.clock, self._deliver, lambda title, text: terminal.event("QUEUE", title, text)
        )
        hooks = Hooks(
            answer=self._answer,
            printed=self._printed,
            died=self._died,
            blocked=self._blocked,
            slow=self._slow,
            held=self._held,
            released=lambda generation, stub: self._switchboard.loans.give_back(generation, stub),
            ended=lambda generation: self._switchboard.loans.forget(generation),
        )
        self.workers = [Worker(each, start, hooks, on_swap=self._swapped) for each in found]
        self.timetable = Timetable(
            self.workers, self.clock, tick=self.tick, start=self._start_scheduled, fires=options.crons
        )
        self.attendance = Attendance(options.state, self.clock, self.timetable.owned)
        self._switchboard = Switchboard(
            workers=self.workers,
            engine=self.engine,
            broker=self.broker,
            store=self.store,
            folders=self.folders,
            dispatch=self.dispatch,
        )
        self._reporter = Reporter(terminal, self._speaker)
        self._firings = Firings(terminal, self.clock)
        self.timekeeper = Timekeeper(
            clock=self.clock, timetable=self.timetable, attendance=self.attendance, firings=self._firings
        )
        self._holders: set[Generation] = set()
        self.on_hold: Callable[[], None] = lambda: None
        # None until it boots.
        self._taken_up: int | None = None
        self._goes_on = True
        self.quiet = Quiet(self.workers, self._is_busy, seconds=options.settle_seconds)
        self.clock.settled = self.quiet.settle

    # Boot, reload, stop

    async def boot(self, *, goes_on: bool = True) -> None:
        """
        Load all workers. Boot is the first reload; a worker that does not load is shown, and waited for.

        Without `goes_on` instances and messages wait until `go_on`: there may be something to say before.
        """
        self._taken_up, self._goes_on = self.engine.count_unfinished(), goes_on
        await asyncio.gather(*(self._load(worker, worker.config) for worker in self.workers))
        self._attending = asyncio.create_task(self.attendance.keep())

    def go_on(self) -> None:
        """Take up what the last run has left: instances, and messages that wait in a queue."""
        self._goes_on = True
        if any(worker.current is not None for worker in self.workers):
            self._take_up()

    async def reload(self, worker: Worker, saved: Collection[str] = ()) -> None:
        """
        Read the config again and swap in a new generation; on failure the old one goes on and the error is shown.

        `saved` are the paths of the files that this is because of.
        """
        began = time.perf_counter()
        try:
            found = self._read(worker.config.path)
            _refuse_conflicts([found if each is worker else each.config for each in self.workers])
        except ConfigError as error:
            worker.fail(error)
            self._reporter.not_loaded(worker.config, error, saved, again=True)
            return
        if await self._load(worker, found, saved):
            self._reporter.reloaded(found, saved, (time.perf_counter() - began) * 1000)

    async def stop(self) -> None:
        """Let nothing new begin, end the workers, close the store."""
        if self._attending is not None:
            self._attending.cancel()
            self.attendance.note()
        await self.timetable.close()
        await self.broker.close()
        await self.tails.close()
        await self.engine.close()
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        if self._taken_up is not None:
            # A disk that cannot be read must not keep anybody from stopping.
            with suppress(StoreError):
                self._reporter.left_behind(self.engine.count_unfinished())
        self.store.close()
        self.terminal.flush()

    # What browsers, the API, tests and timers ask for

    @property
    def is_held(self) -> bool:
        """Whether a debugger holds a worker's process, and with it the terminal."""
        return bool(self._holders)

    async def wait_for_debugger(self, worker: Worker, saved: Collection[str] = ()) -> None:
        """Return when no debugger holds the worker; where one does, that somebody waits is said."""
        if worker.current is not None and worker.current.holds:
            self._reporter.waits_for_debugger(worker.config, saved)
            await worker.current.let_go()

    def fetch_route(self, explain: Callable[..., Awaitable[None]]) -> Beside:
        """The ASGI app of the first worker's own routes, with its assets beside them."""
        worker = self.workers[0]
        routes = Fetch(worker, self.dispatch, explain)
        return Beside(routes, lambda: worker.latest, self.folders, self.terminal.event)

    async def tick(self, worker: Worker, tick: Tick) -> Outcome:
        """Run a worker's scheduled handler."""
        if self.clock.moving_to is None:
            self.attendance.note()
        return await self.dispatch(worker, ScheduledEvent(tick))

    async def email(self, worker: Worker, email: Email) -> Outcome:
        """Hand a worker an e-mail."""
        return await self.dispatch(worker, EmailEvent(email))

    def banner(self) -> list[str]:
        """What is served, in a few lines."""
        here, now = Path.cwd(), self.clock.now()
        lines = [f"emulator {__version__}, state in {near(self.options.state, here)}"]
        for worker in self.workers:
            loaded = worker.current.loaded if worker.current is not None else Loaded()
            ticks = self.timetable.crons()[worker.name] | self.timetable.schedules()[worker.name]
            lines += banner.lines(worker.config, loaded, ticks, now=now, seen_from=here)
        return [*lines, *banner.going_on(self._taken_up or 0)]

    # One load

    def _read(self, path: Path) -> Config:
        return config.load(path, env=self.options.env, variables=self.options.variables)

    async def _load(self, worker: Worker, found: Config, saved: Collection[str] = ()) -> bool:
        self._reporter.warn_of_config(found)
        try:
            await worker.load(found)
        except WorkerError as error:
            self._reporter.not_loaded(found, error, saved, again=worker.current is not None or bool(saved))
            return False
        return True

    def _swapped(self, worker: Worker) -> None:
        """A worker has a new generation: crons, consumers and the engine follow."""
        if self._goes_on:
            self._take_up()
        self._note_versions(worker)
        self.timetable.plan(worker)
        self._reporter.warn_of_code(worker)

    def _take_up(self) -> None:
        with suppress(StoreError):
            # The store says so itself, and the engine goes on when it can be written again.
            self.engine.adopt(self._owners())
        self.broker.consume(
            [consumer for each in self.workers for consumer in each.config.consumers],
            delays={p.queue: p.delivery_delay for w in self.workers for p in w.config.producers if p.delivery_delay},
        )

    def _note_versions(self, worker: Worker) -> None:
        loaded = worker.current.loaded if worker.current is not None else Loaded()
        for each in worker.config.own_workflows:
            if each.class_name in loaded.workflows:
                main = Path(loaded.workflows[each.class_name][0])
                self.versions.note(each.name, each.class_name, main=main, files=loaded.files, at=self.clock.now())

    async def _start_scheduled(self, worker: Worker, tick: Tick) -> None:
        """A cron of a workflow's own: an instance for each tick, called after it, so that it cannot come twice."""
        self.attendance.note()
        milliseconds = int(tick.time.timestamp() * 1000)
        wanted = Wanted(id=f"{tick.cron}-{milliseconds}")
        schedule = json.dumps({"cron": tick.cron, "scheduledTime": milliseconds})
        for each in worker.config.workflows:
            if tick.cron in each.schedules:
                # An id that is taken is a tick that has had its instance: the clock was set back.
                with suppress(WorkflowError):
                    await self.engine.create(each.name, wanted, trigger=Trigger.CRON, schedule=schedule)
                    told = f"an instance of {each.name}"
                    if self._firings.count(tick.cron, told):
                        self.terminal.event("CRON", tick.cron, told)

    def _owners(self) -> dict[str, Owner]:
        return {
            each.name: Owner(
                class_name=each.class_name,
                script=worker.name,
                generation=worker.current,
                step_limit=each.step_limit or STEP_LIMIT,
            )
            for worker in self.workers
            for each in worker.config.own_workflows
        }

    # What its parts tell it

    async def _answer(self, generation: Generation, frame: Frame) -> Answer | None:
        self.quiet.disturb()
        return await self._switchboard.answer(generation, frame)

    async def _deliver(self, batch: Batch) -> Outcome:
        for worker in self.workers:
            if any(consumer.queue == batch.queue for consumer in worker.config.consumers):
                return await self.dispatch(worker, QueueEvent(batch))
        raise EmulatorError(f'no worker consumes the queue "{batch.queue}" any more')

    def _tail_consumers(self, name: str) -> tuple[str, ...]:
        worker = self._switchboard.worker_named(name)
        return () if worker is None else worker.config.tail_consumers

    async def _tell_tail(self, name: str, event: TailEvent) -> None:
        """Tell a tail consumer; one that is not there, or does not listen, is named once."""
        worker = self._switchboard.worker_named(name)
        why = "is not served here; start the emulator with a -c for its config too" if worker is None else ""
        if worker is not None and not {"tail", "trace"} & (await worker.ready()).loaded.handlers.keys():
            why = "has no tail() handler"
        if why:
            self._reporter.warn_once(f"tail_consumers names the worker {name}, which {why}")
        elif worker is not None:
            await self.dispatch(worker, event)

    def _report(self, event: Event, outcome: Outcome) -> None:
        self.quiet.disturb()
        if not isinstance(event, ScheduledEvent) or self._firings.count(event.title, outcome.outcome):
            self._reporter.report(event, outcome)

    def _printed(self, generation: Generation, by: int, stream: str, text: str) -> None:
        self.quiet.disturb()
        self.tails.printed((generation.worker, generation.number, by), stream, text)
        self._reporter.printed(generation, by, stream, text)

    def _speaker(self, generation: Generation, by: int) -> str:
        event = self.dispatch.speaker(generation.worker, generation.number, by)
        about = f"{event.label} {event.title}" if event is not None else generation.worker
        instance = self.engine.name_of(generation, by)
        return about if instance is None else self.terminal.named(instance)

    def _died(self, generation: Generation, why: str) -> None:
        served = [worker for worker in self.workers if worker.current is generation]
        for worker in served:
            worker.revive()
        self._reporter.died(generation, why, is_current=bool(served))
        with suppress(StoreError):
            self.engine.lost(generation)

    def _blocked(self, generation: Generation, stack: str) -> None:
        self._reporter.blocked(generation, stack, self._roots())

    def _slow(self, generation: Generation, stack: str) -> None:
        self._reporter.slow(generation, stack, self._roots())

    def _roots(self) -> list[str]:
        return [str(worker.latest.root) for worker in self.workers]

    def _held(self, generation: Generation) -> None:
        (self._holders.add if generation.holds else self._holders.discard)(generation)
        if "pydevd" not in sys.modules:
            # An editor's asks elsewhere. A process that has ended was not told to go on.
            self.terminal.prompt(self.is_held, is_answered=generation.alive)
        self.on_hold()

    def _is_busy(self) -> bool:
        is_busy = self.timetable.is_busy or self.dispatch.is_busy or self.engine.is_busy
        return is_busy or self.broker.busy() or self.tails.is_busy


def _refuse_conflicts(configs: Sequence[Config]) -> None:
    found = config.conflicts(configs)
    if found:
        raise ConfigError(found)
