"""`ArrayBuffer`, `DataView` and the typed arrays."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from .proxy import JsProxy


class Buffer(JsProxy):
    """What can be read as bytes."""

    _view: Any  # a memoryview; the type of its items varies

    def to_bytes(self) -> bytes:
        return bytes(self._view)

    def to_memoryview(self) -> memoryview:
        """A copy, with the format of the array."""
        copy: Any = memoryview(bytearray(self._view))
        found: memoryview = copy.cast(self._view.format)
        return found

    def to_string(self, encoding: str = "utf-8") -> str:
        return self.to_bytes().decode(encoding)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        return self if depth == 0 else self.to_memoryview()

    def assign(self, content: Any) -> None:
        """Copy from a buffer of the same size."""
        self._view.cast("B")[:] = memoryview(getattr(content, "_view", content)).cast("B")

    def assign_to(self, target: Any) -> None:
        """Copy into a buffer of the same size."""
        memoryview(target).cast("B")[:] = self._view.cast("B")

    @property
    def byteLength(self) -> int:
        return int(self._view.nbytes)

    def _as_body(self) -> tuple[bytes, None]:
        return self.to_bytes(), None

    def __bytes__(self) -> bytes:
        return self.to_bytes()

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self._view)

    def __len__(self) -> int:
        return len(self._view)


class ArrayBuffer(Buffer):
    """A run of bytes."""

    def __init__(self, content: int | bytes | bytearray | memoryview = 0) -> None:
        self._view = memoryview(bytearray(content))

    def slice(self, start: int = 0, end: int | None = None) -> Any:
        return ArrayBuffer.new(self._view[start:end])


class TypedArray(Buffer):
    """Numbers of one size over an `ArrayBuffer`."""

    _format = "B"
    BYTES_PER_ELEMENT = 1

    def __init__(self, source: Any = 0, offset: int = 0, length: int | None = None) -> None:
        if isinstance(source, ArrayBuffer):
            self.buffer, self.byteOffset = source, offset
            end = None if length is None else offset + length * self.BYTES_PER_ELEMENT
            self._view = source._view[offset:end].cast(self._format)
            return
        self.byteOffset = 0
        content = self._content(source)
        self.buffer = ArrayBuffer.new(content)
        self._view = self.buffer._view.cast(self._format)

    def _content(self, source: Any) -> bytes:
        if isinstance(source, int):
            return bytes(source * self.BYTES_PER_ELEMENT)
        if isinstance(source, bytes | bytearray | memoryview):
            source = memoryview(source)
            return source.tobytes() if source.format == self._format else self._packed(source.tolist())
        return self._packed(source)

    def _packed(self, numbers: Iterable[Any]) -> bytes:
        found = [self._number(number) for number in numbers]
        packed = bytearray(len(found) * self.BYTES_PER_ELEMENT)
        view: Any = memoryview(packed)
        view = view.cast(self._format)
        for index, number in enumerate(found):
            view[index] = number
        return bytes(packed)

    def _number(self, number: Any) -> Any:
        if self._format in "fd":
            return float(number)
        bits = 8 * self.BYTES_PER_ELEMENT
        whole = int(number) & ((1 << bits) - 1)
        return whole - (1 << bits) if self._format.islower() and whole >> (bits - 1) else whole

    @property
    def length(self) -> int:
        return len(self._view)

    def __getitem__(self, index: Any) -> Any:
        return self.slice(index.start or 0, index.stop) if isinstance(index, slice) else self._view[index]

    def __setitem__(self, index: int, number: Any) -> None:
        self._view[index] = self._number(number)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._view.tolist())

    def slice(self, start: int = 0, end: int | None = None) -> Any:
        """A copy of a part."""
        return type(self).new(self._view[start:end])

    def subarray(self, start: int = 0, end: int | None = None) -> Any:
        """The same bytes, from here to there."""
        first, last, _ = slice(start, end).indices(len(self._view))
        return type(self).new(self.buffer, self.byteOffset + first * self.BYTES_PER_ELEMENT, max(0, last - first))

    def fill(self, number: Any, start: int = 0, end: int | None = None) -> Any:
        for index in range(*slice(start, end).indices(len(self._view))):
            self[index] = number
        return self

    @classmethod
    def of(cls, *numbers: Any) -> Any:
        return cls.new(numbers)

    # `from` is a reserved word; Pyodide adds the underscore too.
    @classmethod
    def from_(cls, numbers: Iterable[Any], function: Callable[..., Any] | None = None) -> Any:
        return cls.new(numbers if function is None else [function(*each) for each in zip(numbers, count())])

    def set(self, numbers: Any, offset: int = 0) -> None:
        for index, number in enumerate(numbers):
            self[offset + index] = number


class DataView(Buffer):
    """Numbers of any size, at any place of an `ArrayBuffer`; big-endian unless asked otherwise."""

    def __init__(self, buffer: ArrayBuffer, offset: int = 0, length: int | None = None) -> None:
        self.buffer, self.byteOffset = buffer, offset
        self._view = buffer._view[offset : None if length is None else offset + length]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        action, kind = name[:3], _NUMBERS.get(name[3:])
        if action not in ("get", "set") or kind is None:
            raise AttributeError(name)

        def get(offset: int, little: bool = False) -> Any:
            return struct.unpack_from(("<" if little else ">") + kind, self._view, offset)[0]

        def put(offset: int, number: Any, little: bool = False) -> None:
            struct.pack_into(("<" if little else ">") + kind, self._view, offset, number)

        return get if action == "get" else put


_NUMBERS = {
    "Int8": "b",
    "Uint8": "B",
    "Int16": "h",
    "Uint16": "H",
    "Int32": "i",
    "Uint32": "I",
    "BigInt64": "q",
    "BigUint64": "Q",
    "Float16": "e",
    "Float32": "f",
    "Float64": "d",
}


class Uint8Array(TypedArray):
    pass


class Uint8ClampedArray(TypedArray):
    def _number(self, number: Any) -> Any:
        return max(0, min(255, round(number)))


class Int8Array(TypedArray):
    _format = "b"


class Int16Array(TypedArray):
    _format = "h"
    BYTES_PER_ELEMENT = 2


class Uint16Array(TypedArray):
    _format = "H"
    BYTES_PER_ELEMENT = 2


class Int32Array(TypedArray):
    _format = "i"
    BYTES_PER_ELEMENT = 4


class Uint32Array(TypedArray):
    _format = "I"
    BYTES_PER_ELEMENT = 4


class Float32Array(TypedArray):
    _format = "f"
    BYTES_PER_ELEMENT = 4


class Float64Array(TypedArray):
    _format = "d"
    BYTES_PER_ELEMENT = 8


class BigInt64Array(TypedArray):
    _format = "q"
    BYTES_PER_ELEMENT = 8


class BigUint64Array(TypedArray):
    _format = "Q"
    BYTES_PER_ELEMENT = 8


_TYPES = (Uint8Array, Int8Array, Int16Array, Uint16Array, Int32Array, Uint32Array)
_FLOATS = (Float32Array, Float64Array, BigInt64Array, BigUint64Array)
_BY_FORMAT = {kind._format: kind for kind in (*_TYPES, *_FLOATS)}


def from_buffer(content: Any) -> Any:
    """The typed array of a Python buffer: bytes are a `Uint8Array`."""
    view = memoryview(content)
    return _BY_FORMAT.get(view.format, Uint8Array).new(view if view.format in _BY_FORMAT else view.cast("B"))
