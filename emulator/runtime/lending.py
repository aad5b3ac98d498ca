"""Objects of this worker that others hold: each under a number of its own, until nobody holds it any more."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from typing import Any

from emulator.sdk.workers.entrypoints import RpcTarget
from emulator.sdk.workers.proxy import JsException


class Lender:
    """What has been lent. A number is used once, so that one who gives back late cannot mean something newer."""

    def __init__(self) -> None:
        self._things: dict[int, Any] = {}
        self._numbers = itertools.count(1)

    def lend(self, thing: Any) -> int:
        number = next(self._numbers)
        self._things[number] = thing
        return number

    def drop(self, number: int) -> None:
        """Nobody holds it any more."""
        thing = self._things.pop(number, None)
        if isinstance(thing, Outflow):
            thing.leave()

    async def call(self, number: int, path: list[str], arguments: list[Any] | None) -> Any:
        """Call what stands at the end of a path, or get it when there are no arguments."""
        found = self.find(number, path)
        if arguments is not None:
            if not callable(found) or isinstance(found, RpcTarget):
                raise JsException("TypeError", f'"{".".join(path) or type(found).__name__}" is not a function.')
            found = found(*arguments)
        return await found if inspect.isawaitable(found) else found

    def find(self, number: int, path: list[str]) -> Any:
        """
        What stands at the end of a path of names: a method, or a value. Raises JsException when there is nothing.

        Only what the class defines can be reached, as on the platform: methods and properties, no attributes of `self`.
        """
        if number not in self._things:
            raise JsException("Error", "RPC stub used after being disposed.")
        found = self._things[number]
        for name in path:
            found = _part(found, name)
        return found


class Outflow:
    """A stream on its way to another worker, who asks for piece after piece."""

    def __init__(self, content: Any) -> None:
        self._content = content

    async def read(self) -> bytes | None:
        """The next piece; None at the end."""
        piece: bytes | None = await anext(self._content, None)
        return piece

    def leave(self) -> None:
        """Nobody reads on: whoever makes the pieces learns of it."""
        close = getattr(self._content, "aclose", None)
        if close is not None:
            self._leaving = asyncio.ensure_future(close())


def _part(thing: Any, name: str) -> Any:
    if isinstance(thing, dict) and name in thing:
        return thing[name]
    offered = _offered(thing)
    if name not in offered:
        there = ", ".join(offered) or "nothing"
        raise JsException(
            "TypeError",
            f'The RPC receiver does not implement the method "{name}". {type(thing).__name__} has {there};'
            " what `self` holds cannot be reached, write a method or a property",
        )
    return getattr(thing, name)


def _offered(thing: Any) -> list[str]:
    """The names that another worker may use."""
    if isinstance(thing, Outflow):
        return ["read"]
    if not isinstance(thing, RpcTarget):
        return []
    return [name for name in dir(type(thing)) if not name.startswith("_")]
