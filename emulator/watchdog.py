"""The watch over a worker's process: does it answer, does its own code block it, does a debugger hold it?"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta

from emulator.launch import Launched
from emulator.runtime.standing import tells_of_debugger

PING_EVERY = 0.25
_BLOCKED_AFTER = 1.0


class Watchdog:
    """Asks for signs of life four times a second; says where the process hangs, and ends it when it hangs for good."""

    def __init__(
        self, ping: Callable[[], None], *, on_held: Callable[[], None], on_blocked: Callable[[str], None]
    ) -> None:
        self.holds = False
        self._ping = ping
        self._on_held = on_held
        self._on_blocked = on_blocked
        self._last_pong = _now()
        self._held_since: float | None = None
        self._held_before = 0.0
        self._said_blocked = False
        self._watching: asyncio.Task[None] | None = None

    def begin(self, launched: Launched | None) -> None:
        """Watch from now on: a process, or, where there is none, this one's loop under an editor's debugger."""
        if launched is not None:
            self._watching = asyncio.create_task(self._watch(launched))
        elif "pydevd" in sys.modules:
            self._watching = asyncio.create_task(self._watch_this_loop())

    def end(self) -> None:
        """Nobody is watched any more."""
        if self._watching is not None:
            self._watching.cancel()

    def heard(self, *, held: bool) -> None:
        """It has answered, and said whether a debugger holds it."""
        self._last_pong = _now()
        self._said_blocked = False
        self.hold(held)

    def hold(self, on: bool, *, since: float | None = None) -> None:
        """A debugger has stopped the process (since a time of the loop; since now), or lets go of it."""
        now = _now()
        if on and self._held_since is None:
            self._held_since = now if since is None else since
        elif not on and self._held_since is not None:
            self._held_before += now - self._held_since
            self._held_since = None
        if on is not self.holds:
            self.holds = on
            self._on_held()

    @property
    def held_for(self) -> timedelta:
        """How long debuggers have held the process, altogether."""
        return timedelta(seconds=self._held_before + (0.0 if self._held_since is None else _now() - self._held_since))

    async def _watch(self, launched: Launched) -> None:
        seconds, asked = launched.allowance.seconds, _now()
        while True:
            self._ping()
            await asyncio.sleep(PING_EVERY)
            now = _now()
            if now - asked > _BLOCKED_AFTER:
                # This process itself stood still: nobody is late.
                self._last_pong = now
            asked = now
            if now - self._last_pong > _BLOCKED_AFTER + PING_EVERY:
                self._look_where_it_stands(launched.stack())
            if seconds is not None and now - self._last_pong > seconds:
                launched.kill(f"it did not answer for {seconds:g} s")
                return

    def _look_where_it_stands(self, stack: str) -> None:
        """It is silent: a debugger has stopped it, which may last, or its code blocks, which is said once."""
        if stack:
            self.hold(tells_of_debugger(stack), since=self._last_pong)
        if self.holds:
            self._last_pong = _now()
        elif not self._said_blocked:
            self._said_blocked = True
            self._on_blocked(stack)

    async def _watch_this_loop(self) -> None:
        """In process, an editor's debugger stops this loop too. What is missing afterwards was its time."""
        while True:
            asked = _now()
            await asyncio.sleep(PING_EVERY)
            missing = _now() - asked - PING_EVERY
            self._held_before += missing if missing > PING_EVERY else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
