"""Whole numbers on the command line, and what is said of one that is none or is too large."""

from __future__ import annotations

import click


class Whole(click.ParamType[int]):
    """A whole number, from `least` to `most` where there is one."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            found = int(value)
        except ValueError:
            found = self._least - 1
        if found < self._least or (self._most is not None and found > self._most):
            self.fail(f'expected {self}; got "{value}"', param, ctx)
        return found

    def __str__(self) -> str:
        if self._most is None:
            return f"a whole number, {self._least} or more"
        return f"a whole number from {self._least} to {self._most}"
