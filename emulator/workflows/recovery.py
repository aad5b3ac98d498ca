"""After a refused write memory and disk differ: what there still is to do is looked up again, a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.errors import StoreError
from emulator.store import Superseded

AFTER = 1.0


class Recovery:
    """Calls `again` once for all refusals of about a second; where that is refused too, once more."""

    def __init__(self, again: Callable[[], None]) -> None:
        self._again = again
        self._planned: asyncio.Task[None] | None = None
        self._closed = False

    def plan(self) -> None:
        """Something was refused."""
        if self._planned is None and not self._closed:
            self._planned = asyncio.get_running_loop().create_task(self._come_back())

    @contextmanager
    def made_up_for(self) -> Iterator[None]:
        """What the store refuses inside is no error: it is done later."""
        try:
            yield
        except (StoreError, Superseded):
            self.plan()

    def close(self) -> None:
        """Nothing is begun again in this life."""
        self._closed = True
        if self._planned is not None:
            self._planned.cancel()

    async def _come_back(self) -> None:
        await asyncio.sleep(AFTER)
        self._planned = None
        with self.made_up_for():
            self._again()
