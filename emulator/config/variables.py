"""[vars] and [secrets]: what a worker finds in env as plain values, and which names must be kept out of the config."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from emulator.config.node import Node


def plain(own: Node) -> Mapping[str, Any]:
    """The variables as written. Text stays text; the rest reaches the worker as numbers, lists and so on."""
    table = own.table("vars")
    if table is None:
        return {}
    for name, value in table.value.items():
        table.report.swallowed((*table.way, name))
        why = _why_not(value)
        if why:
            table.error(why, name)
    return table.value


def required(own: Node) -> tuple[str, ...] | None:
    """The names of secrets that a worker must have; None where the config has no [secrets]."""
    table = own.table("secrets")
    if table is None:
        return None
    table.only(("required",))
    return table.texts("required")


def _why_not(value: Any) -> str | None:
    """Why a value, or one within it, cannot be a variable."""
    match value:
        case date() | time():
            return f'a variable cannot be a date; put it in quotes: "{value}"'
        case float() if not math.isfinite(value):
            return f"a variable cannot be {value}; put it in quotes to make it text"
        case list():
            return next(filter(None, map(_why_not, value)), None)
        case dict():
            return next(filter(None, map(_why_not, value.values())), None)
        case _:
            return None
