"""Python objects as JavaScript holds them: `create_proxy` and its kin. Nothing needs freeing; the rules are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from emulator.sdk.workers.proxy import JsException, JsProxy


class JsDoubleProxy(JsProxy):
    """A Python object that went to JavaScript and came back: call it, read its attributes, `unwrap()` it."""

    def __init__(self, thing: Any) -> None:
        self.__dict__["_thing"] = thing

    def unwrap(self) -> Any:
        if self.__dict__["_thing"] is _GONE:
            raise JsException("Error", "Object has already been destroyed")
        return self.__dict__["_thing"]

    def destroy(self) -> None:
        self.__dict__["_thing"] = _GONE

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.unwrap()(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unwrap(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.unwrap(), name, value)

    @property
    def typeof(self) -> str:
        return "function" if callable(self.__dict__["_thing"]) else "object"

    def __str__(self) -> str:
        return str(self.__dict__["_thing"])

    __repr__ = __str__


class JsOnceCallable(JsDoubleProxy):
    """A function that may be called once."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self.__dict__["_thing"] is _GONE:
            raise JsException("Error", "OnceProxy can only be called once")
        function = self.unwrap()
        self.destroy()
        return function(*arguments, **keywords)


class _Gone:
    def __repr__(self) -> str:
        return "[destroyed proxy]"


_GONE = _Gone()


def create_proxy(obj: Any, /, *, capture_this: bool = False, roundtrip: bool = True) -> Any:
    """A handle on a Python object, to be kept by JavaScript until `destroy()`."""
    return JsDoubleProxy.new(obj)


def create_once_callable(obj: Callable[..., Any], /, *, _may_syncify: bool = False) -> Any:
    """A function that may be called once."""
    return JsOnceCallable.new(obj)


def destroy_proxies(pyproxies: Iterable[Any], /) -> None:
    """Destroy each of these."""
    for proxy in pyproxies:
        proxy.destroy()
