"""What a pass came to: recorded with its instance, and said in the terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable

from emulator.generation import failure
from emulator.models import Failure, Status
from emulator.wire import Frame
from emulator.workflows.endings import Endings
from emulator.workflows.run import Run

log = logging.getLogger("emulator")


class Outcomes:
    """Each method ends the instance of a pass. Raises Superseded when the pass is no longer the instance's own."""

    def __init__(self, endings: Endings, tell: Callable[[str, str], None]) -> None:
        self._endings = endings
        self._tell = tell

    def record(self, run: Run, done: Frame) -> None:
        """`run` returned or raised, or what was to be undone has been undone: `done` is the pass's last frame."""
        ending, error = run.instance.ending, done.head.get("error")
        if ending is not None:
            self._conclude(run, ending, run.instance.error)
            return
        if error is not None:
            self.fail(run, failure(error))
        else:
            self._end(run, Status.COMPLETE, output=done.body.decode() or "null")
            self._tell(run.name, "complete")
        for complaint in run.replay.left_over():
            self._tell(run.name, complaint)

    def fail(self, run: Run, error: Failure) -> None:
        """It ends with an error."""
        self._end(run, Status.ERRORED, error=error)
        self._tell(run.name, f"errored: {error.words}")
        if error.trace:
            log.error("%s", error.trace.rstrip())

    def _conclude(self, run: Run, ending: Status, error: Failure | None) -> None:
        """The rollback handlers have run; the instance ends as it was to end."""
        shown = error if ending is Status.ERRORED else None
        self._end(run, ending, error=shown)
        self._tell(run.name, f"{ending}, rolled back" if shown is None else f"errored: {shown.words}")

    def _end(self, run: Run, status: Status, *, output: str | None = None, error: Failure | None = None) -> None:
        self._endings.record(run.instance, status, epoch=run.instance.epoch, output=output, error=error)
