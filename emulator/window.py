"""How much of a body may be under way before its reader must give credit. Standard library only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

SIZE = 128 << 10
PIECE = 64 << 10


class Window:
    """The writer's side: `take` waits while a window's worth is not yet passed on, `give` is the reader's credit."""

    def __init__(self) -> None:
        self._room = SIZE
        self._more_room: asyncio.Future[None] | None = None

    async def take(self, size: int) -> None:
        """Return when so many bytes may be sent."""
        if size:
            await self.opens()
        self._room -= size

    async def opens(self) -> None:
        """Return when there is any room at all: who asks before it reads need not hold what it has read."""
        while self._room <= 0:
            self._more_room = self._more_room or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._more_room)

    def give(self, size: int) -> None:
        """So many bytes have been passed on."""
        self._room += size
        waiting, self._more_room = self._more_room, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


def pieces(content: bytes) -> Iterator[bytes]:
    """A body cut so that no frame is too large."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]
