"""`Request`, `Response` and `fetch` in JavaScript's spelling, over those of `workers`."""

from __future__ import annotations

import json
from typing import Any

from emulator.sdk import workers
from emulator.sdk.js.forms import blob_object, form_object
from emulator.sdk.js.headers import Headers, or_js_error
from emulator.sdk.js.promise import Promise
from emulator.sdk.js.values import from_json
from emulator.sdk.workers.body import Content
from emulator.sdk.workers.buffers import Uint8Array
from emulator.sdk.workers.headers import Pairs
from emulator.sdk.workers.message import Message
from emulator.sdk.workers.proxy import JsProxy, jsnull, options_of


class _JsMessage(JsProxy):
    """What requests and responses share."""

    _inner: Message

    @property
    def headers(self) -> Any:
        made = Headers.new()
        made._pairs = self._inner._pairs
        return made

    @property
    def body(self) -> Any:
        return self._inner._body.stream or jsnull

    @property
    def bodyUsed(self) -> bool:
        return self._inner.body_used

    def text(self) -> Any:
        return Promise.resolve(self._inner.text())

    def json(self) -> Any:
        async def read() -> Any:
            return from_json(await self._inner.text())

        return Promise.resolve(read())

    def bytes(self) -> Any:
        async def read() -> Any:
            return Uint8Array.new(await self._inner.bytes())

        return Promise.resolve(read())

    def arrayBuffer(self) -> Any:
        return Promise.resolve(self._inner.buffer())

    def blob(self) -> Any:
        async def read() -> Any:
            return blob_object(await self._inner.blob())

        return Promise.resolve(read())

    def formData(self) -> Any:
        async def read() -> Any:
            return form_object(await self._inner.form_data())

        return Promise.resolve(read())


class Request(_JsMessage):
    """A request. developer.mozilla.org/docs/Web/API/Request"""

    def __init__(self, given: Any, options: Any = None) -> None:
        inner = getattr(given, "_request", given)
        self._request = self._inner = or_js_error(workers.Request, inner, **options_of(options))

    @property
    def url(self) -> str:
        return str(self._request.url)

    @property
    def method(self) -> str:
        return str(self._request._method)

    @property
    def redirect(self) -> str:
        return str(self._request.redirect)

    @property
    def cf(self) -> Any:
        return self._request.cf

    @property
    def js_object(self) -> Any:
        return self

    def clone(self) -> Any:
        return request_object(self._request.clone())


class Response(_JsMessage):
    """A response. developer.mozilla.org/docs/Web/API/Response"""

    _response: Any
    _inner: Any

    def __init__(self, body: Any = None, options: Any = None) -> None:
        given = options_of(options)
        self._response = self._inner = or_js_error(
            workers.Response,
            body,
            status=given.get("status"),
            status_text=given.get("statusText", ""),
            headers=given.get("headers"),
            web_socket=given.get("webSocket"),
        )

    @property
    def status(self) -> int:
        return int(self._response.status)

    @property
    def statusText(self) -> str:
        return str(self._response.status_text)

    @property
    def ok(self) -> bool:
        return bool(self._response.ok)

    @property
    def url(self) -> str:
        return str(self._response.url)

    @property
    def redirected(self) -> bool:
        return bool(self._response.redirected)

    @property
    def type(self) -> str:
        return str(self._response.type)

    @property
    def webSocket(self) -> Any:
        return self._response.web_socket or jsnull

    @property
    def web_socket(self) -> Any:
        return self._response.web_socket

    @property
    def js_object(self) -> Any:
        return self

    def clone(self) -> Any:
        return response_object(self._response.clone())

    @staticmethod
    def redirect(url: Any, status: int = 302) -> Any:
        return response_object(or_js_error(workers.Response.redirect, url, status))

    def _outgoing(self) -> tuple[int, Pairs, Content]:
        found: tuple[int, Pairs, Content] = self._response._outgoing()
        return found


class _JsonOfResponse:
    """`Response.json(data)` makes a response, `response.json()` reads one."""

    def __get__(self, response: Response | None, owner: Any) -> Any:
        return _response_of_json if response is None else super(Response, response).json


Response.json = _JsonOfResponse()  # type: ignore[method-assign, assignment]


def fetch(resource: Any, options: Any = None, **more: Any) -> Any:
    """Ask another server; the answer is a `Response`."""

    async def ask() -> Any:
        return response_object(
            await workers.fetch(getattr(resource, "_request", resource), **options_of(options), **more)
        )

    return Promise.resolve(ask())


def request_object(request: workers.Request) -> Any:
    made = object.__new__(Request)
    made._request = made._inner = request
    return made


def response_object(response: workers.FetchResponse) -> Any:
    made = object.__new__(Response)
    made._response = made._inner = response
    return made


def to_sdk(value: JsProxy) -> Any:
    """The class of `workers` over a JavaScript object, where there is one."""
    for attribute in ("_request", "_response", "_form", "_blob"):
        inner = value.__dict__.get(attribute)
        if inner is not None:
            return inner
    return value


def _response_of_json(data: Any, options: Any = None, **more: Any) -> Any:
    given = {**options_of(options), **more}
    text = json.dumps(data.to_py() if hasattr(data, "to_py") else data, separators=(",", ":"), ensure_ascii=False)
    made = Response.new(text, given)
    headers = Headers.new(given.get("headers"))
    if not headers.has("content-type"):
        headers.set("content-type", "application/json")
    made._response._pairs = headers._pairs
    return made
