"""`FormData`: the fields of a form, how they are read from a body, and how they are written into one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from .blob import File, _as_blob
from .headers import parameter
from .later import part
from .proxy import js_text, jsnull

_BREAK = {"\r": "%0D", "\n": "%0A", '"': "%22"}


class FormData(MutableMapping[str, Any]):
    """
    Fields in order, names may repeat; values are str, `Blob` or `File`. developer.mozilla.org/docs/Web/API/FormData

    As on the platform a missing field is `jsnull`, not a KeyError, and `len()` is a TypeError.
    """

    def __init__(self, form_data: Any = None) -> None:
        inner = getattr(form_data, "_form", None)
        self._fields: list[tuple[str, Any]] = inner._fields if isinstance(inner, FormData) else []
        if isinstance(inner, FormData) or not form_data:
            return
        if not isinstance(form_data, dict):
            raise TypeError("Expected form_data to be a dict or an instance of FormData")
        for name, value in form_data.items():
            self.append(name, value)

    @property
    def js_object(self) -> Any:
        """The same form as `js.FormData`."""
        return part("js.forms").form_object(self)

    def __getitem__(self, name: str) -> Any:
        return next((value for key, value in self._fields if key == name), jsnull)

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, list):
            raise TypeError("a form field takes one value; call append() for each of a list")
        field = (name, _value(value, None))
        where = next((index for index, (key, _) in enumerate(self._fields) if key == name), len(self._fields))
        self._fields[:] = [
            *self._fields[:where],
            field,
            *((key, old) for key, old in self._fields[where:] if key != name),
        ]

    def __delitem__(self, name: str) -> None:
        self._fields[:] = [field for field in self._fields if field[0] != name]

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields])

    def __len__(self) -> int:
        raise TypeError("object of type 'generator' has no len()")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"FormData({self._fields!r})"

    def append(self, name: str, value: Any, filename: str | None = None) -> None:
        self._fields.append((name, _value(value, filename)))

    def delete(self, name: str) -> None:
        del self[name]

    def get_all(self, name: str) -> list[Any]:
        return [value for key, value in self._fields if key == name]

    def keys(self) -> Iterator[str]:  # type: ignore[override]
        return (name for name, _ in self._fields)

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        return (value for _, value in self._fields)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        return ((name, value) for name, value in self._fields)

    def _as_body(self) -> tuple[bytes, str]:
        boundary = f"----form-{os.urandom(12).hex()}"
        written = b"".join(_written(boundary, name, value) for name, value in self._fields)
        return written + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _value(value: Any, filename: str | None) -> Any:
    blob = _as_blob(value)
    if blob is None:
        return js_text(value)
    if filename is None:
        return blob
    return File(blob, filename)


def _written(boundary: str, name: str, value: Any) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
    if isinstance(value, str):
        return f"{head}\r\n\r\n{value}\r\n".encode()
    filename = value.name if isinstance(value, File) else "blob"
    content_type: str = value.content_type or "application/octet-stream"
    head += f'; filename="{_quoted(filename)}"\r\nContent-Type: {content_type}'
    return b"%b\r\n\r\n%b\r\n" % (head.encode(), value._content)


def _quoted(text: str) -> str:
    return re.sub(r'[\r\n"]', lambda found: _BREAK[found[0]], text)


def parse_form(content: bytes, content_type: str | None) -> FormData:
    """The form in a body. Raises TypeError when there is none."""
    form = FormData()
    match (content_type or "").partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            text = content.decode("utf-8", "replace")
            form._fields += parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=None)
        case "multipart/form-data":
            boundary = parameter(content_type or "", "boundary")
            if not boundary:
                raise TypeError(
                    "No boundary string in Content-Type header. The multipart/form-data MIME type requires one."
                )
            form._fields += _parts(content, b"--" + boundary.encode())
        case _:
            raise TypeError(
                f'Unrecognized Content-Type header value: "{content_type or ""}". FormData can only parse'
                " multipart/form-data and application/x-www-form-urlencoded."
            )
    return form


def _parts(content: bytes, delimiter: bytes) -> Iterator[tuple[str, Any]]:
    pieces = (b"\r\n" + content).split(b"\r\n" + delimiter)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise TypeError("No end boundary in the multipart/form-data body: it is cut short.")
    for piece in pieces[1:-1]:
        head, found, value = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = _header(head, "content-disposition")
        name = parameter(disposition, "name")
        if not found or name is None:
            raise TypeError("A part of the multipart/form-data body has no Content-Disposition header with a name.")
        yield _plain(name), _field(value, parameter(disposition, "filename"), _header(head, "content-type"))


def _field(value: bytes, filename: str | None, content_type: str) -> Any:
    if filename is None:
        return value.decode("utf-8", "replace")
    return File(value, _plain(filename), content_type or "application/octet-stream")


def _header(head: bytes, wanted: str) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == wanted:
            return value.strip()
    return ""


def _plain(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
