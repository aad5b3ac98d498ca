"""A table of the config that is read key by key; a value of the wrong kind is complained about and left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from emulator.config.report import Report, Way, nearest, shown

T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """One table, the way that leads to it, and the report that takes the complaints."""

    value: Mapping[str, Any]
    way: Way
    report: Report

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def error(self, message: str, *keys: str | int) -> None:
        self.report.error((*self.way, *keys), message)

    def warn(self, message: str, *keys: str | int) -> None:
        self.report.warn((*self.way, *keys), message)

    def only(self, known: Collection[str]) -> None:
        """Warn of each key that is not one of these."""
        for key in self.value:
            if key not in known:
                self.report.unknown((*self.way, key), known)

    def text(self, key: str) -> str | None:
        return self._typed(key, str, "text")

    def need(self, key: str) -> str:
        """Text that must be there and say something; empty where it is not."""
        found = self.text(key)
        if key not in self:
            written = nearest(key, self.value)
            self.report.missing((*self.way, key), f"is {written} meant to be it?" if written else "give it some text")
        elif found == "":
            self.error("expected some text, got none", key)
        return found or ""

    def flag(self, key: str) -> bool | None:
        return self._typed(key, bool, "true or false")

    def number(self, key: str) -> float | None:
        return self._typed(key, (int, float), "a number")

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number within bounds. 10.0 is one: other tools read it as 10."""
        found = self._typed(key, (int, float), f"a whole number from {low} to {high}")
        if found is None or (found == found // 1 and low <= found <= high):
            return None if found is None else int(found)
        self.error(f"expected a whole number from {low} to {high}, got {shown(found)}", key)
        return None

    def choice(self, key: str, choices: Collection[str]) -> str | None:
        found = self.text(key)
        if found is None or found in choices:
            return found
        self.error(f"expected one of {', '.join(choices)}; got {shown(found)}", key)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; what is no text is complained about by its place and left out."""
        found = self._typed(key, list, "a list of texts") or []
        for index, value in enumerate(found):
            if not isinstance(value, str):
                self.error(f"expected text, got {shown(value)}", key, index)
        return tuple(value for value in found if isinstance(value, str))

    def table(self, key: str) -> Node | None:
        found: Mapping[str, Any] | None = self._typed(key, dict, "a table")
        return None if found is None else Node(found, (*self.way, key), self.report)

    def tables(self, key: str) -> list[Node]:
        """Each table of a list of tables, such as [[workflows]] makes."""
        found = self._typed(key, list, f"a list of tables ([[{key}]] in TOML)") or []
        for index, value in enumerate(found):
            if not isinstance(value, dict):
                self.error(f"expected a table, got {shown(value)}", key, index)
        return [
            Node(value, (*self.way, key, index), self.report)
            for index, value in enumerate(found)
            if isinstance(value, dict)
        ]

    def check(self, shapes: Mapping[str, Shape]) -> None:
        """These keys and no others, each in its shape."""
        self.only(shapes)
        for key, shape in shapes.items():
            shape(self, key)

    def _typed(self, key: str, kind: type[T] | tuple[type[T], ...], words: str) -> T | None:
        if key not in self:
            return None
        value = self.value[key]
        # To Python, true is a number too.
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.error(f"expected {words}, got {shown(value)}", key)
        return None


# How a key is read that we check and do not use: any method of Node that takes the key alone, or one of those below.
Shape: TypeAlias = Callable[[Node, str], object]


def anything(node: Node, key: str) -> None:
    """Not looked into."""


def open_table(node: Node, key: str) -> None:
    """A table of any keys."""
    node.table(key)


def text_table(node: Node, key: str) -> None:
    """A table of any keys, each with text."""
    found = node.table(key)
    if found is not None:
        for name in found.value:
            found.text(name)


def one_of(*choices: str) -> Shape:
    return lambda node, key: node.choice(key, choices)


def whole(low: int, high: int) -> Shape:
    return lambda node, key: node.whole(key, low, high)


def table(shapes: Mapping[str, Shape]) -> Shape:
    """A table of these keys."""

    def check(node: Node, key: str) -> None:
        found = node.table(key)
        if found is not None:
            found.check(shapes)

    return check


def tables(shapes: Mapping[str, Shape]) -> Shape:
    """A list of tables of these keys."""

    def check(node: Node, key: str) -> None:
        for found in node.tables(key):
            found.check(shapes)

    return check
