"""`CompressionStream` and `DecompressionStream`: gzip, deflate and deflate-raw, piece by piece."""

from __future__ import annotations

import zlib
from typing import Any

from emulator.sdk.js.pipes import TransformStream
from emulator.sdk.workers.body import to_bytes
from emulator.sdk.workers.proxy import JsException

_WINDOW_BITS = {"deflate": zlib.MAX_WBITS, "deflate-raw": -zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


class CompressionStream(TransformStream):
    """`CompressionStream.new("gzip")`, for `pipeThrough`."""

    def __init__(self, form: str) -> None:
        self._packing = zlib.compressobj(wbits=_window_bits(form))
        super().__init__(self)

    def transform(self, piece: Any, controller: Any) -> None:
        controller.enqueue(self._packing.compress(to_bytes(piece)))

    def flush(self, controller: Any) -> None:
        controller.enqueue(self._packing.flush())


class DecompressionStream(TransformStream):
    """The way back. Writing what was not packed so is a TypeError, and so is an end that is missing."""

    def __init__(self, form: str) -> None:
        self._unpacking = zlib.decompressobj(wbits=_window_bits(form))
        super().__init__(self)

    def transform(self, piece: Any, controller: Any) -> None:
        if self._unpacking.eof:
            raise JsException("TypeError", "there is more after the end of what was compressed")
        try:
            controller.enqueue(self._unpacking.decompress(to_bytes(piece)))
        except zlib.error as error:
            raise JsException("TypeError", f"it cannot be decompressed: {error}") from None
        if self._unpacking.unused_data:
            raise JsException("TypeError", "there is more after the end of what was compressed")

    def flush(self, controller: Any) -> None:
        if not self._unpacking.eof:
            raise JsException("TypeError", "what was compressed ends too soon")


def _window_bits(form: str) -> int:
    if form not in _WINDOW_BITS:
        raise JsException("TypeError", f'"{form}" is no way to compress; there are {", ".join(_WINDOW_BITS)}')
    return _WINDOW_BITS[form]
