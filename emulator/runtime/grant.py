"""The engine's leave to begin the next step at once, which came with the result of the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

# Code that does something else first asks when it comes to its step: by then the pass may have to end.
_GOOD_FOR = 0.01


class Grant:
    """What `begin` would be answered, until it is taken, or something else is asked, or it is returned unused."""

    def __init__(self, give_back: Callable[[], object]) -> None:
        self._give_back = give_back
        self._answer: dict[str, Any] | None = None
        self._lapse: asyncio.TimerHandle | None = None
        self._last_asked: asyncio.Future[Any] | None = None

    def note_asked(self, question: asyncio.Future[Any]) -> None:
        """Something else is asked, which returns it, also one that is still on its way."""
        self.drop()
        self._last_asked = question

    def receive(self, answer: dict[str, Any] | None, asked: asyncio.Future[Any] | None = None) -> None:
        """A grant came, or none, with the answer to what was `asked`; it is good if nothing was asked since then."""
        if answer is not None and asked is self._last_asked:
            self._answer = answer
            self._lapse = asyncio.get_running_loop().call_later(_GOOD_FOR, self._return)

    def take(self) -> dict[str, Any] | None:
        """Use it, if there is one that is still good."""
        lapse, answer = self._lapse, self._answer
        if lapse is None or asyncio.get_running_loop().time() > lapse.when():
            # What is asked now returns it.
            return None
        self.drop()
        return answer

    def drop(self) -> None:
        """It is not used any more."""
        if self._lapse is not None:
            self._lapse.cancel()
            self._lapse = self._answer = None

    def _return(self) -> None:
        self.drop()
        self._give_back()
