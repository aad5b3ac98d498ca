"""Routes: under which names the deployed worker is reached."""

from __future__ import annotations

from typing import Any

from emulator.config.environments import Scope
from emulator.config.model import Route
from emulator.config.node import Node
from emulator.config.report import shown

_KEYS = ("custom_domain", "enabled", "pattern", "previews_enabled", "zone_id", "zone_name")


def parse(scope: Scope) -> tuple[Route, ...]:
    """`route` or `routes`, whichever the environment has; else those of the top level."""
    node = scope.own if {"route", "routes"} & scope.own.value.keys() else scope.top
    if "route" in node and "routes" in node:
        node.error("a worker has either route or routes; keep one", "route")
    if "route" in node:
        return _route(node, node.value["route"], "route")
    value = node.value.get("routes", [])
    if not isinstance(value, list):
        node.error(f"expected a list, got {shown(value)}", "routes")
        return ()
    return tuple(route for index, each in enumerate(value) for route in _route(node, each, "routes", index))


def _route(node: Node, value: Any, *way: str | int) -> tuple[Route, ...]:
    match value:
        case "":
            node.warn("empty, and so ignored", *way)
        case str():
            return (Route(pattern=value),)
        case dict():
            return (_table(Node(value, (*node.way, *way), node.report)),)
        case _:
            node.error(f"expected a pattern, or a table with one; got {shown(value)}", *way)
    return ()


def _table(row: Node) -> Route:
    row.only(_KEYS)
    for key in ("enabled", "previews_enabled"):
        row.flag(key)
    return Route(
        pattern=row.need("pattern"),
        zone_name=row.text("zone_name"),
        zone_id=row.text("zone_id"),
        custom_domain=bool(row.flag("custom_domain")),
    )
