"""pdb on the terminal the emulator was started in; whoever waits for this process is told while it is held."""

from __future__ import annotations

import faulthandler
import pdb
import signal
import sys
from collections.abc import Callable
from typing import Any


class TerminalPdb(pdb.Pdb):
    """A pdb that says when it takes hold of the process and when it lets go."""

    def __init__(self, hold: Callable[[bool], None]) -> None:
        super().__init__(stdin=sys.__stdin__, stdout=sys.__stdout__)
        self._hold = hold

    def interaction(self, *arguments: Any, **options: Any) -> None:
        """One stop: from the prompt until the program goes on."""
        faulthandler.cancel_dump_traceback_later()
        self._hold(True)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            super().interaction(*arguments, **options)
        finally:
            signal.signal(signal.SIGINT, before)
            self._hold(False)
