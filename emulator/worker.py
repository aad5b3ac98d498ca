"""The user's code as it is served: config, current generation, the warm spare behind it, the last save's error."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any

from emulator.bindings import env
from emulator.config import Config
from emulator.config.report import Complaint, Way, spelled
from emulator.config.source import read
from emulator.errors import ConfigError, EmulatorError, Problem, WorkerError, WorkerGone
from emulator.generation import Generation, Hooks
from emulator.places import near

log = logging.getLogger("emulator")

DRAIN_SECONDS = 10.0
_PATIENCE = 10.0
_SPARE_AFTER = 0.2
_QUICK_DEATHS = 2
_QUICK = 5.0
_LONGEST_REST = 1.0

Start = Callable[[Config, int, Hooks], Awaitable[Generation]]


class MissingWorkflow(WorkerError):
    """The config names classes of workflows that the code does not export: all of them, a problem each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("MissingWorkflow", "\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Worker:
    """
    One worker. `current` changes by one assignment; whoever holds the old generation keeps it to its end.

    `config` is what the current generation was loaded with, `latest` what was asked for last, whether it loads or not.
    """

    def __init__(self, config: Config, start: Start, hooks: Hooks, *, on_swap: Callable[[Worker], None]) -> None:
        self.config = config
        self.latest = config
        self.current: Generation | None = None
        self.error: EmulatorError | None = None
        self._start = start
        self._hooks = hooks
        self._on_swap = on_swap
        self._numbers = itertools.count(1)
        self._spare: asyncio.Task[Generation] | None = None
        self._spare_soon: asyncio.TimerHandle | None = None
        self._swapped = asyncio.Event()
        self._loading = asyncio.Lock()
        self._leaving: set[Generation] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaths: list[float] = []

    @property
    def name(self) -> str:
        return self.config.name

    async def load(self, config: Config) -> None:
        """
        Build a new generation and swap it in. Raises WorkerError when the code cannot be loaded.

        The old one goes on serving then, for all but the browser, who is shown the error until the next good save.
        May be cancelled, by a newer save.
        """
        self.latest = config
        async with self._loading:
            try:
                generation = await self._build(config)
            except WorkerError as error:
                self.fail(error)
                raise
            self.error = None
            self._swap(config, generation)

    async def _build(self, config: Config) -> Generation:
        generation = await self._take_spare(config)
        try:
            await generation.load({**env.load_head(config), "number": generation.number})
            _check_workflows(config, generation)
        except BaseException:
            self._retire(generation)
            raise
        return generation

    def _swap(self, config: Config, generation: Generation) -> None:
        old, self.current, self.config = self.current, generation, config
        self._swapped.set()
        if old is not None and old.alive:
            self._retire(old, grace=DRAIN_SECONDS)
        if self._spare_soon is not None:
            self._spare_soon.cancel()
        self._spare_soon = asyncio.get_running_loop().call_later(_SPARE_AFTER, self._prepare_spare)
        # Last: whatever goes wrong where it is heard of, the worker is in order.
        self._on_swap(self)

    def _retire(self, generation: Generation, *, grace: float = 0.0) -> None:
        self._leaving.add(generation)
        self._spawn(self._see_off(generation, grace))

    async def _see_off(self, generation: Generation, grace: float) -> None:
        await generation.drain(grace)
        self._leaving.discard(generation)

    def fail(self, error: EmulatorError) -> None:
        """The last save cannot be served."""
        self.error = error
        self._swapped.set()

    async def ready(self) -> Generation:
        """The generation to call; waits a while for one that is being started. Raises WorkerGone when none comes."""
        current = self.current
        if current is not None and current.alive:
            return current
        if self.error is not None and not self._loading.locked():
            raise WorkerGone(f"the worker is not loaded: {self.error}")
        self._swapped.clear()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._swapped.wait()
        except TimeoutError:
            raise WorkerGone("the worker's process has ended and no new one is ready") from None
        current = self.current
        if current is None or not current.alive:
            raise self.error if isinstance(self.error, WorkerGone) else WorkerGone("the worker is not loaded")
        return current

    def revive(self) -> None:
        """The current generation's process has ended by itself: load the same code into the spare."""
        now = asyncio.get_running_loop().time()
        self._deaths = [death for death in self._deaths if now - death < _QUICK] + [now]
        # The first ones cost nobody any time; one after the other would keep the machine busy.
        too_many = len(self._deaths) - _QUICK_DEATHS
        self._spawn(self._revive(delay=min(0.05 * 2**too_many, _LONGEST_REST) if too_many > 0 else 0.0))

    async def stop(self) -> None:
        """End all processes of this worker."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        # A load that is given up retires its generation, so who is leaving is known only now.
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._spare_soon is not None:
            self._spare_soon.cancel()
        generations = [*self._leaving, *([] if self.current is None else [self.current])]
        if self._spare is not None:
            # Not cancelled: a process half started would be nobody's to end.
            done = await asyncio.gather(self._spare, return_exceptions=True)
            generations += [spare for spare in done if isinstance(spare, Generation)]
        await asyncio.gather(*(generation.stop() for generation in generations), *self._tasks, return_exceptions=True)

    async def _revive(self, delay: float) -> None:
        await asyncio.sleep(delay)
        async with self._loading:
            if self.current is not None and self.current.alive:
                # A save was quicker.
                return
            try:
                generation = await self._build(self.config)
            except EmulatorError as error:
                # What is wrong with the last save is still the first thing to know.
                self.fail(self.error or error)
                log.error("%s could not be started again: %s", self.name, error)
                return
            self._swap(self.config, generation)

    async def _take_spare(self, config: Config) -> Generation:
        if self._spare is not None:
            try:
                # Shielded: when this load is given up, the spare is the next one's.
                generation = await asyncio.shield(self._spare)
                self._spare = None
                if generation.alive and env.same_interpreter(self.config, config):
                    generation.worker = config.name
                    return generation
                self._retire(generation)
            except EmulatorError as error:
                self._spare = None
                log.debug("the spare could not be used: %s", error)
        try:
            return await self._start(config, next(self._numbers), self._hooks)
        except EmulatorError as error:
            raise WorkerGone(str(error)) from error

    def _prepare_spare(self) -> None:
        if self._spare is None and self.current is not None:
            self._spare = asyncio.create_task(self._warm_up(self.current.loaded.packages))

    async def _warm_up(self, packages: tuple[str, ...]) -> Generation:
        generation = await self._start(self.config, next(self._numbers), self._hooks)
        generation.send("warm", 0, {"modules": list(packages)})
        return generation

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _check_workflows(config: Config, generation: Generation) -> None:
    there = generation.loaded.workflows
    found = [
        _missing(config, index, workflow.class_name, there)
        for index, workflow in enumerate(config.workflows)
        if workflow.script_name in (None, config.name) and workflow.class_name not in there
    ]
    if found:
        raise MissingWorkflow(found)


def _missing(config: Config, index: int, class_name: str, there: Iterable[str]) -> Problem:
    message = (
        f'{near(config.main, config.root)} exports no workflow "{class_name}";'
        f" it exports {', '.join(sorted(there)) or 'none'} (a class derived from WorkflowEntrypoint)"
    )
    return _problem(config, ("workflows", index, "class_name"), message)


def _problem(config: Config, way: Way, message: str) -> Problem:
    """A complaint with the line of its key; without it where the file has been spoilt in the meantime."""
    if config.env is not None:
        way = ("env", config.env, *way)
    with suppress(ConfigError):
        (found,) = read(config.path).problems([Complaint(way, message)])
        return found
    return Problem(path=spelled(way), message=message, file=config.path.name)
