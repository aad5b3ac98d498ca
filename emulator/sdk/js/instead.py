"""Names of the platform's `js` that are not emulated, with what to use instead."""

from __future__ import annotations

_EVENT = "write a class Default(WorkerEntrypoint) with fetch, scheduled or queue"
_ONE_THREAD = "a worker has one thread; any Python object will do"
_TEXT = "decode and encode the pieces with TextDecoder and TextEncoder"
_WEAK = "use the module weakref"

INSTEAD = {
    "AggregateError": "raise an ExceptionGroup",
    "Atomics": _ONE_THREAD,
    "BigInt": "use int",
    "ByteLengthQueuingStrategy": "a stream here takes one piece at a time",
    "Cache": "use caches",
    "CacheStorage": "use caches",
    "CountQueuingStrategy": "a stream here takes one piece at a time",
    "DurableObject": "derive from workers.DurableObject",
    "DigestStream": "it is crypto.DigestStream",
    "EventSource": "read the pieces of the body that fetch() answers",
    "ExtendableEvent": _EVENT,
    "FetchEvent": _EVENT,
    "Float16Array": "use Float32Array",
    "Function": "the platform forbids code made from text as well",
    "Intl": "use a Python package, such as babel",
    "Iterator": "use Python's iterators and itertools",
    "MessageChannel": "use asyncio.Queue",
    "MessagePort": "use asyncio.Queue",
    "Performance": "use performance",
    "PromiseRejectionEvent": "an exception that nobody awaits is shown in the terminal",
    "Proxy": "write a class with __getattr__",
    "ReadableStreamBYOBReader": "use getReader(), or `async for` over the stream",
    "ReadableStreamDefaultReader": "use getReader() of a ReadableStream",
    "Reflect": "use getattr() and setattr()",
    "RpcTarget": 'it is workers.import_from_javascript("cloudflare:workers").RpcTarget',
    "ScheduledEvent": _EVENT,
    "SharedArrayBuffer": _ONE_THREAD,
    "Symbol": "use a Python object() of your own",
    "TextDecoderStream": _TEXT,
    "TextEncoderStream": _TEXT,
    "URLPattern": "use the module re, or the routes of a framework",
    "WeakMap": _WEAK,
    "WeakRef": _WEAK,
    "WeakSet": _WEAK,
    "WebAssembly": "use a Python package that brings its own wheel",
    "WebSocketRequestResponsePair": "durable objects are not emulated",
    "XMLHttpRequest": "use fetch",
    "addEventListener": _EVENT,
    "alert": "a worker has no page; use console.log()",
    "document": "a worker has no page; make HTML as text",
    "escape": "use encodeURIComponent",
    "eval": "the platform forbids code made from text as well",
    "localStorage": "keep values in a binding",
    "null": "use pyodide.ffi.jsnull",
    "process": "use os.environ and sys",
    "reportError": "use console.error()",
    "require": "there are no JavaScript modules here; import a Python one",
    "sessionStorage": "keep values in a binding",
    "setImmediate": "use queueMicrotask",
    "unescape": "use decodeURIComponent",
    "window": "use globalThis",
}


def why(name: str) -> str:
    """What an error about this name says."""
    instead = f"; {INSTEAD[name]}" if name in INSTEAD else ""
    return (
        f"js.{name} is not emulated: there is no JavaScript engine here, only stand-ins for its common names{instead}"
    )
