"""
JavaScript's globals, as far as Python code uses them.

Each part is imported when its first name is used. A name that is not here says so, and what to use instead.
"""

import sys
from typing import Any

from emulator.sdk.workers.absent import absent
from emulator.sdk.workers.later import part

_NAMES = {
    "js.arrays": "Array",
    "js.objects": "Map Object Set",
    "js.forms": "Blob File FormData",
    "js.headers": "Headers",
    "js.web": "Request Response fetch",
    "js.url": "URL URLSearchParams decodeURI decodeURIComponent encodeURI encodeURIComponent",
    "js.abort": "AbortController AbortSignal",
    "js.cache": "caches",
    "js.compression": "CompressionStream DecompressionStream",
    "js.dates": "Date",
    "js.numbers": "Boolean Infinity Math NaN Number RegExp String isFinite isNaN parseFloat parseInt",
    "js.pipes": "FixedLengthStream IdentityTransformStream TransformStream WritableStream",
    "js.rewriter": "HTMLRewriter",
    "js.promise": "Promise clearInterval clearTimeout queueMicrotask scheduler setInterval setTimeout",
    "js.values": (
        "DOMException JSON TextDecoder TextEncoder atob btoa console navigator performance structuredClone undefined"
    ),
    "js.webcrypto": "Crypto CryptoKey SubtleCrypto crypto",
    "workers.streams": "ReadableStream",
    "workers.sockets": "WebSocket WebSocketPair",
    "workers.events": "CloseEvent ErrorEvent Event EventTarget MessageEvent",
    "workers.buffers": (
        "ArrayBuffer BigInt64Array BigUint64Array DataView Float32Array Float64Array Int16Array Int32Array Int8Array"
        " Uint16Array Uint32Array Uint8Array Uint8ClampedArray"
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
_ERRORS = ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError")
_SELF = ("globalThis", "self")


def __getattr__(name: str) -> Any:
    if name in _SELF:
        return sys.modules[__name__]
    if name in _ERRORS:
        found = part("js.values").Error(name)
    elif name in _HOMES:
        found = getattr(part(_HOMES[name]), name)
    else:
        raise absent(name, part("js.instead").why(name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*_HOMES, *_ERRORS, *_SELF])
