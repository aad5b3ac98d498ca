"""`Blob` and `File`: bytes with a type, and with a name."""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from .buffers import Buffer
from .later import part


class BlobEnding(StrEnum):
    """What becomes of line ends in text parts."""

    TRANSPARENT = "transparent"
    NATIVE = "native"


class Blob:
    """Bytes and a content type, which never change. developer.mozilla.org/docs/Web/API/Blob"""

    content_type: str
    _content: bytes

    def __init__(
        self, blob_parts: Any, content_type: str | None = None, endings: BlobEnding | str | None = None
    ) -> None:
        single = _as_blob(blob_parts)
        if content_type is None and single is not None:
            content_type = single.content_type
        self._content = b"".join(_part(part) for part in _parts(blob_parts, single))
        self.content_type = (content_type or "").lower()

    @property
    def size(self) -> int:
        return len(self._content)

    @property
    def js_object(self) -> Any:
        """The same blob as `js.Blob`."""
        return part("js.forms").blob_object(self)

    async def text(self) -> str:
        return self._content.decode("utf-8", "replace")

    async def bytes(self) -> bytes:
        return self._content

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> Blob:
        return Blob(self._content[start:end], content_type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, content_type={self.content_type!r})"


class File(Blob):
    """A blob with a name. developer.mozilla.org/docs/Web/API/File"""

    name: str
    last_modified: int

    def __init__(
        self,
        blob_parts: Any,
        filename: str,
        content_type: str | None = None,
        endings: BlobEnding | str | None = None,
        last_modified: int | None = None,
    ) -> None:
        super().__init__(blob_parts, content_type, endings)
        single = _as_blob(blob_parts)
        if last_modified is None and isinstance(single, File):
            last_modified = single.last_modified
        self.name = filename
        self.last_modified = time.time_ns() // 1_000_000 if last_modified is None else last_modified


def _as_blob(part: Any) -> Blob | None:
    """A blob of ours, or the one behind a JavaScript blob."""
    if isinstance(part, Blob):
        return part
    inner = getattr(part, "_blob", None)
    return inner if isinstance(inner, Blob) else None


def _parts(given: Any, single: Blob | None) -> Iterable[Any]:
    if single is not None or isinstance(given, str | bytes | bytearray | memoryview | Buffer):
        return [given]
    if not isinstance(given, Iterable):
        raise _unknown(given)
    return given


def _part(part: Any) -> bytes:
    blob = _as_blob(part)
    if blob is not None:
        return blob._content
    if isinstance(part, str):
        return part.encode("utf-8", "replace")
    if isinstance(part, Buffer):
        return part.to_bytes()
    try:
        return bytes(memoryview(part))
    except TypeError:
        raise _unknown(part) from None


def _unknown(part: Any) -> TypeError:
    return TypeError(f"Don't know how to handle {type(part)} for Blob()")
