"""The emulator with a bug planted in it, which kills or tests must notice: as a program, or as a plugin of pytest."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emulator.cli import main
from emulator.models import Step
from emulator.store import database
from emulator.store.database import Store
from emulator.store.events import Events
from emulator.store.instances import Instances
from emulator.store.messages import Messages
from emulator.workflows.grants import GRANT, Grants
from emulator.workflows.ledger import Ledger
from emulator.workflows.run import Run

LATE_SECONDS = 0.02


def _in_place_of(owner: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


async def _hand_over_at_once(store: Store) -> None:
    """In the place of `durable`."""


def _commit_late(store: Store, synced: bool) -> None:
    """In the place of joining the commit of this turn: the commit comes 20 ms after the first write."""
    if store._waiting is None:
        store._begin(synced)
        store._waiting = []
        asyncio.get_running_loop().call_later(LATE_SECONDS, store._end_turn)


def late_persist() -> None:
    """Results are handed over, and what was asked for is acknowledged, 20 ms before it is on disk."""
    Store.durable = _hand_over_at_once  # type: ignore[method-assign]
    Store._join_this_turn = _commit_late  # type: ignore[method-assign]


def ack_before_commit() -> None:
    """Nobody waits for the commit, and nobody is told that it was refused."""
    Store.durable = _hand_over_at_once  # type: ignore[method-assign]


def no_sync() -> None:
    """A commit is not synced."""
    database._FULL = database._NORMAL  # type: ignore[misc]
    database._PRAGMAS["synchronous"] = database._NORMAL


def no_fence() -> None:
    """A pass that is not the instance's own any more still writes."""
    _in_place_of(Instances, "change", lambda change: lambda *given, epoch=None, **options: change(*given, **options))


def event_not_marked() -> None:
    """An event that a wait has taken stays."""
    Events.forget = lambda events, sequence: None  # type: ignore[method-assign]


def batch_not_settled() -> None:
    """What was acked is not forgotten."""
    _in_place_of(Messages, "settle", lambda settle: lambda messages, delivered, back: settle(messages, [], back=back))


def timer_lost() -> None:
    """When an instance that is in no memory is to wake is not kept."""

    def forgetting(change: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **options: change(*given, **{**options, "wake_at": None})

    _in_place_of(Instances, "change", forgetting)


def attempt_not_stored() -> None:
    """The number of an attempt is known in memory only."""

    def begin(ledger: Ledger, run: Run, step: Step) -> Step:
        begun = replace(step, attempts=step.attempts + 1, wake_at=None)
        run.steps[step.identity] = begun
        return begun

    def give(grants: Grants, run: Run) -> dict[str, Any] | None:
        if not grants._is_due(run):
            return None
        run.has_grant = True
        return GRANT

    Ledger.begin_attempt = begin  # type: ignore[method-assign]
    Grants.give = give  # type: ignore[method-assign]


BUGS = {
    bug.__name__: bug
    for bug in (
        late_persist,
        ack_before_commit,
        no_sync,
        no_fence,
        event_not_marked,
        batch_not_settled,
        timer_lost,
        attempt_not_stored,
    )
}


def plant() -> None:
    BUGS[os.environ.get("PLANTED", "late_persist")]()


def pytest_configure() -> None:
    """With `-p planted` the tests run on the bug."""
    plant()


if __name__ == "__main__":
    plant()
    main()
