"""HTTP headers: what a worker may pass, what it sees of them, what leaves. Not by the email package: slow to import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .proxy import js_text

Pairs = list[tuple[str, str]]

_NAME = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def to_pairs(headers: Any) -> Pairs:
    """
    Raw pairs, names in lower case, of a dict, a list of pairs or `Headers`.

    Raises TypeError for another type, and ValueError for a name or a value that could not be sent as it is.
    """
    if not headers and not hasattr(headers, "_pairs"):
        return []
    return [(_checked_name(name), _checked_value(name, value)) for name, value in _items(headers)]


def _items(headers: Any) -> Iterable[tuple[Any, Any]]:
    pairs = getattr(headers, "_pairs", None)
    if pairs is not None:
        return list(pairs)
    if isinstance(headers, Mapping):
        return headers.items()
    if isinstance(headers, list | tuple):
        return headers
    to_py = getattr(headers, "to_py", None)
    found = to_py() if callable(to_py) else None
    if isinstance(found, dict | list):
        return _items(found)
    raise TypeError("Received unexpected type for headers argument")


def _checked_name(name: Any) -> str:
    text = js_text(name)
    if not text or not _NAME.issuperset(text):
        raise ValueError(f"invalid header name: {text!r}")
    return text.lower()


def _checked_value(name: Any, value: Any) -> str:
    text = js_text(value).strip(" \t")
    if "\n" in text or "\r" in text or "\0" in text:
        raise ValueError(f"header {name}: a value must not contain a line break or NUL: {text!r}")
    return text


def joined(pairs: Pairs) -> Pairs:
    """Repeated headers as one, separated by commas; only Set-Cookie may stand there several times."""
    if len({name for name, _ in pairs}) == len(pairs):
        return pairs
    once: dict[str, str] = {}
    cookies = []
    for name, value in pairs:
        if name == "set-cookie":
            cookies.append((name, value))
        else:
            once[name] = f"{once[name]}, {value}" if name in once else value
    return cookies + list(once.items())


def _taken_apart(pairs: Pairs) -> Pairs:
    """A header for each part of a value that has commas: what `Request.headers` made of them at first."""
    return [(name, part.strip()) for name, value in pairs for part in value.split(",")]


def find(pairs: Pairs, name: str) -> str | None:
    """The value of a header, repetitions joined; the name in lower case."""
    values = [value for key, value in pairs if key == name]
    return ", ".join(values) if values else None


class HeaderMessage(Mapping[str, Any]):
    """
    The headers of a request or response: a copy, looked up in any case, with the methods of `http.client.HTTPMessage`.

    A missing name gives None, as there.
    """

    def __init__(self, pairs: Pairs, *, apart: bool = False) -> None:
        found = [(name.lower(), value.strip()) for name, value in pairs]
        self._pairs = _taken_apart(found) if apart else joined(found)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __setitem__(self, name: str, value: str) -> None:
        self._pairs = [*self._pairs, (name.lower(), value)]

    def __delitem__(self, name: str) -> None:
        self._pairs = [pair for pair in self._pairs if pair[0] != name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key == name.lower() for key, _ in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._pairs])

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<headers {dict(self._pairs)}>"

    def __str__(self) -> str:
        return "".join(f"{name}: {value}\n" for name, value in self._pairs) + "\n"

    def get(self, name: str, failobj: Any = None) -> Any:
        wanted = name.lower()
        return next((value for key, value in self._pairs if key == wanted), failobj)

    def get_all(self, name: str, failobj: Any = None) -> Any:
        wanted = name.lower()
        return [value for key, value in self._pairs if key == wanted] or failobj

    def keys(self) -> list[str]:  # type: ignore[override]
        return [name for name, _ in self._pairs]

    def values(self) -> list[str]:  # type: ignore[override]
        return [value for _, value in self._pairs]

    def items(self) -> Pairs:  # type: ignore[override]
        return list(self._pairs)

    def add_header(self, name: str, value: str, **parameters: str) -> None:
        self[name] = "; ".join([value, *(f'{key.replace("_", "-")}="{text}"' for key, text in parameters.items())])

    def replace_header(self, name: str, value: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._pairs = [(key, value if key == name.lower() else old) for key, old in self._pairs]

    def get_content_type(self) -> str:
        return str(self.get("content-type", "text/plain")).partition(";")[0].strip().lower()

    def get_content_charset(self, failobj: Any = None) -> Any:
        charset = parameter(self.get("content-type", ""), "charset")
        return failobj if charset is None else charset.lower()


def parameter(value: str, name: str) -> str | None:
    """A parameter of a header such as `multipart/form-data; boundary=x`."""
    found = re.search(rf';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', value, re.IGNORECASE)
    if found is None:
        return None
    quoted, plain = found.groups()
    return plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
