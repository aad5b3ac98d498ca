"""pdb on the terminal the emulator was started in; whoever waits for this process is told while it is held."""

from __future__ import annotations

import asyncio
import faulthandler
import pdb
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class TerminalPdb(pdb.Pdb):
    """
    A pdb that says when it takes hold of the process and when it lets go.

    Ctrl-C is the emulator's. Where that runs in this very process, which stands at the prompt, `end` is called: nothing
    of what runs is reported any more, and what stopped is left.
    """

    def __init__(self, hold: Callable[[bool], None], end: Callable[[], None] | None = None) -> None:
        super().__init__(stdin=sys.__stdin__, stdout=sys.__stdout__, nosigint=True)
        self._hold = hold
        self._end = end

    def interaction(self, *arguments: Any, **options: Any) -> None:
        """One stop: from the prompt until the program goes on."""
        faulthandler.cancel_dump_traceback_later()
        _take_lines()
        self._hold(True)
        try:
            with _left_by_ctrl_c(self._end):
                super().interaction(*arguments, **options)
        finally:
            self._hold(False)


@contextmanager
def _left_by_ctrl_c(end: Callable[[], None] | None) -> Iterator[None]:
    """Ctrl-C goes to whoever takes it otherwise, too. A thread that is not the main one hears of no signal."""
    if end is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: Any) -> None:
        if callable(before):
            before(number, frame)
        end()
        raise asyncio.CancelledError

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if sys.platform == "win32":

    def _take_lines() -> None:
        """A console does so by itself."""

else:
    import termios

    def _take_lines() -> None:
        """The emulator reads single keys from the same terminal; from now on whoever types means the prompt."""
        if sys.__stdin__ is None or not sys.__stdin__.isatty():
            return
        with suppress(termios.error):
            modes = termios.tcgetattr(sys.__stdin__)
            modes[3] |= termios.ICANON | termios.ECHO
            termios.tcsetattr(sys.__stdin__, termios.TCSANOW, modes)
