"""The deaths of the worker's process in each instance: one that ends it again and again is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from emulator.clock import Clock
from emulator.errors import WorkflowError
from emulator.models import Instance, Status
from emulator.store import Store
from emulator.workflows.endings import Endings
from emulator.workflows.run import Run

_MOST = 5


class Deaths:
    """Counted in memory only: whoever starts the emulator again wants to see it tried again."""

    def __init__(self, store: Store, clock: Clock, tell: Callable[[str, str], None], endings: Endings) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._endings = endings
        self._count: Counter[int] = Counter()

    def note(self, lost: Sequence[Run]) -> None:
        """The process has ended under these passes; where only one can have done it, it is counted against that one."""
        # Its code ran, in a step or between them; who only waits has done nothing.
        suspects = [run for run in lost if run.executing] or [run for run in lost if not run.is_waiting]
        if len(suspects) == 1:
            self._count[suspects[0].instance.key] += 1

    def forgive(self, instance: Instance) -> None:
        """It gets on, or begins anew: whatever ended the process before, it was not for ever."""
        self._count.pop(instance.key, None)

    def hold_if_many(self, run: Run) -> None:
        """This instance ended the worker's process again and again: the others shall not suffer for it."""
        if self._count[run.instance.key] < _MOST:
            return
        text = f"paused: the worker's process ended {_MOST} times in it; resume to try again"
        now = self._clock.now()
        with self._store.transaction():
            self._store.instances.change(
                run.instance.key, at=now, status=Status.PAUSED, paused_at=now, hold_reason="crash-loop"
            )
        self._tell(run.name, text)
        self._endings.refuse(run.instance, WorkflowError("instance.cannot_terminate", f"The instance is {text}"))
