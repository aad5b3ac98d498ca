"""`URL` and `URLSearchParams`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote_to_bytes, urlencode, urlunsplit

from emulator.sdk.workers.proxy import JsException, JsProxy, js_text, jsnull, options_of
from emulator.sdk.workers.urls import PORTS, parse

# What separates the parts of a URL: encodeURI and decodeURI leave it as it is.
_RESERVED = ";/?:@&=+$,#"


class URL(JsProxy):
    """An absolute URL and its parts. developer.mozilla.org/docs/Web/API/URL"""

    _parts: SplitResult

    def __init__(self, url: Any, base: Any = None) -> None:
        try:
            self._parts = parse(js_text(url), None if base is None else str(base))
        except TypeError as error:
            raise JsException("TypeError", str(error)) from None
        self.searchParams: Any = _search_params(self)

    @staticmethod
    def parse(url: Any, base: Any = None) -> Any:
        """The URL, or null for what is none."""
        return URL.new(url, base) if URL.canParse(url, base) else jsnull

    @staticmethod
    def canParse(url: Any, base: Any = None) -> bool:
        try:
            parse(js_text(url), None if base is None else str(base))
        except TypeError:
            return False
        return True

    @property
    def href(self) -> str:
        return urlunsplit(self._parts)

    @property
    def origin(self) -> str:
        return f"{self._parts.scheme}://{self.host}" if self._parts.scheme in PORTS else "null"

    @property
    def protocol(self) -> str:
        return f"{self._parts.scheme}:"

    @protocol.setter
    def protocol(self, text: str) -> None:
        self._change(scheme=text.rstrip(":"))

    @property
    def host(self) -> str:
        return self._parts.netloc.rpartition("@")[2]

    @host.setter
    def host(self, text: str) -> None:
        user, at, _ = self._parts.netloc.rpartition("@")
        self._change(netloc=f"{user}{at}{text}")

    @property
    def hostname(self) -> str:
        host = self._parts.hostname or ""
        return f"[{host}]" if ":" in host else host

    @hostname.setter
    def hostname(self, text: str) -> None:
        self.host = f"{text}:{self.port}" if self.port else text

    @property
    def port(self) -> str:
        return "" if self._parts.port is None else str(self._parts.port)

    @port.setter
    def port(self, number: Any) -> None:
        self.host = f"{self.hostname}:{number}" if str(number) else self.hostname

    @property
    def username(self) -> str:
        return self._parts.username or ""

    @property
    def password(self) -> str:
        return self._parts.password or ""

    @property
    def pathname(self) -> str:
        return self._parts.path

    @pathname.setter
    def pathname(self, text: str) -> None:
        self._change(path=text if text.startswith("/") else f"/{text}")

    @property
    def search(self) -> str:
        return f"?{self._parts.query}" if self._parts.query else ""

    @search.setter
    def search(self, text: str) -> None:
        self._change(query=text.removeprefix("?"))
        self.searchParams._pairs[:] = _parsed(self._parts.query)

    def _hash(self) -> str:
        return f"#{self._parts.fragment}" if self._parts.fragment else ""

    def _set_hash(self, text: str) -> None:
        self._change(fragment=text.removeprefix("#"))

    hash = property(_hash, _set_hash)

    def toString(self) -> str:
        return self.href

    toJSON = toString
    __str__ = toString
    __repr__ = toString

    def _change(self, **parts: str) -> None:
        self._parts = parse(urlunsplit(self._parts._replace(**parts)))


class URLSearchParams(JsProxy):
    """The fields of a query. developer.mozilla.org/docs/Web/API/URLSearchParams"""

    _url: URL | None = None

    def __init__(self, given: Any = None) -> None:
        if isinstance(given, str):
            self._pairs = _parsed(given.removeprefix("?"))
        elif hasattr(given, "_pairs"):
            self._pairs = list(given._pairs)
        elif isinstance(given, list):
            self._pairs = [(js_text(name), js_text(value)) for name, value in given]
        else:
            self._pairs = [(js_text(name), js_text(value)) for name, value in options_of(given).items()]

    @property
    def size(self) -> int:
        return len(self._pairs)

    def get(self, name: str) -> Any:
        return next((value for key, value in self._pairs if key == name), jsnull)

    def getAll(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self._pairs)

    def append(self, name: str, value: Any) -> None:
        self._changed([*self._pairs, (name, js_text(value))])

    def delete(self, name: str) -> None:
        self._changed([pair for pair in self._pairs if pair[0] != name])

    def set(self, name: str, value: Any) -> None:
        new = (name, js_text(value))
        first = next((index for index, (key, _) in enumerate(self._pairs) if key == name), len(self._pairs))
        rest = [pair for pair in self._pairs[first:] if pair[0] != name]
        self._changed([*self._pairs[:first], new, *rest])

    def sort(self) -> None:
        self._changed(sorted(self._pairs, key=lambda pair: pair[0]))

    def keys(self) -> Iterator[str]:
        return iter([name for name, _ in self._pairs])

    def values(self) -> Iterator[str]:
        return iter([value for _, value in self._pairs])

    def entries(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._pairs))

    __iter__ = entries

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: str) -> bool:
        return self.has(name)

    def forEach(self, function: Callable[..., Any]) -> None:
        for name, value in self.entries():
            function(value, name, self)

    def toString(self) -> str:
        return urlencode(self._pairs, safe="*")

    __str__ = toString
    __repr__ = toString

    def _as_body(self) -> tuple[bytes, str]:
        return self.toString().encode(), "application/x-www-form-urlencoded;charset=UTF-8"

    def _changed(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs[:] = pairs
        if self._url is not None:
            self._url._change(query=self.toString())


def encodeURIComponent(text: Any) -> str:
    return quote(js_text(text), safe="!'()*-._~")


def encodeURI(text: Any) -> str:
    return quote(js_text(text), safe="!'()*-._~" + _RESERVED)


def decodeURIComponent(text: Any) -> str:
    """Raises JsException, a URIError, for what is no encoded UTF-8."""
    if re.search(r"%(?![0-9a-fA-F]{2})", js_text(text)):
        raise JsException("URIError", "URI malformed")
    try:
        return unquote_to_bytes(js_text(text)).decode()
    except UnicodeDecodeError:
        raise JsException("URIError", "URI malformed") from None


def decodeURI(text: Any) -> str:
    """The same, but what separates the parts of a URL stays encoded."""
    kept = re.sub(f"%({'|'.join(f'{ord(each):02x}' for each in _RESERVED)})", r"%25\1", js_text(text), flags=re.I)
    return decodeURIComponent(kept)


def _search_params(url: URL) -> Any:
    made = URLSearchParams.new(url._parts.query)
    made._url = url
    return made


def _parsed(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="replace")
