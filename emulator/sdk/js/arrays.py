"""`Array`, and what every container needs of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, js_text


class Array(JsProxy):
    """A list."""

    def __init__(self, *items: Any) -> None:
        sized = len(items) == 1 and isinstance(items[0], int)
        self._list: list[Any] = [None] * items[0] if sized else list(items)

    @property
    def length(self) -> int:
        return len(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._list)

    def __contains__(self, item: object) -> bool:
        return item in self._list

    def __getitem__(self, index: int | slice) -> Any:
        return array(self._list[index]) if isinstance(index, slice) else self._list[index]

    def __setitem__(self, index: int, item: Any) -> None:
        self._list[index] = item

    def __delitem__(self, index: int) -> None:
        del self._list[index]

    def __str__(self) -> str:
        return self.join()

    __repr__ = __str__

    def push(self, *items: Any) -> int:
        self._list += items
        return len(self._list)

    append = push

    def extend(self, items: Iterable[Any]) -> None:
        self._list.extend(items)

    def pop(self) -> Any:
        return self._list.pop() if self._list else None

    def concat(self, *others: Any) -> Any:
        return array([*self._list, *(item for other in others for item in _spread(other))])

    def slice(self, start: int = 0, end: int | None = None) -> Any:
        return array(self._list[start:end])

    def join(self, separator: str = ",") -> str:
        return separator.join("" if item is None or isinstance(item, JsNull) else js_text(item) for item in self._list)

    def includes(self, item: Any) -> bool:
        return item in self._list

    def indexOf(self, item: Any) -> int:
        return self._list.index(item) if item in self._list else -1

    # Callbacks are given the item, its place and the array, as JavaScript does: write `lambda item, *_: …`.

    def map(self, function: Callable[..., Any]) -> Any:
        return array(function(*each) for each in self._each())

    def filter(self, function: Callable[..., Any]) -> Any:
        return array(each[0] for each in self._each() if function(*each))

    def forEach(self, function: Callable[..., Any]) -> None:
        for each in self._each():
            function(*each)

    def find(self, function: Callable[..., Any]) -> Any:
        return next((each[0] for each in self._each() if function(*each)), None)

    def findIndex(self, function: Callable[..., Any]) -> int:
        return next((each[1] for each in self._each() if function(*each)), -1)

    def some(self, function: Callable[..., Any]) -> bool:
        return any(function(*each) for each in self._each())

    def every(self, function: Callable[..., Any]) -> bool:
        return all(function(*each) for each in self._each())

    def reduce(self, function: Callable[..., Any], *start: Any) -> Any:
        items = self._each()
        if not start and not self._list:
            raise JsException("TypeError", "Reduce of empty array with no initial value")
        found = start[0] if start else next(items)[0]
        for each in items:
            found = function(found, *each)
        return found

    def sort(self, compare: Callable[[Any, Any], Any] | None = None) -> Any:
        """By what `compare` says of two items, or as texts."""
        self._list.sort(key=js_text if compare is None else functools.cmp_to_key(compare))
        return self

    def reverse(self) -> Any:
        self._list.reverse()
        return self

    def at(self, index: int) -> Any:
        return self._list[index] if -len(self._list) <= index < len(self._list) else None

    def flat(self, depth: int = 1) -> Any:
        if depth < 1:
            return array(self._list)
        inner = (item.flat(depth - 1) if isinstance(item, Array) else [item] for item in self._list)
        return array(item for items in inner for item in items)

    def shift(self) -> Any:
        return self._list.pop(0) if self._list else None

    def unshift(self, *items: Any) -> int:
        self._list[:0] = items
        return len(self._list)

    def keys(self) -> Iterator[int]:
        return iter(range(len(self._list)))

    def values(self) -> Iterator[Any]:
        return iter(self._list)

    def entries(self) -> Iterator[Any]:
        return (array(entry) for entry in enumerate(self._list))

    def _each(self) -> Iterator[tuple[Any, int, Array]]:
        return ((item, index, self) for index, item in enumerate(self._list))

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        return self if depth == 0 else [to_py(item, depth - 1, default_converter) for item in self._list]

    @staticmethod
    def isArray(thing: Any) -> bool:
        return isinstance(thing, Array)

    of = staticmethod(lambda *items: array(items))


def _array_from(things: Iterable[Any], function: Callable[..., Any] | None = None) -> Any:
    return array(things if function is None else map(function, things))


# `from` is a reserved word; Pyodide adds the underscore too.
Array.from_ = staticmethod(_array_from)  # type: ignore[attr-defined]


def array(items: Iterable[Any]) -> Any:
    """An `Array` of these, however many there are."""
    made = Array.new()
    made._list = list(items)
    return made


def to_py(value: Any, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
    """What `value.to_py()` gives, and other values as they are."""
    if isinstance(value, JsNull) or not isinstance(value, JsProxy) or isinstance(value, type):
        return value
    return value.to_py(depth=depth, default_converter=default_converter)


def _spread(thing: Any) -> Iterable[Any]:
    return thing if isinstance(thing, Array | list) else [thing]
