"""Objects of this worker that others hold: each under a number of its own, until nobody holds it any more."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from typing import Any

from emulator.runtime.stubs import Address
from emulator.sdk.workers.body import Body, Content
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

    def withdraw(self, number: int) -> None:
        """It was not sent: what was to be lent stays as it is."""
        self._things.pop(number, None)

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


class Cargo:
    """What one value takes along to another worker: objects that are lent, and bodies, which are used up."""

    def __init__(self, lender: Lender, home: tuple[str, int]) -> None:
        self.lent: list[Address] = []
        self._lender = lender
        self._home = home
        self._numbers: list[int] = []
        self._bodies: list[Body] = []

    def lend(self, thing: Any) -> Address:
        number = self._lender.lend(thing)
        self._numbers.append(number)
        return self.pass_on((*self._home, number))

    def pass_on(self, address: Address) -> Address:
        """What was lent before goes to one more."""
        self.lent.append(address)
        return address

    def take(self, body: Body) -> Content:
        """The content of a body. Raises OSError when it has been read, or goes along already."""
        content = body.take()
        self._bodies.append(body)
        return content

    def unload(self) -> None:
        """The value cannot be sent: all is as it was."""
        for number in self._numbers:
            self._lender.withdraw(number)
        for body in self._bodies:
            body.used = False


class Outflow:
    """A stream on its way to another worker, who asks for piece after piece."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self._reading: asyncio.Future[bytes | None] | None = None

    async def read(self) -> bytes | None:
        """The next piece; None at the end."""
        # In a task of its own: who leaves in the middle ends the read, and not who asked for it as well.
        self._reading = asyncio.ensure_future(anext(self._content, None))
        return await self._reading

    def leave(self) -> None:
        """Nobody reads on: whoever makes the pieces learns of it."""
        self._leaving = asyncio.ensure_future(self._close())

    async def _close(self) -> None:
        if self._reading is not None:
            # A generator that runs cannot be closed.
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        close = getattr(self._content, "aclose", None)
        if close is not None:
            await close()


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
