"""An emulator that kills itself, as `kill -9` would, when it comes to a named boundary for the n-th time."""

from __future__ import annotations

import functools
import inspect
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from emulator.cli import main
from emulator.handlers.queue import Broker
from emulator.server import Emulator
from emulator.store import database
from emulator.store.database import Store
from emulator.store.events import Events
from emulator.store.instances import Instances
from emulator.store.messages import Messages
from emulator.store.steps import Steps as StepRecords
from emulator.terminal import Terminal
from emulator.workflows.endings import Endings
from emulator.workflows.engine import Engine
from emulator.workflows.grants import Grants
from emulator.workflows.ledger import Ledger
from emulator.workflows.step import Steps
from emulator.workflows.waits import Waits

_METHODS: dict[str, tuple[type, str]] = {
    "an instance is added": (Instances, "add"),
    "create is answered": (Engine, "create_batch"),
    "an instance is claimed": (Instances, "claim"),
    "an attempt is numbered": (Ledger, "begin_attempt"),
    "an attempt may begin": (Steps, "_attempt"),
    "an attempt is ended": (Ledger, "end_attempt"),
    "an attempt is granted": (Grants, "give"),
    "a grant is taken": (Steps, "_begun"),
    "a grant is withdrawn": (Grants, "withdraw"),
    "a granted attempt is written": (Ledger, "catch_up"),
    "a result is handed over": (Steps, "_succeed"),
    "a failure is answered": (Steps, "_fail"),
    "a sleep or wait is ended": (Ledger, "end"),
    "a sleep is answered": (Waits, "sleep"),
    "an event is kept": (Events, "add"),
    "send_event is answered": (Engine, "send_event"),
    "an event is taken": (Waits, "_take_event"),
    "a wait times out": (Waits, "_time_out"),
    "pause": (Engine, "pause"),
    "resume": (Engine, "resume"),
    "terminate": (Engine, "terminate"),
    "restart": (Engine, "restart"),
    "delete": (Engine, "delete"),
    "steps are undone": (Steps, "_rollbacks"),
    "an instance ends": (Endings, "record"),
    "a step is written": (StepRecords, "put"),
    "a status is written": (Instances, "change"),
    "a turn is committed": (Store, "_end_turn"),
    "a message is kept": (Messages, "add"),
    "a send is answered": (Broker, "send"),
    "a batch is delivered": (Emulator, "_deliver"),
    "a batch is settled": (Messages, "settle"),
    "a batch is acked": (Broker, "_carry"),
    "a tick starts an instance": (Emulator, "_start_scheduled"),
    "a tick is dispatched": (Emulator, "tick"),
    "lines are shown": (Terminal, "flush"),
}
CHECKPOINT = "while the log is folded into the file"
MIGRATION = "between two statements of the schema"
POINTS = [f"{when} {name}" for name in _METHODS for when in ("before", "after")] + [CHECKPOINT, MIGRATION]

# What the worker's own code comes to; whose process dies there.
WORKER_POINTS = [
    f"{whose} in {where}" for where in ("exec", "ack", "parcel", "undo") for whose in ("the worker", "the emulator")
]


def arm(point: str, passes: int) -> None:
    """Die at a point when it is reached for so many times. Those of the worker's code are the worker's own business."""
    if point in WORKER_POINTS:
        return
    if point == CHECKPOINT:
        Store._end_turn = _folding(Store._end_turn, itertools.count(1), passes)  # type: ignore[method-assign]
        return
    if point == MIGRATION:
        database._statements = _stopping(database._statements, passes)  # type: ignore[assignment]
        return
    when, _, name = point.partition(" ")
    owner, method = _METHODS[name]
    setattr(owner, method, _dying(getattr(owner, method), when, itertools.count(1), passes))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _folding(end_turn: Callable[[Store], None], times: itertools.count[int], passes: int) -> Callable[[Store], None]:
    """After some turns the log is filled and folded again and again, until the end comes from another thread."""

    def end_and_fold(store: Store) -> None:
        end_turn(store)
        if next(times) == 10 * passes:
            threading.Timer(0.001 * passes, _die).start()
            while True:
                store._db.execute("update instances set status = status")
                store._db.execute("pragma wal_checkpoint(truncate)")

    return end_and_fold


def _stopping(statements: Callable[[str], Iterator[str]], passes: int) -> Callable[[str], Iterator[str]]:
    times = itertools.count(1)

    def until_the_end(script: str) -> Iterator[str]:
        for statement in statements(script):
            yield statement
            if next(times) == passes:
                _die()

    return until_the_end


def _dying(method: Callable[..., Any], when: str, times: itertools.count[int], passes: int) -> Callable[..., Any]:
    def reached(moment: str) -> None:
        if moment == when and next(times) == passes:
            _die()

    @functools.wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        reached("before")
        result = method(*arguments, **options)
        reached("after")
        return result

    @functools.wraps(method)
    async def call_later(*arguments: Any, **options: Any) -> Any:
        reached("before")
        result = await method(*arguments, **options)
        reached("after")
        return result

    return call_later if inspect.iscoroutinefunction(method) else call


if __name__ == "__main__":
    arm(os.environ["DIE_AT"], int(os.environ["DIE_AFTER"]))
    sys.argv[0] = "emulator"
    main()
