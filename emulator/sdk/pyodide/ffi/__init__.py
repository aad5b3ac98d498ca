"""Conversions between Python and JavaScript, and the types of JavaScript values."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from emulator.sdk.js.convert import ConversionError, to_js
from emulator.sdk.js.objects import Array as JsArray
from emulator.sdk.js.objects import Map as JsMap
from emulator.sdk.js.promise import Promise as JsPromise
from emulator.sdk.js.proxies import JsDoubleProxy, JsOnceCallable, create_once_callable, create_proxy, destroy_proxies
from emulator.sdk.workers.buffers import Buffer as JsBuffer
from emulator.sdk.workers.buffers import TypedArray as JsTypedArray
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, jsnull

__all__ = [
    "IN_BROWSER",
    "ConversionError",
    "JsArray",
    "JsBuffer",
    "JsDoubleProxy",
    "JsException",
    "JsMap",
    "JsMutableMap",
    "JsNull",
    "JsOnceCallable",
    "JsPromise",
    "JsProxy",
    "JsTypedArray",
    "can_run_sync",
    "create_once_callable",
    "create_proxy",
    "destroy_proxies",
    "jsnull",
    "run_sync",
    "to_js",
]

IN_BROWSER = True
JsMutableMap = JsMap


def can_run_sync() -> bool:
    """Whether `run_sync` can be used: never here."""
    return False


def run_sync(awaitable: Awaitable[Any], /) -> Any:
    """Wait for something from code that is not async. Plain CPython cannot; raises RuntimeError."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
    raise RuntimeError(
        "run_sync() is not emulated: plain CPython cannot switch stacks in the middle of a call."
        " Make the functions on the way async and await the value"
    )
