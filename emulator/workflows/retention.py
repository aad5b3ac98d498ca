"""How long an instance is kept after its end, where somebody said so. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator import duration
from emulator.errors import DurationError, WorkflowError
from emulator.models import Instance, Status

# The calendar ends with the year 9999: what is added to a moment must not lead beyond it.
LONGEST = timedelta(days=100 * 365)
_KEYS = {"successRetention": "success", "errorRetention": "error"}


@dataclass(frozen=True, kw_only=True)
class Retention:
    """`success` counts from `complete`, `error` from `errored` and `terminated`. None keeps for ever."""

    success: timedelta | None = None
    error: timedelta | None = None


def parse(given: Any) -> Retention:
    """The `retention` of `create`: {successRetention?, errorRetention?}, each a duration. Raises WorkflowError."""
    if given is None:
        return Retention()
    if not isinstance(given, dict):
        raise WorkflowError("body", f"retention takes an object with {' and '.join(_KEYS)}, got {given!r}")
    unknown = [key for key in given if key not in _KEYS]
    if unknown:
        raise WorkflowError("body", f"retention has no key {unknown[0]!r}; the keys are {', '.join(_KEYS)}")
    return Retention(**{_KEYS[key]: _duration(key, value) for key, value in given.items() if value is not None})


def expiry(instance: Instance, status: Status, *, at: datetime) -> datetime | None:
    """When an instance that ends so is forgotten."""
    kept = instance.success_retention if status is Status.COMPLETE else instance.error_retention
    return None if kept is None else at + kept


def _duration(key: str, value: Any) -> timedelta:
    try:
        return min(duration.parse(value), LONGEST)
    except DurationError as error:
        raise WorkflowError("body", f"retention.{key}: {error}") from error
