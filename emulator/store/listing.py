"""Which instances of a workflow a list shows, and in which order, as SQL. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.models import Status
from emulator.store.columns import from_time


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A part of a workflow's instances; `after` is the place (time of creation, key) of the last one already shown."""

    workflow: str
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, int] | None = None
    oldest_first: bool = False
    limit: int = 25
    offset: int = 0

    @property
    def order(self) -> str:
        """The SQL after `order by`."""
        way = "asc" if self.oldest_first else "desc"
        return f"created_at {way}, key {way}"

    def where(self, *, paged: bool = True) -> tuple[str, list[Any]]:
        """The SQL after `where` with its values; without the place when all pages are meant."""
        way = ">" if self.oldest_first else "<"
        parts: list[tuple[str, list[Any]]] = [("workflow = ?", [self.workflow])]
        if self.status is not None:
            parts.append(("status = ?", [self.status]))
        if self.since is not None:
            parts.append(("created_at >= ?", [from_time(self.since)]))
        if self.until is not None:
            parts.append(("created_at <= ?", [from_time(self.until)]))
        if paged and self.after is not None:
            parts.append((f"(created_at, key) {way} (?, ?)", [from_time(self.after[0]), self.after[1]]))
        return " and ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]
