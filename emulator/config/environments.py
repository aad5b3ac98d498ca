"""Named environments: which table a key is looked up in, and what an environment does not inherit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.config import keys
from emulator.config.node import Node


@dataclass(frozen=True)
class Scope:
    """One environment, or the top level (`own` is `top`). One that is only checked may lack what a worker needs."""

    top: Node
    own: Node
    env: str | None = None
    is_served: bool = True

    @property
    def is_top(self) -> bool:
        return self.own is self.top

    def of(self, key: str) -> Node:
        """The table that has an inherited key: the environment's, else the top level."""
        return self.own if self.own.value.get(key) is not None else self.top


def named(top: Node, env: str | None) -> Scope:
    """The scope of an environment. One that the file does not define is an error, or a warning if it defines none."""
    environments = top.table("env")
    if not env:
        return Scope(top, top)
    own = environments.table(env) if environments else None
    if own is not None:
        return Scope(top, own, env)
    names = list(environments.value) if environments else []
    if not names:
        top.warn(f'there is no [env.{env}], so the top level is used, under the name of "{env}"', "env")
    elif env not in names:
        top.error(f'there is no environment "{env}"; there are {json.dumps(names)}. Add [env.{env}] to make it', "env")
    return Scope(top, top, env)


def others(top: Node, env: str | None) -> Iterator[Scope]:
    """The environments that were not asked for."""
    environments = top.table("env")
    for name in environments.value if environments else ():
        own = environments.table(name) if environments and name != env else None
        if own is not None:
            yield Scope(top, own, name, is_served=False)


def warn_of_lacking(scope: Scope) -> None:
    """Warn of what the top level has and the environment does not, and does not inherit."""
    if scope.is_top:
        return
    for key in scope.top.value:
        if key not in keys.OWN:
            continue
        if key not in scope.own:
            scope.own.warn(
                f"the top level has it, which an environment does not inherit; add it to [env.{scope.env}]", key
            )
            continue
        here, there = _names(key, scope.own.value[key]), _names(key, scope.top.value[key])
        if there - here:
            names = ", ".join(sorted(there - here))
            scope.own.warn(f"the top level has {names} too, which an environment does not inherit", key)
        if key == "define" and here - there:
            scope.own.warn(f"the top level lacks {', '.join(sorted(here - there))}", key)


def _names(key: str, value: Any) -> set[str]:
    """What a key brings into env, by name."""
    if isinstance(value, list):
        return {name for row in value if isinstance(row, Mapping) for name in _own_name(row)}
    if not isinstance(value, Mapping):
        return set()
    match key:
        case "vars" | "define":
            return set(value)
        case "durable_objects" | "unsafe":
            return _names(key, value.get("bindings"))
        case "queues":
            return _names(key, value.get("producers"))
        case _:
            return set()


def _own_name(row: Mapping[str, Any]) -> set[str]:
    name = row.get("binding", row.get("name"))
    return {name} if isinstance(name, str) else set()
