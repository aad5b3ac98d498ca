"""`Object`, `Array`, `Map` and `Set`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from emulator.sdk.workers.proxy import JsNull, JsProxy, js_text, options_of


class Object(JsProxy):
    """A plain object: its keys are attributes."""

    _items: dict[str, Any]

    def __init__(self, given: Any = None) -> None:
        self.__dict__["_items"] = dict(options_of(given))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_items"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._items[name] = value

    def __delattr__(self, name: str) -> None:
        if self._items.pop(name, self) is self:
            raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._items]

    def object_keys(self) -> Any:
        return Array.new(*self._items)

    def object_values(self) -> Any:
        return array(self._items.values())

    def object_entries(self) -> Any:
        return array(array(entry) for entry in self._items.items())

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        if depth == 0:
            return self
        return {key: to_py(value, depth - 1, default_converter) for key, value in self._items.items()}

    def as_py_json(self) -> Any:
        return self.to_py()

    def as_object_map(self, *, hereditary: bool = False) -> Any:
        """The same fields, by subscript: what is written there is written here."""
        made = Map.new()
        made._items = self._items
        return made

    @staticmethod
    def fromEntries(entries: Any) -> Any:
        made = Object.new()
        for key, value in entries:
            made._items[js_text(key)] = value
        return made

    @staticmethod
    def keys(thing: Any) -> Any:
        return array(key for key, _ in _entries(thing))

    @staticmethod
    def values(thing: Any) -> Any:
        return array(value for _, value in _entries(thing))

    @staticmethod
    def entries(thing: Any) -> Any:
        return array(array(entry) for entry in _entries(thing))

    @staticmethod
    def assign(target: Any, *sources: Any) -> Any:
        for source in sources:
            for key, value in _entries(source):
                setattr(target, key, value)
        return target


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

    def map(self, function: Callable[..., Any]) -> Any:
        return array(function(item) for item in self._list)

    def filter(self, function: Callable[..., Any]) -> Any:
        return array(item for item in self._list if function(item))

    def forEach(self, function: Callable[..., Any]) -> None:
        for item in self._list:
            function(item)

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


class Map(JsProxy):
    """A map; iterating gives its keys, as with a dict."""

    def __init__(self, entries: Any = None) -> None:
        self._items: dict[Any, Any] = dict(entries) if entries else {}

    @property
    def size(self) -> int:
        return len(self._items)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._items.get(key, default)

    def set(self, key: Any, value: Any) -> Any:
        self._items[key] = value
        return self

    def has(self, key: Any) -> bool:
        return key in self._items

    def delete(self, key: Any) -> bool:
        return self._items.pop(key, self) is not self

    def clear(self) -> None:
        self._items.clear()

    def keys(self) -> Any:
        return self._items.keys()

    def values(self) -> Any:
        return self._items.values()

    def items(self) -> Any:
        return self._items.items()

    entries = items

    def forEach(self, function: Callable[..., Any]) -> None:
        for key, value in list(self._items.items()):
            function(value, key, self)

    __getitem__ = lambda self, key: self._items[key]  # noqa: E731

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        if depth == 0:
            return self
        return {key: to_py(value, depth - 1, default_converter) for key, value in self._items.items()}


class LiteralMap(Map):
    """What `to_js(dict)` makes: a map whose string keys are attributes too, unless a method of Map has the name."""

    def __getattr__(self, name: str) -> Any:
        items = self.__dict__.get("_items", {})
        if name not in items:
            raise AttributeError(name)
        return items[name]


class Set(JsProxy):
    """A set that keeps its order."""

    def __init__(self, items: Any = ()) -> None:
        self._items: dict[Any, None] = dict.fromkeys(items or ())

    @property
    def size(self) -> int:
        return len(self._items)

    def add(self, item: Any) -> Any:
        self._items[item] = None
        return self

    def has(self, item: Any) -> bool:
        return item in self._items

    def delete(self, item: Any) -> bool:
        return self._items.pop(item, self) is not self

    def clear(self) -> None:
        self._items.clear()

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        return self if depth == 0 else {to_py(item, depth - 1, default_converter) for item in self._items}


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


def _entries(thing: Any) -> list[tuple[str, Any]]:
    if isinstance(thing, Object):
        return list(thing._items.items())
    if isinstance(thing, Array):
        return [(str(index), item) for index, item in enumerate(thing)]
    if isinstance(thing, dict):
        return [(js_text(key), value) for key, value in thing.items()]
    return [(key, value) for key, value in vars(thing).items() if not key.startswith("_")]


def _spread(thing: Any) -> Iterable[Any]:
    return thing if isinstance(thing, Array | list) else [thing]
