"""What the figures say: one row for each, a table of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_COLUMNS = ("what", "bar", "ours", "peer", "ratio", "")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a figure is held to: a number of its own unit, or a share of the peer's figure."""

    limit: float
    of_peer: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of ours, beside a peer's where there is one."""

    what: str
    unit: Literal["s", "ms", "/s", "MB"]
    ours: float
    peer: float | None = None
    peer_name: str = ""
    bar: Bar | None = None

    @property
    def is_more_better(self) -> bool:
        return self.unit == "/s"

    @property
    def ratio(self) -> float | None:
        """How many times as good as the peer."""
        if self.peer is None:
            return None
        return self.ours / self.peer if self.is_more_better else self.peer / self.ours

    @property
    def is_met(self) -> bool | None:
        if self.bar is None:
            return None
        if self.bar.of_peer:
            return self.ratio is not None and self.ratio >= self.bar.limit
        return self.ours >= self.bar.limit if self.is_more_better else self.ours < self.bar.limit

    def cells(self) -> tuple[str, ...]:
        peer = "" if self.peer is None else f"{self.peer_name} {_figure(self.peer, self.unit)}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "ok", False: "MISSED"}[self.is_met]
        return self.what, self._held_to(), _figure(self.ours, self.unit), peer, ratio, verdict

    def plain(self) -> dict[str, object]:
        """For a program to read."""
        return {
            "what": self.what,
            "unit": self.unit,
            "bar": self._held_to(),
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.peer_name,
            "ratio": self.ratio,
            "met": self.is_met,
        }

    def _held_to(self) -> str:
        if self.bar is None:
            return ""
        if self.bar.of_peer:
            return f"≥ {self.bar.limit:.2f} of {self.peer_name}"
        return f"{'≥' if self.is_more_better else '<'} {_figure(self.bar.limit, self.unit)}"


def compared(
    what: str,
    unit: Literal["s", "ms", "/s", "MB"],
    figures: dict[str, float],
    *,
    bar: Bar | None = None,
) -> list[Row]:
    """A row for each peer, or one without. Figures come by name, ours among them; only the first row has the bar."""
    ours = figures["ours"]
    peers = [(name, figure) for name, figure in figures.items() if name != "ours"]
    if not peers:
        return [Row(what=what, unit=unit, ours=ours, bar=bar)]
    return [
        Row(what=what, unit=unit, ours=ours, peer=figure, peer_name=name, bar=bar if index == 0 else None)
        for index, (name, figure) in enumerate(peers)
    ]


def table(rows: Iterable[Row]) -> str:
    """Markdown, in columns that also read well in a terminal."""
    lines = [_COLUMNS, *(row.cells() for row in rows)]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(line, widths) for line in (lines[0], rule, *lines[1:]))


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _figure(figure: float, unit: str) -> str:
    digits = 0 if figure >= 100 else 1 if figure >= 10 else 2
    return f"{figure:,.{digits}f}{unit if unit.startswith('/') else ' ' + unit}"
