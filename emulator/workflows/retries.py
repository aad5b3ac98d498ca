"""A step's config, and when to try again: config and attempt → wait this long, or stop. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, assert_never

from emulator import duration

MOST_RETRIES = 10_000

# The platform caps no delay, but one that doubles soon leaves every calendar.
_LONGEST = timedelta(days=36_500)
_DEFAULT_DELAY = timedelta(seconds=1)
_DYNAMIC = "[dynamic]"
_DOCS = "https://developers.cloudflare.com/workflows/build/sleeping-and-retrying/"


class Backoff(StrEnum):
    """How the delay grows from attempt to attempt."""

    CONSTANT = "constant"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, kw_only=True)
class StepConfig:
    """
    A step's config in force: what the user gave over the defaults, durations as they were written.

    `delay` is None when a function of the user's decides; `limit` is how often to try *again*.
    """

    limit: int = 5
    delay: float | str | None = 1_000
    backoff: Backoff = Backoff.EXPONENTIAL
    attempt_timeout: float | str = "10 minutes"
    sensitive: str | None = None

    @cached_property
    def timeout(self) -> timedelta:
        """How long one attempt may take."""
        return min(duration.parse(self.attempt_timeout), _LONGEST)

    @property
    def base_delay(self) -> timedelta:
        """The delay before it grows; the default's when a function decides and has not been asked."""
        return _DEFAULT_DELAY if self.delay is None else duration.parse(self.delay)

    def as_context(self) -> dict[str, Any]:
        """What the user's `ctx["config"]` shows: a copy, without a delay that a function decides."""
        retries = {"limit": self.limit, "delay": self.delay, "backoff": str(self.backoff)}
        return _without_none(
            {"retries": _without_none(retries), "timeout": self.attempt_timeout, "sensitive": self.sensitive}
        )

    @cached_property
    def as_json(self) -> str:
        """The config as it is stored with its step."""
        return json.dumps(self.as_context())

    @classmethod
    @lru_cache(maxsize=256)
    def from_json(cls, text: str) -> StepConfig:
        """A stored config; it was checked when it was given."""
        stored = json.loads(text)
        retries = stored["retries"]
        return cls(
            limit=retries["limit"],
            delay=retries.get("delay"),
            backoff=Backoff(retries["backoff"]),
            attempt_timeout=stored["timeout"],
            sensitive=stored.get("sensitive"),
        )


DEFAULTS = StepConfig()


def resolve(given: Any, name: str, *, what: str = "Step") -> StepConfig:
    """What the user gave over the defaults; a ValueError says what is wrong with it."""
    if given is None:
        return DEFAULTS
    try:
        return _resolved(given)
    except ValueError as error:
        raise ValueError(f'{what} config for "{name}" is in a invalid format. See {_DOCS} ({error})') from error


def next_delay(config: StepConfig, attempts: int, *, base: timedelta | None) -> timedelta | None:
    """How long to wait after this many attempts, None to stop; `base` is what the user's own delay function said."""
    if attempts > config.limit:
        return None
    base = config.base_delay if base is None else base
    return _grown(base, _factor(config.backoff, attempts))


def _factor(backoff: Backoff, attempts: int) -> int:
    match backoff:
        case Backoff.CONSTANT:
            return 1
        case Backoff.LINEAR:
            return attempts
        case Backoff.EXPONENTIAL:
            return 1 << (attempts - 1)
        case _:
            assert_never(backoff)


def _grown(base: timedelta, factor: int) -> timedelta:
    # Divided first: the product may be more than a timedelta holds.
    if base and factor > _LONGEST // base:
        return _LONGEST
    return base * factor


def _resolved(given: Any) -> StepConfig:
    config = _section("config", given, ("retries", "timeout", "sensitive"))
    if config.get("sensitive", "output") != "output":
        raise ValueError(f'sensitive: expected "output", got {config["sensitive"]!r}')
    settings: dict[str, Any] = {"sensitive": config.get("sensitive")}
    if "retries" in config:
        settings |= _retries(config["retries"])
    if "timeout" in config:
        settings["attempt_timeout"] = _timeout(config["timeout"])
    return StepConfig(**settings)


def _retries(given: Any) -> dict[str, Any]:
    retries = _section("retries", given, ("limit", "delay", "backoff"))
    for key in ("limit", "delay"):
        if key not in retries:
            raise ValueError(f"retries.{key} is missing; limit and delay are given together")
    settings = {"limit": _limit(retries["limit"]), "delay": _delay(retries["delay"])}
    if "backoff" in retries:
        settings["backoff"] = _backoff(retries["backoff"])
    return settings


def _section(path: str, given: Any, known: Iterable[str]) -> dict[str, Any]:
    """A dict with nothing but known keys; None is as good as left out."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValueError(f"{path}: expected a dict, got {given!r}")
    unknown = [str(key) for key in given if key not in known]
    if unknown:
        raise ValueError(f"{path}: unknown key {unknown[0]!r}; the keys are {', '.join(known)}")
    return _without_none(given)


def _limit(given: Any) -> int:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or given != given // 1 or not 0 <= given <= MOST_RETRIES:
        raise ValueError(f"retries.limit: expected a whole number from 0 to {MOST_RETRIES}, got {given!r}")
    return int(given)


def _backoff(given: Any) -> Backoff:
    try:
        return Backoff(given)
    except ValueError:
        raise ValueError(f"retries.backoff: expected constant, linear or exponential, got {given!r}") from None


def _delay(given: Any) -> float | str | None:
    return None if given == _DYNAMIC else _as_written("retries.delay", given)


def _timeout(given: Any) -> float | str:
    written = _as_written("timeout", given)
    if not duration.parse(written):
        raise ValueError(f"timeout: it must be longer than 0, got {given!r}")
    return written


def _as_written(path: str, given: Any) -> float | str:
    """A duration that can be read, left as the user wrote it, a timedelta as milliseconds."""
    try:
        parsed = duration.parse(given)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if isinstance(given, str):
        return given
    milliseconds = parsed / timedelta(milliseconds=1)
    return int(milliseconds) if milliseconds.is_integer() else milliseconds


def _without_none(section: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if value is not None}
