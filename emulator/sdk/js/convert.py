"""Between Python and JavaScript: `to_js`, and the rules of calls between the two. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.sdk.js.arrays import Array, array
from emulator.sdk.js.dates import Date
from emulator.sdk.js.objects import LiteralMap, Map, Object, Set
from emulator.sdk.js.proxies import JsDoubleProxy, create_proxy
from emulator.sdk.workers.buffers import ArrayBuffer, Buffer, from_buffer
from emulator.sdk.workers.later import part
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, js_text, jsnull
from emulator.sdk.workers.rpc import JsDict

_PLAIN = (str, int, float, bool, type(None), JsNull)
_JS = (JsProxy, JsException)


class ConversionError(Exception):
    """Two keys would become one, or no key at all."""


def to_js(
    obj: Any,
    /,
    *,
    depth: int = -1,
    pyproxies: Any = None,
    create_pyproxies: bool = True,
    dict_converter: Callable[[Any], Any] | None = None,
    default_converter: Callable[..., Any] | None = None,
    eager_converter: Callable[..., Any] | None = None,
) -> Any:
    """
    The JavaScript value of a Python one: lists are `Array`s, bytes `Uint8Array`s, dicts `Map`s.

    `dict_converter`, usually `Object.fromEntries`, makes something else of a dict's pairs.
    """
    return _Conversion(create_pyproxies, dict_converter, default_converter, eager_converter).convert(obj, depth)


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One call of `to_js`: its options, and what it has made so far, so that a list may contain itself."""

    create_pyproxies: bool
    dict_converter: Callable[[Any], Any] | None
    default_converter: Callable[..., Any] | None
    eager_converter: Callable[..., Any] | None
    made: dict[int, Any] = field(default_factory=dict)

    def convert(self, value: Any, left: int) -> Any:
        if left == 0 or isinstance(value, _PLAIN + _JS):
            return value
        if id(value) in self.made:
            return self.made[id(value)]
        if self.eager_converter is not None:
            return self._by(self.eager_converter, value, left)
        match value:
            case list() | tuple():
                return self._array(value, left)
            case dict():
                return self._map(value, left)
            case set() | frozenset():
                return Set.new(self.convert(item, left - 1) for item in value)
            case bytes() | bytearray() | memoryview():
                return from_buffer(value)
            case _:
                return self._object(value, left)

    def _array(self, items: Sequence[Any], left: int) -> Any:
        found = self.made[id(items)] = Array.new()
        found._list += [self.convert(item, left - 1) for item in items]
        return found

    def _map(self, items: dict[Any, Any], left: int) -> Any:
        pairs = [(_key(key), self.convert(item, left - 1)) for key, item in items.items()]
        if self.dict_converter is None:
            return _literal_map(pairs)
        return self.dict_converter(array(array(pair) for pair in pairs))

    def _object(self, value: Any, left: int) -> Any:
        as_js = getattr(value, "js_object", None)
        if as_js is not None:
            return as_js
        if self.default_converter is not None:
            return self._by(self.default_converter, value, left)
        if not self.create_pyproxies:
            raise ConversionError(f"No conversion available for {type(value).__name__}")
        return create_proxy(value)

    def _by(self, converter: Callable[..., Any], value: Any, left: int) -> Any:
        """Converters are given a function for what is inside, and one to say what they made before they fill it."""
        return converter(value, lambda inner: self.convert(inner, left - 1), self._remember)

    def _remember(self, value: Any, made: Any) -> None:
        self.made[id(value)] = made


def _key(key: Any) -> Any:
    if isinstance(key, _PLAIN):
        return key
    raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")


def _literal_map(pairs: list[tuple[Any, Any]]) -> Any:
    made = LiteralMap.new()
    made._items.update(pairs)
    return made


def to_rpc(value: Any) -> Any:
    """The JavaScript value for an argument or a result. Raises TypeError for what cannot be sent."""
    if value is None:
        return jsnull
    if isinstance(value, _PLAIN + _JS):
        return value
    match value:
        case list():
            return array(map(to_rpc, value))
        case dict():
            return Object.fromEntries((js_text(key), to_rpc(item)) for key, item in value.items())
        case set() | frozenset():
            return Set.new(map(to_rpc, value))
        case bytes() | memoryview():
            return from_buffer(value)
        case datetime():
            return Date.new(value.timestamp() * 1000)
        case Exception():
            return JsException("Error", str(value))
        case _:
            return _object_to_rpc(value)


def _object_to_rpc(value: Any) -> Any:
    name = type(value).__name__
    if isinstance(value, tuple | bytearray):
        raise TypeError(f"{name} cannot be sent over RPC.")
    if isinstance(value, re.Pattern):
        raise TypeError("RegExp cannot be sent over RPC.")
    if inspect.isawaitable(value):
        raise TypeError(f"Awaitable {name} cannot be sent over RPC.")
    js_object = getattr(value, "js_object", None)
    return create_proxy(value) if js_object is None else js_object


def from_rpc(value: Any) -> Any:
    """The Python value of a JavaScript argument or result."""
    match value:
        case JsNull():
            return None
        case JsException():
            return Exception(str(value))
        case JsDoubleProxy():
            return value.unwrap()
        case Array():
            return [from_rpc(item) for item in value]
        case Object():
            return JsDict({key: from_rpc(item) for key, item in value._items.items()})
        case Map():
            return JsDict({key: from_rpc(item) for key, item in value._items.items()})
        case Set():
            return {from_rpc(item) for item in value}
        case ArrayBuffer() | Buffer():
            return value.to_memoryview()
        case Date():
            return value.to_py()
        case JsProxy():
            return part("js.web").to_sdk(value)
        case _:
            return value
