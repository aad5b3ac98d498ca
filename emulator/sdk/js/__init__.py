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
    "abort": "AbortController AbortSignal",
    "cache": "caches",
    "dates": "Date",
    "numbers": "Boolean Math Number RegExp String isNaN parseFloat parseInt",
    "pipes": "TransformStream WritableStream",
    "rewriter": "HTMLRewriter",
    "promise": "Promise clearInterval clearTimeout queueMicrotask setInterval setTimeout",
    "values": "JSON TextDecoder TextEncoder atob btoa console performance structuredClone undefined",
    "webcrypto": "Crypto CryptoKey SubtleCrypto crypto",
    "../workers/streams": "ReadableStream",
    "../workers/sockets": "WebSocket WebSocketPair",
    "../workers/events": "CloseEvent ErrorEvent Event EventTarget MessageEvent",
    "../workers/buffers": (
        "ArrayBuffer BigInt64Array BigUint64Array DataView Float32Array Float64Array Int16Array Int32Array Int8Array"
        " Uint16Array Uint32Array Uint8Array Uint8ClampedArray"
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
_ERRORS = ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError")

_INSTEAD = {
    "BigInt": "use int",
    "DurableObject": "derive from workers.DurableObject",
    "Function": "the platform forbids code made from text as well",
    "RpcTarget": "derive from workers.WorkerEntrypoint, and call its methods over a service binding",
    "WebAssembly": "use a Python package that brings its own wheel",
    "addEventListener": "write a class Default(WorkerEntrypoint) with fetch",
    "document": "a worker has no page; make HTML as text",
    "localStorage": "keep values in a binding",
    "eval": "the platform forbids code made from text as well",
    "process": "use os.environ and sys",
    "require": "there are no JavaScript modules here; import a Python one",
    "window": "use globalThis",
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
