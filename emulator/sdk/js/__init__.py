"""
JavaScript's globals, as far as Python code uses them.

Each part is imported when its first name is used. A name that is not here says so, and what to use instead.
"""

import importlib
import sys
from typing import Any

_NAMES = {
    "objects": "Array Map Object Set",
    "web": "Blob File FormData Headers Request Response fetch",
    "url": "URL URLSearchParams encodeURI encodeURIComponent",
    "dates": "Date",
    "promise": "Promise clearInterval clearTimeout queueMicrotask setInterval setTimeout",
    "values": "JSON TextDecoder TextEncoder atob btoa console crypto performance structuredClone undefined",
    "../workers/streams": "ReadableStream",
    "../workers/buffers": (
        "ArrayBuffer BigInt64Array BigUint64Array Float32Array Float64Array Int16Array Int32Array Int8Array"
        " Uint16Array Uint32Array Uint8Array Uint8ClampedArray"
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
_ERRORS = ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError")

_INSTEAD = {
    "AbortController": "cancel the task that awaits, or use asyncio.timeout()",
    "AbortSignal": "cancel the task that awaits, or use asyncio.timeout()",
    "DataView": "use the struct module",
    "Function": "the platform forbids code made from text as well",
    "HTMLRewriter": "use a Python parser such as html.parser",
    "Math": "use the math module",
    "Number": "use int and float",
    "RegExp": "use the re module",
    "String": "use str",
    "TransformStream": "pass an async generator to Response(...)",
    "WebSocket": "use a Python package such as websockets",
    "WebSocketPair": "web sockets are not emulated",
    "WritableStream": "pass an async generator to Response(...)",
    "caches": "keep values in a dict of the module: there is no cache to share locally",
    "eval": "the platform forbids code made from text as well",
    "process": "use os.environ and sys",
}


def __getattr__(name: str) -> Any:
    if name == "globalThis":
        return sys.modules[__name__]
    found = _error_class(name) if name in _ERRORS else _found(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*_HOMES, *_ERRORS, "globalThis"])


def _found(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise _missing(name)
    package = "emulator.sdk." + (home[3:].replace("/", ".") if home.startswith("../") else f"js.{home}")
    return getattr(importlib.import_module(package), name)


def _error_class(name: str) -> Any:
    return importlib.import_module("emulator.sdk.js.values").Error(name)


def _missing(name: str) -> Exception:
    instead = f"; {_INSTEAD[name]}" if name in _INSTEAD else ""
    text = (
        f"js.{name} is not emulated: there is no JavaScript engine here, only stand-ins for its common names{instead}"
    )
    # `from js import X` asks with hasattr() first: only there can an ImportError carry this text.
    if not name.startswith("__") and sys._getframe(3).f_code.co_name == "_handle_fromlist":
        return ImportError(text, name=name)
    return AttributeError(text, name=name)
