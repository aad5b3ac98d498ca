"""What kinds of JavaScript objects there are: classes to ask `isinstance` with, by what an object can do."""

from __future__ import annotations

from typing import Any

from emulator.sdk.workers.proxy import JsNull, JsProxy


class _Kind(type):
    """`isinstance` looks for methods, as Pyodide's flags do."""

    needs: tuple[str, ...] = ()

    def __instancecheck__(cls, thing: Any) -> bool:
        is_js = isinstance(thing, JsProxy) and not isinstance(thing, JsNull | type)
        return is_js and all(hasattr(thing, name) for name in cls.needs)


class JsCallable(metaclass=_Kind):
    needs = ("__call__",)


class JsCallableDoubleProxy(metaclass=_Kind):
    needs = ("__call__", "unwrap")


class JsIterable(metaclass=_Kind):
    needs = ("__iter__",)


class JsIterator(metaclass=_Kind):
    needs = ("__next__",)


class JsGenerator(metaclass=_Kind):
    needs = ("__next__", "send")


class JsAsyncIterable(metaclass=_Kind):
    needs = ("__aiter__",)


class JsAsyncIterator(metaclass=_Kind):
    needs = ("__anext__",)


class JsAsyncGenerator(metaclass=_Kind):
    needs = ("__anext__", "asend")


class JsFetchResponse(metaclass=_Kind):
    needs = ("status", "headers", "arrayBuffer")


class JsDomElement(metaclass=_Kind):
    needs = ("tagName", "parentNode")


class JsWeakRef(metaclass=_Kind):
    needs = ("deref",)


class JsBigInt(int):
    """A whole number of any size."""


class ToJsConverter:
    """What `default_converter` of `to_js` is handed; for annotations."""
