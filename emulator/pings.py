"""Questions to the user's loop whether it comes round, each answered after so many of its turns."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

_SETTLED_AFTER_TURNS = 20


class Pings:
    """Those that have been sent and not answered yet. `send` takes the number of a ping, and the turns."""

    def __init__(self, send: Callable[[int, int], None]) -> None:
        self._send = send
        # Number 0 is the watchdog's.
        self._numbers = itertools.count(1)
        self._sent: dict[int, asyncio.Future[None]] = {}
        self._to_settle: asyncio.Future[None] | None = None
        self._is_over = False

    def heard(self, number: int) -> None:
        """A pong has come."""
        sent = self._sent.pop(number, None)
        if sent is not None:
            _release(sent)

    def end(self) -> None:
        """No pong comes any more: nobody is to wait for one."""
        self._is_over = True
        for sent in self._sent.values():
            _release(sent)

    async def answered(self) -> None:
        """Return when the user's loop has come round once; at once where nobody is there to answer."""
        if not self._is_over:
            answered = asyncio.get_running_loop().create_future()
            self._ask(answered, turns=1)
            await answered

    async def settled(self) -> None:
        """Return when the user's loop has nothing more to do at once. Who asks in the same turn shares one answer."""
        if self._is_over:
            return
        if self._to_settle is None:
            loop = asyncio.get_running_loop()
            self._to_settle = loop.create_future()
            loop.call_soon(self._ask_to_settle)
        # Shielded: one who waits no longer does not end it for the others.
        await asyncio.shield(self._to_settle)

    def _ask_to_settle(self) -> None:
        """After all that was sent in this turn, so that the user's loop has been given it by then."""
        settled, self._to_settle = self._to_settle, None
        assert settled is not None
        if self._is_over:
            settled.set_result(None)
        else:
            self._ask(settled, turns=_SETTLED_AFTER_TURNS)

    def _ask(self, answered: asyncio.Future[None], *, turns: int) -> None:
        number = next(self._numbers)
        self._sent[number] = answered
        self._send(number, turns)


def _release(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
