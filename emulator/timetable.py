"""The crons of all workers and of their workflows: planned anew with every generation, fired on the one clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from emulator.attendance import Owned
from emulator.clock import Clock
from emulator.handlers.scheduled import Crons
from emulator.models import Tick
from emulator.worker import Worker

Fire = Callable[[Worker, Tick], Awaitable[object]]


class Timetable:
    """For each worker its crons, which call `scheduled`, and its workflows' schedules, which start instances."""

    def __init__(self, workers: Sequence[Worker], clock: Clock, *, tick: Fire, start: Fire, fires: bool) -> None:
        self._workers = workers
        self._fires = fires
        # By the worker itself: its name is the config's, and may change with a save.
        self._crons = {worker: Crons(clock, partial(tick, worker)) for worker in workers}
        self._schedules = {worker: Crons(clock, partial(start, worker)) for worker in workers}

    def plan(self, worker: Worker) -> None:
        """A worker has a new config: crons that stay go on, others end or begin."""
        if self._fires:
            self._crons[worker].plan(worker.config.crons)
            self._schedules[worker].plan(cron for each in worker.config.workflows for cron in each.schedules)

    def plan_anew(self) -> None:
        """The clock was set: every next tick is another one."""
        for crons in self._all():
            crons.plan([])
        for worker in self._workers:
            self.plan(worker)

    def crons(self) -> dict[str, dict[str, datetime | None]]:
        """Each worker's crons with their next tick."""
        return {worker.name: crons.next_ticks for worker, crons in self._crons.items()}

    def schedules(self) -> dict[str, dict[str, datetime | None]]:
        """The same of the crons of its workflows."""
        return {worker.name: crons.next_ticks for worker, crons in self._schedules.items()}

    def owned(self) -> Iterator[Owned]:
        """Every cron that fires, with whose it is."""
        for worker in self._workers if self._fires else ():
            yield from (Owned(worker.name, each) for each in worker.config.crons)
            for workflow in worker.config.workflows:
                yield from (Owned(worker.name, each, workflow.name) for each in workflow.schedules)

    @property
    def is_busy(self) -> bool:
        """A tick is being answered."""
        return any(crons.is_busy for crons in self._all())

    async def close(self) -> None:
        """No tick comes any more."""
        await asyncio.gather(*(crons.close() for crons in self._all()))

    def _all(self) -> list[Crons]:
        return [*self._crons.values(), *self._schedules.values()]
