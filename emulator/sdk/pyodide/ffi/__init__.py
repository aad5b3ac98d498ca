"""Conversions between Python and JavaScript, and the types of JavaScript values."""

from __future__ import annotations

import sys
from typing import Any

from emulator.sdk.js.arrays import Array as JsArray
from emulator.sdk.js.convert import ConversionError, to_js
from emulator.sdk.js.objects import Map as JsMap
from emulator.sdk.js.promise import Promise as JsPromise
from emulator.sdk.js.proxies import JsDoubleProxy, JsOnceCallable, create_once_callable, create_proxy, destroy_proxies
from emulator.sdk.pyodide.ffi.kinds import (
    JsAsyncGenerator,
    JsAsyncIterable,
    JsAsyncIterator,
    JsBigInt,
    JsCallable,
    JsCallableDoubleProxy,
    JsDomElement,
    JsFetchResponse,
    JsGenerator,
    JsIterable,
    JsIterator,
    JsWeakRef,
    ToJsConverter,
)
from emulator.sdk.workers.absent import absent
from emulator.sdk.workers.buffers import Buffer as JsBuffer
from emulator.sdk.workers.buffers import TypedArray as JsTypedArray
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, jsnull
from emulator.sdk.workers.stacks import can_run_sync, run_sync

__all__ = [
    "IN_BROWSER",
    "IN_PYODIDE",
    "ConversionError",
    "JsArray",
    "JsAsyncGenerator",
    "JsAsyncIterable",
    "JsAsyncIterator",
    "JsBigInt",
    "JsBuffer",
    "JsCallable",
    "JsCallableDoubleProxy",
    "JsDomElement",
    "JsDoubleProxy",
    "JsException",
    "JsFetchResponse",
    "JsGenerator",
    "JsIterable",
    "JsIterator",
    "JsMap",
    "JsMutableMap",
    "JsNull",
    "JsOnceCallable",
    "JsPromise",
    "JsProxy",
    "JsTypedArray",
    "JsWeakRef",
    "ToJsConverter",
    "can_run_sync",
    "create_once_callable",
    "create_proxy",
    "destroy_proxies",
    "jsnull",
    "register_js_module",
    "run_sync",
    "to_js",
    "unregister_js_module",
]

IN_BROWSER = True
IN_PYODIDE = True
JsMutableMap = JsMap


def register_js_module(name: str, jsproxy: Any) -> None:
    """Make an object importable as a module."""
    sys.modules[name] = jsproxy


def unregister_js_module(name: str) -> None:
    """Take back what `register_js_module` did."""
    sys.modules.pop(name, None)


def __getattr__(name: str) -> Any:
    instead = "a worker has no page; use asyncio, or setTimeout of js" if name == "wrappers" else "see dir(pyodide.ffi)"
    raise absent(name, f"pyodide.ffi.{name} is not emulated; {instead}")
