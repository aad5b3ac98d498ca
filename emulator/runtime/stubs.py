"""Stubs: objects of another worker, and what their methods and properties answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from emulator.runtime.calls import Pending
from emulator.sdk.workers.proxy import JsException
from emulator.sdk.workers.rpc import _RpcStubWrapper

Address = tuple[str, int, int]
"""Which worker has an object, which generation of it, and the object's number there."""

Ask = Callable[["tuple[str, ...]", "list[Any] | None"], "RpcCall"]
"""Call what stands at the end of a path of names, or get it when there are no arguments."""

# Asked for by asyncio and inspect of everything that might be a coroutine.
_NOT_THERE = ("_", "cr_", "gi_", "ag_")


class Hold:
    """A loan. It is given back when nothing here refers to it any more."""

    def __init__(self, address: Address, label: str, give_back: Callable[[Address], None]) -> None:
        self.address = address
        self.label = label
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back(self.address)


class RpcCall(Pending[Any]):
    """
    A call of another worker, under way. `await` it for the result, or call a method of the result at once.

    Follows developers.cloudflare.com/workers/runtime-apis/rpc/#promise-pipelining.
    """

    def __init__(self, arrived: asyncio.Future[Any]) -> None:
        super().__init__(arrived, _itself)

    def __getattr__(self, name: str) -> Reach:
        _refuse_private(name)
        return Reach(self._on, (name,))

    def keep(self, hold: Hold) -> None:
        """Nobody may take the object away before it has answered."""
        self._answer.add_done_callback(lambda _: hold)

    def _on(self, path: tuple[str, ...], arguments: list[Any] | None) -> RpcCall:
        return RpcCall(asyncio.ensure_future(self._reach(path, arguments)))

    async def _reach(self, path: tuple[str, ...], arguments: list[Any] | None) -> Any:
        found = await self
        for name in path:
            found = getattr(found, name)
        if arguments is not None:
            found = found(*arguments)
        return await found if isinstance(found, RpcCall | Reach) else found


class Reach:
    """A method or a property of an object somewhere else: call it, or await its value."""

    __slots__ = ("_ask", "_path")

    def __init__(self, ask: Ask, path: tuple[str, ...]) -> None:
        self._ask = ask
        self._path = path

    def __call__(self, *arguments: Any, **keywords: Any) -> RpcCall:
        # As on the platform, keywords become one object at the end.
        return self._ask(self._path, [*arguments, keywords] if keywords else list(arguments))

    def __await__(self) -> Generator[Any, None, Any]:
        return self._ask(self._path, None).__await__()

    def __getattr__(self, name: str) -> Reach:
        _refuse_private(name)
        return Reach(self._ask, (*self._path, name))

    def __repr__(self) -> str:
        return f"<{'.'.join(self._path)} of another worker>"


class Stub(_RpcStubWrapper):
    """
    A function or an object of another worker. Its methods and properties are asked for over there.

    What a method receives as an argument ends with the call; `dup()` it to keep it longer. `with` disposes of a stub
    at the end of the block; otherwise it lasts as long as something refers to it. Follows
    developers.cloudflare.com/workers/runtime-apis/rpc/lifecycle.
    """

    def __init__(self, ask: Callable[[Hold, tuple[str, ...], list[Any] | None], RpcCall], hold: Hold) -> None:
        self._hold: Hold | None = hold
        self._ask_holder = ask

    @property
    def _binding(self) -> Stub:
        return self

    def __call__(self, *arguments: Any, **keywords: Any) -> RpcCall:
        return self._ask((), [*arguments, keywords] if keywords else list(arguments))

    def __getattr__(self, name: str) -> Reach:
        _refuse_private(name)
        return Reach(self._ask, (name,))

    def __getitem__(self, key: str) -> Reach:
        return Reach(self._ask, (str(key),))

    def dup(self) -> Stub:
        """Another stub of the same object, that is disposed of by itself."""
        return Stub(self._ask_holder, self._held())

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *error: object) -> None:
        self._dispose()

    def _dispose(self) -> None:
        self._hold = None

    def _held(self) -> Hold:
        if self._hold is None:
            raise JsException(
                "Error", "RPC stub used after being disposed. What came as an argument ends with the call: dup() it"
            )
        return self._hold

    def _ask(self, path: tuple[str, ...], arguments: list[Any] | None) -> RpcCall:
        return self._ask_holder(self._held(), path, arguments)

    def __repr__(self) -> str:
        return f"<stub of {self._hold.label}>" if self._hold is not None else "<disposed stub>"


def _itself(arrived: Any) -> Any:
    return arrived


def _refuse_private(name: str) -> None:
    if name.startswith(_NOT_THERE) or name in ("constructor", "then", "to_py", "js_object"):
        raise AttributeError(f"{name} is no method that a worker can offer to another", name=name)
