"""`Object`, `Map` and `Set`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulator.sdk.js.arrays import Array, array, to_py
from emulator.sdk.workers.proxy import JsProxy, js_text, options_of


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
    def freeze(thing: Any) -> Any:
        """The object. Here nothing keeps it from being changed."""
        return thing

    @staticmethod
    def hasOwn(thing: Any, key: Any) -> bool:
        return any(js_text(key) == name for name, _ in _entries(thing))

    @staticmethod
    def assign(target: Any, *sources: Any) -> Any:
        for source in sources:
            for key, value in _entries(source):
                setattr(target, key, value)
        return target


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

    def values(self) -> Iterator[Any]:
        return iter(self._items)

    keys = values

    def forEach(self, function: Callable[..., Any]) -> None:
        for item in list(self._items):
            function(item, item, self)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        return self if depth == 0 else {to_py(item, depth - 1, default_converter) for item in self._items}


def _entries(thing: Any) -> list[tuple[str, Any]]:
    if isinstance(thing, Object):
        return list(thing._items.items())
    if isinstance(thing, Array):
        return [(str(index), item) for index, item in enumerate(thing)]
    if isinstance(thing, dict):
        return [(js_text(key), value) for key, value in thing.items()]
    return [(key, value) for key, value in vars(thing).items() if not key.startswith("_")]
