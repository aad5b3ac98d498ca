"""The emulator with a bug planted in it, which the kill harness must notice: results are handed over unsaved."""

import asyncio

from emulator.cli import main
from emulator.store.database import Store

LATE_SECONDS = 0.02


async def hand_over_at_once(store):
    """In the place of `durable`."""


def commit_late(store):
    """In the place of joining the commit of this turn: the commit comes 20 ms after the first write."""
    if store._commit is None:
        store._run("begin immediate")
        loop = asyncio.get_running_loop()
        store._commit = loop.create_future()
        loop.call_later(LATE_SECONDS, store._end_turn)


Store.durable = hand_over_at_once
Store._join_this_turn = commit_late

main()
