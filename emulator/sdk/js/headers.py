"""`Headers` in JavaScript's spelling, over those of `workers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulator.sdk.js.arrays import array
from emulator.sdk.workers.headers import Pairs, find, joined, to_pairs
from emulator.sdk.workers.proxy import JsException, JsProxy, jsnull


class Headers(JsProxy):
    """HTTP headers. developer.mozilla.org/docs/Web/API/Headers"""

    def __init__(self, given: Any = None) -> None:
        found = list(given) if isinstance(given, Iterator | type({}.items())) else given
        self._pairs: Pairs = or_js_error(to_pairs, found)

    def get(self, name: str) -> Any:
        found = find(self._pairs, name.lower())
        return jsnull if found is None else found

    def getAll(self, name: str) -> Any:
        return array(value for key, value in self._pairs if key == name.lower())

    def getSetCookie(self) -> Any:
        return self.getAll("set-cookie")

    def has(self, name: str) -> bool:
        return find(self._pairs, name.lower()) is not None

    def set(self, name: str, value: Any) -> None:
        pairs = or_js_error(to_pairs, [(name, value)])
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != name.lower()] + pairs

    def append(self, name: str, value: Any) -> None:
        self._pairs += or_js_error(to_pairs, [(name, value)])

    def delete(self, name: str) -> None:
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != name.lower()]

    def entries(self) -> Iterator[tuple[str, str]]:
        return iter(sorted(joined(self._pairs), key=lambda pair: pair[0]))

    def keys(self) -> Iterator[str]:
        return iter([name for name, _ in self.entries()])

    def values(self) -> Iterator[str]:
        return iter([value for _, value in self.entries()])

    def forEach(self, function: Callable[..., Any]) -> None:
        for name, value in self.entries():
            function(value, name, self)

    __iter__ = entries

    def __contains__(self, name: str) -> bool:
        return self.has(name)


def or_js_error(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """JavaScript's own classes raise JavaScript's errors."""
    try:
        return function(*arguments, **options)
    except TypeError as error:
        raise JsException("TypeError", str(error)) from error
    except ValueError as error:
        raise JsException("RangeError", str(error)) from error
