"""`FormData`, `Blob` and `File` in JavaScript's spelling, over those of `workers`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.sdk import workers
from emulator.sdk.js.arrays import array
from emulator.sdk.js.promise import Promise
from emulator.sdk.workers.buffers import ArrayBuffer
from emulator.sdk.workers.proxy import JsProxy, options_of


class FormData(JsProxy):
    """The fields of a form. developer.mozilla.org/docs/Web/API/FormData"""

    def __init__(self) -> None:
        self._form = workers.FormData()

    def get(self, name: str) -> Any:
        return _js_field(self._form[name])

    def getAll(self, name: str) -> Any:
        return array(map(_js_field, self._form.get_all(name)))

    def has(self, name: str) -> bool:
        return name in self._form

    def set(self, name: str, value: Any) -> None:
        self._form[name] = value

    def append(self, name: str, value: Any, filename: str | None = None) -> None:
        self._form.append(name, value, filename)

    def delete(self, name: str) -> None:
        del self._form[name]

    def keys(self) -> Iterator[str]:
        return self._form.keys()

    def entries(self) -> Iterator[tuple[str, Any]]:
        return ((name, _js_field(value)) for name, value in self._form.items())

    __iter__ = entries

    def _as_body(self) -> tuple[bytes, str]:
        return self._form._as_body()


class Blob(JsProxy):
    """Bytes with a type. developer.mozilla.org/docs/Web/API/Blob"""

    _blob: workers.Blob

    def __init__(self, parts: Any = (), options: Any = None) -> None:
        self._blob = workers.Blob(list(parts), options_of(options).get("type"))

    @property
    def size(self) -> int:
        return self._blob.size

    @property
    def type(self) -> str:
        return self._blob.content_type

    def text(self) -> Any:
        return Promise.resolve(self._blob.text())

    def arrayBuffer(self) -> Any:
        async def read() -> Any:
            return ArrayBuffer.new(self._blob._content)

        return Promise.resolve(read())

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> Any:
        return blob_object(self._blob.slice(start, end, content_type))

    def _as_body(self) -> tuple[bytes, str | None]:
        return self._blob._content, self._blob.content_type or None


class File(Blob):
    """A blob with a name. developer.mozilla.org/docs/Web/API/File"""

    _blob: workers.File

    def __init__(self, parts: Any, name: str, options: Any = None) -> None:
        given = options_of(options)
        self._blob = workers.File(list(parts), name, given.get("type"), last_modified=given.get("lastModified"))

    @property
    def name(self) -> str:
        return self._blob.name

    @property
    def lastModified(self) -> int:
        return self._blob.last_modified


def form_object(form: workers.FormData) -> Any:
    made = object.__new__(FormData)
    made._form = form
    return made


def blob_object(blob: workers.Blob) -> Any:
    made = object.__new__(File if isinstance(blob, workers.File) else Blob)
    made._blob = blob
    return made


def _js_field(value: Any) -> Any:
    return blob_object(value) if isinstance(value, workers.Blob) else value
