"""What the terminal says of events, errors, prints and workers that hang."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from emulator.config import Config
from emulator.dispatch import Event
from emulator.errors import EmulatorError, WorkerError
from emulator.generation import Generation
from emulator.models import Outcome
from emulator.places import near, where_it_hangs
from emulator.terminal import Terminal
from emulator.worker import Worker


class Reporter:
    """Finds the words; `speaker` names on whose behalf a generation's code prints."""

    def __init__(self, terminal: Terminal, speaker: Callable[[Generation, int], str]) -> None:
        self._terminal = terminal
        self._speaker = speaker
        self._warned: set[str] = set()

    def report(self, event: Event, outcome: Outcome) -> None:
        """An event is over: one line, and the trace of what went wrong; nothing if somebody else says it."""
        result = event.result(outcome)
        if not result:
            return
        colour = "green" if outcome.is_ok else "red"
        self._terminal.event(event.label, event.title, result, outcome.milliseconds, colour=colour)
        if outcome.error is not None:
            error = outcome.error
            self._terminal.trace(error.trace.rstrip() or error.words)

    def not_loaded(self, config: Config, error: EmulatorError, saved: Collection[str] = (), *, again: bool) -> None:
        """A worker or a config that cannot be served: one line, and what is wrong."""
        self._terminal.event("RELOAD" if again else "LOAD", _title(config, saved), "failed", colour="red")
        trace = error.trace.rstrip() if isinstance(error, WorkerError) else ""
        self._terminal.trace(trace or str(error))

    def printed(self, generation: Generation, by: int, stream: str, text: str) -> None:
        """A line of the worker's own."""
        self._terminal.output(self._speaker(generation, by), stream, text)

    def died(self, generation: Generation, why: str, *, is_current: bool) -> None:
        """A process has ended by itself. Only the current one is replaced; others are spares, or on their way out."""
        then = "starting it again" if is_current else "it served nothing new"
        self._terminal.plain(f"{generation.worker}: the worker's process ended ({why}); {then}", colour="red")

    def blocked(self, generation: Generation, stack: str, roots: Sequence[str]) -> None:
        self._terminal.plain(
            f"{generation.worker}: a handler has blocked the worker for over a second{where_it_hangs(stack, roots)};"
            " use await, or asyncio.to_thread for what cannot be awaited",
            colour="yellow",
        )

    def slow(self, generation: Generation, stack: str, roots: Sequence[str]) -> None:
        """A worker whose import takes its time, or does not end."""
        self._terminal.plain(
            f"{generation.worker}: the worker is still being imported after two seconds"
            f"{where_it_hangs(stack, roots)}; what takes long belongs in a handler, and a save begins anew",
            colour="yellow",
        )

    def warn_of_config(self, config: Config) -> None:
        """What is odd in a config, once."""
        for warning in config.warnings:
            self.warn_once(str(warning))

    def warn_once(self, warning: str) -> None:
        """However often it comes up."""
        if warning not in self._warned:
            self._warned.add(warning)
            self._terminal.plain(f"warning: {warning}", colour="yellow")

    def warn_of_code(self, worker: Worker) -> None:
        """What the platform would refuse in a worker that has been loaded."""
        if worker.current is not None:
            for text, file, line in worker.current.loaded.warnings:
                self._terminal.plain(f"{near(file, worker.config.root)}:{line}: {text}", colour="yellow")

    def reloaded(self, config: Config, saved: Collection[str], milliseconds: float) -> None:
        self._terminal.event("RELOAD", _title(config, saved), "ok", milliseconds, colour="green")

    def waits_for_debugger(self, config: Config, saved: Collection[str]) -> None:
        """A save while a debugger holds the worker."""
        told = "saved; waits until the debugger lets go"
        self._terminal.event("RELOAD", _title(config, saved), told, colour="yellow")

    def left_behind(self, instances: int) -> None:
        """What the end of the emulator interrupts."""
        if instances:
            going = "instances go" if instances > 1 else "instance goes"
            self._terminal.plain(f"{instances} unfinished workflow {going} on at the next start", colour="dim")


def _title(config: Config, saved: Collection[str]) -> str:
    """The file that was saved, or how many; the main module where none was."""
    if len(saved) > 1:
        return f"{len(saved)} files"
    main = config.main if config.has_code else config.path
    return near(next(iter(saved), main), config.root)
