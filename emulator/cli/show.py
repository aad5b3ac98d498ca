"""How commands print: lines, tables, blocks, JSON. Colours only for a terminal, and not with NO_COLOR."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import click

from emulator import duration

_BOX = ("┌─┬┐", "├─┼┤", "└─┴┘", "│")
_PLAIN = ("+-++", "+-++", "+-++", "|")
# Of the words of an error, on a terminal of 80 columns.
_NARROWEST = 5
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")
_STATUSES = {
    "queued": ("Queued", "white"),
    "running": ("Running", "blue"),
    "paused": ("Paused", "yellow"),
    "waitingForPause": ("Waiting for Pause", "yellow"),
    "waiting": ("Waiting", "cyan"),
    "errored": ("Errored", "red"),
    "terminated": ("Terminated", "red"),
    "complete": ("Completed", "green"),
}


def line(text: str = "") -> None:
    """One line on stdout."""
    click.echo(_printable(text), color=_colour())


def warn(text: str) -> None:
    """One line on stderr: nothing has gone wrong, but there is nothing to show either."""
    click.echo(text, err=True)


def data(value: Any) -> None:
    """JSON."""
    click.echo(json.dumps(value, indent=2))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, otherwise: str, indent: int = 0) -> None:
    """Rows under their heads; where there are none, what to say instead, on stderr."""
    if not rows:
        warn(otherwise)
        return
    if sys.stdout.isatty():
        rows = _fitting(heads, rows, shutil.get_terminal_size().columns - indent)
    widths = _widths(heads, rows)
    top, middle, bottom, side = _BOX if _can_draw() else _PLAIN
    split = [each for row in rows for each in zip_longest(*(cell.split("\n") for cell in row), fillvalue="")]
    drawn = [_rule(top, widths), _row(side, heads, widths), _rule(middle, widths)]
    for text in (*drawn, *(_row(side, each, widths) for each in split), _rule(bottom, widths)):
        line(" " * indent + text)


def page(info: Mapping[str, Any], noun: str) -> None:
    """Above a list: how much of it there is to see. Nothing of an empty one."""
    if info["count"]:
        total, place = counted(info["total_count"], noun), f"page {info['page']} of {info['total_pages']}"
        line(f"Showing {info['count']} of {total}, {place}:")


def nothing_on(info: Mapping[str, Any], nothing: str, remedy: str = "") -> str:
    """What to say of an empty list: that there is nothing at all and what to do, or nothing on a page so far back."""
    return f"{nothing} on page {info['page']} of {info['total_pages']}" if info["total_count"] else nothing + remedy


def block(pairs: Sequence[tuple[str, str]], *, indent: int = 0) -> None:
    """Names and values, the values below each other."""
    width = max((_width(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        first = f"{' ' * indent}{name}:{' ' * (width - _width(name))}  "
        line(first + value.replace("\n", "\n" + " " * _width(first)))


def status(word: str) -> str:
    """A status in a person's words, in its colour."""
    text, colour = _STATUSES.get(word, (word, "white"))
    return click.style(text, fg=colour)


def when(text: str | None) -> str:
    """A time of the API, to the second; all times are UTC."""
    return "" if not text else text[:19].replace("T", " ")


def took(start: str | None, end: str | None) -> str:
    """How long something lasted, in short words."""
    if not start or not end:
        return ""
    # Somebody may have set the clock back since.
    return duration.words(max(timedelta(), datetime.fromisoformat(end) - datetime.fromisoformat(start)))


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _fitting(heads: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> Sequence[Sequence[str]]:
    """The rows, with the last column broken into lines where the table is too wide. Others hold ids, to be copied."""
    widths = _widths(heads, rows)
    excess = sum(widths) + 3 * len(widths) + 1 - room
    if excess <= 0:
        return rows
    most = max(widths[-1] - excess, _NARROWEST)
    return [[*row[:-1], _broken(row[-1], most)] for row in rows]


def _broken(cell: str, most: int) -> str:
    if _width(cell) <= most:
        return cell
    lines = cell.split("\n")
    return "\n".join(part for line in lines for part in textwrap.wrap(line, _letters(line, most)) or [""])


def _letters(line: str, most: int) -> int:
    """How many letters of a line surely fit: wide ones take two places."""
    return most if _width(line) == len(line) else most // 2


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]


def _rule(marks: str, widths: Sequence[int]) -> str:
    first, dash, between, last = tuple(marks)
    return first + between.join(dash * (width + 2) for width in widths) + last


def _row(side: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f" {cell}{' ' * (width - _width(cell))} " for cell, width in zip(cells, widths, strict=True))
    return side + side.join(padded) + side


def _width(cell: str) -> int:
    lines = click.unstyle(cell).split("\n")
    return max(sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line) for line in lines)


def _printable(text: str) -> str:
    """Nothing in an id or an output may steer the terminal; colours may pass."""
    return "".join(each if _COLOUR.fullmatch(each) else _visible(each) for each in _COLOUR.split(text))


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def _can_draw() -> bool:
    try:
        _BOX[0].encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None
