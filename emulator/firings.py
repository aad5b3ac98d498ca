"""Crons that fire while the clock is moved: the first few of each are shown, and then how many more there were."""

from __future__ import annotations

from collections import Counter

from emulator.clock import MovableClock
from emulator.terminal import Terminal

_SHOWN = 5


class Firings:
    """Counts what a move of the clock makes of each cron. Programs are shown all of it."""

    def __init__(self, terminal: Terminal, clock: MovableClock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._counted: Counter[tuple[str, str]] = Counter()

    def count(self, cron: str, result: str) -> bool:
        """Count one that ended so, if the clock is on the way; whether it is still to be shown."""
        if self._clock.moving_to is None:
            return True
        self._counted[cron, result] += 1
        return self._terminal.as_json or self._counted[cron, result] <= _SHOWN

    def tell(self) -> None:
        """The move is over: a line for each cron and each way to end of which not all were shown."""
        counted, self._counted = self._counted, Counter()
        for (cron, result), count in counted.items():
            if count > _SHOWN and not self._terminal.as_json:
                self._terminal.event("CRON", cron, f"{result}, {count - _SHOWN} more")
