"""Grants: the first attempt of the step that comes next, numbered and allowed with the result of the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator import duration
from emulator.models import Attempt
from emulator.workflows.ledger import Ledger
from emulator.workflows.retries import DEFAULTS
from emulator.workflows.run import Run

# What `begin` would be answered.
GRANT = {
    "go": "attempt",
    "ctx": {"attempt": 1, "config": DEFAULTS.as_context()},
    "timeout": duration.milliseconds(DEFAULTS.timeout),
}


@dataclass(frozen=True, kw_only=True)
class Grants:
    """
    A next step of the usual config begins without asking: a step is one trip to the worker's process, not two.

    On disk a grant is an attempt at the next place of the instance's order, where there is no step yet. A pass that
    finds one there was ended in that attempt, or just before it: the attempt counts, as every interrupted one.
    """

    ledger: Ledger
    step_limit: Callable[[str], int]

    def give(self, run: Run) -> dict[str, Any] | None:
        """A grant, part of the transaction around; None where what comes next is not sure to begin by it."""
        if not self._is_due(run):
            return None
        now = self.ledger.clock.now()
        attempt = Attempt(instance=run.instance.key, order=run.last_order + 1, attempt=1, started_at=now)
        self.ledger.store.steps.put_attempt(attempt)
        run.has_grant = True
        return GRANT

    def withdraw(self, run: Run) -> None:
        """Something else came next, or nothing did."""
        run.has_grant = False
        with self.ledger.store.transaction(synced=False):
            self.ledger.store.steps.forget_attempts_after(run.instance.key, run.last_order)

    def _is_due(self, run: Run) -> bool:
        has_room = run.taken < self.step_limit(run.instance.workflow)
        goes_on = run.is_alone and run.is_asked_once and run.leaving is None and not run.is_rolling_back
        return has_room and goes_on and run.replay.is_over and run.interrupted <= run.last_order
