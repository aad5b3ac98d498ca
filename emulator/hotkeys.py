"""Single keys on the terminal of `emulator dev`: open, reload, run a cron, clear, quit."""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import signal
import sys
import time
import webbrowser
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from emulator.models import Tick
from emulator.server import Emulator
from emulator.worker import Worker

HELP = "keys: o open in the browser, r reload, c run a cron, l clear, q quit, ? this line"

_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
# What a terminal sends for an arrow, say: its letters are no keys.
_ESCAPED = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
_LOOK_AGAIN = 0.2
# Who steps through code types on for a moment after the step that ends it.
_SILENCE = 1.0


class Keyboard(Protocol):
    """Tells of single keys while it listens; otherwise the terminal is as it was found."""

    def listen(self) -> None: ...

    def let_go(self) -> None: ...

    def close(self) -> None: ...


class Hotkeys:
    """
    What the keys do. The terminal belongs to a debugger as long as one holds a worker's process.

    What is typed when one has just let go was meant for it, and is dropped until no key has come for a second.
    """

    def __init__(
        self,
        emulator: Emulator,
        url: str,
        connect: Callable[[Callable[[str], None]], Keyboard],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emulator = emulator
        self._url = url
        self._now = now
        self._was_held = False
        self._deaf_until = 0.0
        self._has_said_so = False
        self._choices: dict[str, tuple[Worker, str]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._keyboard = connect(self.press)
        emulator.on_hold = self._hold
        self._hold()
        self._say(HELP)

    def press(self, key: str) -> None:
        """Do what a key stands for; others do nothing."""
        if self._now() < self._deaf_until:
            self._drop()
            return
        chosen, self._choices = self._choices.get(key), {}
        if chosen is not None:
            self._begin(self._run(*chosen))
            return
        match key.lower():
            case "o":
                self._begin(asyncio.to_thread(webbrowser.open, self._url))
            case "r":
                self._begin(*map(self._emulator.reload, self._emulator.workers))
            case "c":
                self._choose_cron()
            case "l":
                self._emulator.terminal.clear(_CLEAR)
            case "q":
                signal.raise_signal(signal.SIGINT)
            case "?" | "h":
                self._say(HELP)
            case _:
                pass

    def close(self) -> None:
        """Give the terminal back."""
        self._emulator.on_hold = lambda: None
        self._keyboard.close()
        for task in self._tasks:
            task.cancel()

    def _hold(self) -> None:
        before, self._was_held = self._was_held, self._emulator.is_held
        if self._was_held:
            self._keyboard.let_go()
            return
        if before:
            self._deaf_until, self._has_said_so = self._now() + _SILENCE, False
        self._keyboard.listen()

    def _drop(self) -> None:
        self._deaf_until = self._now() + _SILENCE
        if not self._has_said_so:
            self._has_said_so = True
            self._say("the debugger has let go; keys count again when none has come for a second")

    def _choose_cron(self) -> None:
        """Run the only one, or ask which."""
        crons = [(worker, cron) for worker in self._emulator.workers for cron in worker.config.crons]
        if len(crons) < 2:
            self._begin(*(self._run(*each) for each in crons))
            if not crons:
                self._say("there are no crons; write them into [triggers]")
            return
        self._choices = {str(number): each for number, each in enumerate(crons[:9], 1)}
        self._say(f"which? {', '.join(f'{key} {cron}' for key, (_, cron) in self._choices.items())}")

    async def _run(self, worker: Worker, cron: str) -> None:
        await self._emulator.tick(worker, Tick(cron=cron, time=self._emulator.clock.now()))

    def _begin(self, *works: Coroutine[Any, Any, object]) -> None:
        for work in works:
            task = asyncio.get_running_loop().create_task(_without_fuss(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _say(self, text: str) -> None:
        self._emulator.terminal.plain(text, colour="dim")


async def _without_fuss(work: Awaitable[object]) -> None:
    """What fails has been shown already, as it would be without a key."""
    with suppress(Exception):
        await work


if sys.platform == "win32":
    import msvcrt

    class TerminalKeyboard:
        """The console, asked ten times a second: Windows tells nobody of a key."""

        def __init__(self, press: Callable[[str], None]) -> None:
            self._press = press
            self._timer: asyncio.TimerHandle | None = None

        def listen(self) -> None:
            self.let_go()
            while msvcrt.kbhit():
                self._press(msvcrt.getwch())
            self._timer = asyncio.get_running_loop().call_later(0.1, self.listen)

        def let_go(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def close(self) -> None:
            self.let_go()

else:
    import termios

    class TerminalKeyboard:
        """
        The terminal, without waiting for the end of a line.

        In the background it is not touched, since the system stops whoever does; and whenever somebody else has set it
        to whole lines, who types means them.
        """

        def __init__(self, press: Callable[[str], None]) -> None:
            self._press = press
            self._loop = asyncio.get_running_loop()
            self._file = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._file)
            self._listens = False
            self._again: asyncio.TimerHandle | None = None
            atexit.register(self._restore)
            with suppress(RuntimeError, ValueError):
                self._loop.add_signal_handler(signal.SIGCONT, self._come_back)

        def listen(self) -> None:
            self._listens = True
            if self._again is not None:
                self._again.cancel()
                self._again = None
            if self._is_in_front():
                self._set(_key_by_key)
                self._loop.add_reader(self._file, self._read)
                # uvloop sets this to False, for the worker's process too, whose prompt would then find nothing typed.
                os.set_blocking(self._file, True)
            else:
                self._again = self._loop.call_later(_LOOK_AGAIN, self.listen)

        def let_go(self) -> None:
            self._listens = False
            self._pause()
            self._restore()

        def close(self) -> None:
            self.let_go()
            atexit.unregister(self._restore)
            with suppress(RuntimeError, ValueError):
                self._loop.remove_signal_handler(signal.SIGCONT)

        def _come_back(self) -> None:
            if self._listens:
                self.listen()

        def _pause(self) -> None:
            self._loop.remove_reader(self._file)
            if self._again is not None:
                self._again.cancel()
                self._again = None

        def _read(self) -> None:
            if not self._is_in_front() or self._is_in_lines():
                self._pause()
                self._again = self._loop.call_later(_LOOK_AGAIN, self.listen)
                return
            try:
                typed = os.read(self._file, 64).decode("utf-8", "replace")
            except OSError:
                typed = ""
            if not typed:
                # The terminal has gone.
                self._pause()
            for key in _ESCAPED.sub("", typed):
                self._press(key)

        def _is_in_front(self) -> bool:
            try:
                return os.tcgetpgrp(self._file) == os.getpgrp()
            except OSError:
                return False

        def _is_in_lines(self) -> bool:
            with suppress(termios.error):
                return bool(termios.tcgetattr(self._file)[3] & termios.ICANON)
            return True

        def _set(self, change: Callable[[list[Any]], list[Any]]) -> None:
            with suppress(termios.error):
                termios.tcsetattr(self._file, termios.TCSANOW, change(termios.tcgetattr(self._file)))

        def _restore(self) -> None:
            if self._is_in_front():
                self._set(lambda _: self._before)

    def _key_by_key(modes: list[Any]) -> list[Any]:
        """Signals still come from the terminal: Ctrl-C stays what it is."""
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
        return modes
