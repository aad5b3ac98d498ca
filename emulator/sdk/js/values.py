"""`JSON`, `Error`, `console`, text encoders and other small things."""

from __future__ import annotations

import base64
import json
import sys
import time
import traceback
from typing import Any

from emulator.sdk.js.arrays import Array, array
from emulator.sdk.js.dates import Date
from emulator.sdk.js.objects import Object
from emulator.sdk.workers.buffers import TypedArray, Uint8Array
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, js_text, jsnull, options_of

undefined = None


def from_json(text: str) -> Any:
    """What `JSON.parse` makes of a text. Raises JsException, a SyntaxError, for what is no JSON."""
    try:
        return _revive(json.loads(text))
    except ValueError as error:
        raise JsException("SyntaxError", str(error)) from None


def _revive(value: Any) -> Any:
    match value:
        case None:
            return jsnull
        case dict():
            return Object.fromEntries((key, _revive(item)) for key, item in value.items())
        case list():
            return array(map(_revive, value))
        case _:
            return value


def _plain(value: Any) -> Any:
    if isinstance(value, Date):
        return value.toJSON()
    if isinstance(value, JsNull):
        return None
    if isinstance(value, TypedArray):
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, Object | Array):
        return value.to_py(depth=1)
    # Maps, sets and instances of other classes have no fields of their own.
    return {}


class _Json(JsProxy):
    """`JSON`"""

    def parse(self, text: Any, reviver: Any = None) -> Any:
        return from_json(js_text(text))

    def stringify(self, value: Any, replacer: Any = None, space: int | str | None = None) -> Any:
        if value is None:
            return None
        compact = (",", ": ") if space else (",", ":")
        return json.dumps(value, default=_plain, separators=compact, indent=space or None, ensure_ascii=False)


class Error:
    """A class of JavaScript errors: `Error.new("text")` is a JsException, which can be raised."""

    stackTraceLimit = 10

    def __init__(self, name: str) -> None:
        self.name = name

    def new(self, message: Any = "", options: Any = None) -> JsException:
        stack = "".join(traceback.format_stack(sys._getframe(1), limit=10))
        return JsException(self.name, js_text(message) if message != "" else "", stack)

    __call__ = new

    def __repr__(self) -> str:
        return f"[class {self.name}]"


class _DomException:
    """`DOMException`: an error whose name is told apart, such as `AbortError`."""

    def new(self, message: Any = "", name: str = "Error") -> JsException:
        return JsException(name, js_text(message))


class _Navigator(JsProxy):
    """`navigator`"""

    userAgent = "Cloudflare-Workers"
    language = "en"
    hardwareConcurrency = 1


class Console(JsProxy):
    """Prints: `log`, `info` and `debug` to the output, `warn` and `error` to the error output."""

    def log(self, *things: Any) -> None:
        print(*map(_shown, things))  # noqa: T201 - this is what a console is for

    def error(self, *things: Any) -> None:
        print(*map(_shown, things), file=sys.stderr)  # noqa: T201

    info = debug = trace = dir = table = group = log
    warn = error

    def groupEnd(self) -> None:
        """Groups are not indented."""

    def assert_(self, condition: Any, *things: Any) -> None:
        if not condition:
            self.error("Assertion failed", *things)

    def time(self, label: str = "default") -> None:
        self.__dict__.setdefault("_since", {})[label] = time.perf_counter()

    def timeEnd(self, label: str = "default") -> None:
        since = self.__dict__.get("_since", {}).pop(label, None)
        if since is not None:
            self.log(f"{label}: {(time.perf_counter() - since) * 1000:.0f}ms")


def _shown(thing: Any) -> str:
    if isinstance(thing, Object | Array):
        return str(JSON.stringify(thing))
    return js_text(thing)


class TextEncoder(JsProxy):
    """Text to UTF-8."""

    encoding = "utf-8"

    def encode(self, text: Any = "") -> Any:
        return Uint8Array.new(js_text(text).encode("utf-8", "replace"))


class TextDecoder(JsProxy):
    """Bytes to text."""

    def __init__(self, encoding: str = "utf-8", options: Any = None) -> None:
        given = options_of(options)
        self.encoding = encoding.lower()
        self.fatal = bool(given.get("fatal"))
        self.ignoreBOM = bool(given.get("ignoreBOM"))

    def decode(self, content: Any = b"") -> str:
        """Raises JsException, a TypeError, for what is no text if it was made `fatal`."""
        try:
            text = bytes(content).decode(self.encoding, "strict" if self.fatal else "replace")
        except UnicodeDecodeError as error:
            raise JsException("TypeError", f"Failed to decode input: {error}") from None
        return text if self.ignoreBOM else text.removeprefix("\ufeff")


class _Performance(JsProxy):
    """`performance`"""

    def now(self) -> float:
        return time.perf_counter() * 1000


def structuredClone(value: Any) -> Any:
    """A deep copy of an object made of plain values."""
    return from_json(JSON.stringify(value)) if isinstance(value, Object | Array) else value


def btoa(text: str) -> str:
    return base64.b64encode(text.encode("latin-1")).decode()


def atob(text: str) -> str:
    return base64.b64decode(text).decode("latin-1")


DOMException = _DomException()
JSON = _Json.new()
console = Console.new()
navigator = _Navigator.new()
performance = _Performance.new()
