"""Complaints about a config while it is read: all are collected, each knows the way to its key."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, TypeAlias

from emulator.config import keys

Way: TypeAlias = tuple[str | int, ...]

_LONGEST = 60


@dataclass(frozen=True)
class Complaint:
    """What is wrong, and the keys that lead there."""

    way: Way
    message: str


@dataclass
class Report:
    """What is wrong with one file. `tables_swallow`: a key below a [table] line belongs to that table, as in TOML."""

    root: Mapping[str, Any]
    tables_swallow: bool = False
    # Dicts for their order: what two environments inherit is read twice and told once.
    errors: dict[Complaint, None] = field(default_factory=dict)
    warnings: dict[Complaint, None] = field(default_factory=dict)

    def error(self, way: Way, message: str) -> None:
        self.errors[Complaint(way, message)] = None

    def warn(self, way: Way, message: str) -> None:
        self.warnings[Complaint(way, message)] = None

    def unknown(self, way: Way, known: Collection[str]) -> None:
        """A key that its table does not have: perhaps misspelt, perhaps meant for the top of the file."""
        if self.swallowed(way):
            return
        meant = nearest(str(way[-1]), known)
        self.warn(way, f"there is no such key, so it does nothing{f'; did you mean {meant}?' if meant else ''}")

    def swallowed(self, way: Way) -> bool:
        """Whether a key of the worker stands below a [table] line and so went into that table; if so, say it."""
        if not self.tables_swallow or len(way) < 2 or way[-1] not in keys.ALL:
            return False
        if way[-2] == "vars" and way[-1] in self.root:
            return False
        table = spelled(tuple(part for part in way[:-1] if isinstance(part, str)))
        self.warn(way, f"belongs to [{table}], below which it stands; a key of the worker goes above the first [table]")
        return True

    def missing(self, way: Way, what: str) -> None:
        """A key that must be there. One that a table swallowed is shown where it stands."""
        for found in _strays(self.root, str(way[-1])) if self.tables_swallow and len(way) == 1 else ():
            self.error(
                found, f'the worker lacks "{way[-1]}", since this one stands below a [table]; move it to the top'
            )
            return
        self.error(way, f"missing; {what}")


def spelled(way: Way) -> str:
    """A way as people write it: queues.consumers[0].queue."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in way).lstrip(".")


def shown(value: Any) -> str:
    """A value as a complaint quotes it, cut short."""
    if isinstance(value, date | time):
        return f"the date or time {value}; put it in quotes to make it text"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def nearest(key: str, known: Collection[str]) -> str | None:
    """The key that may have been meant."""
    return next(iter(difflib.get_close_matches(key, known, n=1, cutoff=0.7)), None)


def _strays(table: Mapping[str, Any], key: str, way: Way = ()) -> Iterator[Way]:
    """Every place below the top where a key of this name stands outside of the environments."""
    for name, value in table.items():
        rows = [((*way, name), value)] if isinstance(value, Mapping) else []
        if isinstance(value, list):
            rows = [((*way, name, index), row) for index, row in enumerate(value) if isinstance(row, Mapping)]
        for place, row in rows if name != "env" else ():
            if key in row:
                yield (*place, key)
            yield from _strays(row, key, place)
