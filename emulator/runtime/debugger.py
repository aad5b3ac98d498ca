"""pdb on the terminal the emulator was started in; whoever waits for this process is told while it is held."""

from __future__ import annotations

import faulthandler
import pdb
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class TerminalPdb(pdb.Pdb):
    """A pdb that says when it takes hold of the process and when it lets go."""

    def __init__(self, hold: Callable[[bool], None]) -> None:
        super().__init__(stdin=sys.__stdin__, stdout=sys.__stdout__)
        self._hold = hold

    def interaction(self, *arguments: Any, **options: Any) -> None:
        """One stop: from the prompt until the program goes on."""
        faulthandler.cancel_dump_traceback_later()
        _take_lines()
        self._hold(True)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            super().interaction(*arguments, **options)
        finally:
            signal.signal(signal.SIGINT, before)
            self._hold(False)


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
