"""Reads that the disk refuses: StoreErrors, like refused writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from emulator.errors import StoreError

P = ParamSpec("P")
R = TypeVar("R")


def read(method: Callable[P, R]) -> Callable[P, R]:
    """A method that asks the database and keeps no cursor: whoever calls it meets no error of sqlite's."""

    @wraps(method)
    def guarded(*args: P.args, **options: P.kwargs) -> R:
        try:
            return method(*args, **options)
        except sqlite3.Error as error:
            raise StoreError(
                f"state.db could not be read: {error}; when its disk can be read again, all goes on by itself"
            ) from error

    return guarded
