"""`Request`, `Response`, `Headers`, `FormData`, `Blob` and `File` in JavaScript's spelling, over those of `workers`."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from emulator.sdk import workers
from emulator.sdk.js.arrays import array
from emulator.sdk.js.promise import Promise
from emulator.sdk.js.values import from_json
from emulator.sdk.workers.body import Content
from emulator.sdk.workers.buffers import ArrayBuffer, Uint8Array
from emulator.sdk.workers.headers import Pairs, find, joined, to_pairs
from emulator.sdk.workers.message import Message
from emulator.sdk.workers.proxy import JsException, JsProxy, jsnull, options_of


class Headers(JsProxy):
    """HTTP headers. developer.mozilla.org/docs/Web/API/Headers"""

    def __init__(self, given: Any = None) -> None:
        found = list(given) if isinstance(given, Iterator | type({}.items())) else given
        self._pairs: Pairs = _or_js_error(to_pairs, found)

    def get(self, name: str) -> Any:
        found = find(self._pairs, name.lower())
        return jsnull if found is None else found

    def getAll(self, name: str) -> Any:
        return array(value for key, value in self._pairs if key == name.lower())

    def getSetCookie(self) -> Any:
        return self.getAll("set-cookie")

    def has(self, name: str) -> bool:
        return find(self._pairs, name.lower()) is not None

    def set(self, name: str, value: Any) -> None:
        pairs = _or_js_error(to_pairs, [(name, value)])
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != name.lower()] + pairs

    def append(self, name: str, value: Any) -> None:
        self._pairs += _or_js_error(to_pairs, [(name, value)])

    def delete(self, name: str) -> None:
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != name.lower()]

    def entries(self) -> Iterator[tuple[str, str]]:
        return iter(sorted(joined(self._pairs), key=lambda pair: pair[0]))

    def keys(self) -> Iterator[str]:
        return iter([name for name, _ in self.entries()])

    def values(self) -> Iterator[str]:
        return iter([value for _, value in self.entries()])

    def forEach(self, function: Callable[..., Any]) -> None:
        for name, value in self.entries():
            function(value, name, self)

    __iter__ = entries

    def __contains__(self, name: str) -> bool:
        return self.has(name)


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
        return _promise(self._inner.text())

    def json(self) -> Any:
        async def read() -> Any:
            return from_json(await self._inner.text())

        return _promise(read())

    def bytes(self) -> Any:
        async def read() -> Any:
            return Uint8Array.new(await self._inner.bytes())

        return _promise(read())

    def arrayBuffer(self) -> Any:
        return _promise(self._inner.buffer())

    def blob(self) -> Any:
        async def read() -> Any:
            return blob_object(await self._inner.blob())

        return _promise(read())

    def formData(self) -> Any:
        async def read() -> Any:
            return form_object(await self._inner.form_data())

        return _promise(read())


class Request(_JsMessage):
    """A request. developer.mozilla.org/docs/Web/API/Request"""

    def __init__(self, given: Any, options: Any = None) -> None:
        inner = getattr(given, "_request", given)
        self._request = self._inner = _or_js_error(workers.Request, inner, **options_of(options))

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
        self._response = self._inner = _or_js_error(
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
        return response_object(_or_js_error(workers.Response.redirect, url, status))

    def _outgoing(self) -> tuple[int, Pairs, Content]:
        found: tuple[int, Pairs, Content] = self._response._outgoing()
        return found


class _JsonOfResponse:
    """`Response.json(data)` makes a response, `response.json()` reads one."""

    def __get__(self, response: Response | None, owner: Any) -> Any:
        return _response_of_json if response is None else super(Response, response).json


Response.json = _JsonOfResponse()  # type: ignore[method-assign, assignment]


class FormData(JsProxy):
    """The fields of a form. developer.mozilla.org/docs/Web/API/FormData"""

    def __init__(self) -> None:
        self._form = workers.FormData()

    def get(self, name: str) -> Any:
        return _js_field(self._form[name])

    def getAll(self, name: str) -> Any:
        return array(map(_js_field, self._form.get_all(name)))

    def has(self, name: str) -> bool:
        return name in self._form

    def set(self, name: str, value: Any) -> None:
        self._form[name] = value

    def append(self, name: str, value: Any, filename: str | None = None) -> None:
        self._form.append(name, value, filename)

    def delete(self, name: str) -> None:
        del self._form[name]

    def keys(self) -> Iterator[str]:
        return self._form.keys()

    def entries(self) -> Iterator[tuple[str, Any]]:
        return ((name, _js_field(value)) for name, value in self._form.items())

    __iter__ = entries

    def _as_body(self) -> tuple[bytes, str]:
        return self._form._as_body()


class Blob(JsProxy):
    """Bytes with a type. developer.mozilla.org/docs/Web/API/Blob"""

    _blob: workers.Blob

    def __init__(self, parts: Any = (), options: Any = None) -> None:
        self._blob = workers.Blob(list(parts), options_of(options).get("type"))

    @property
    def size(self) -> int:
        return self._blob.size

    @property
    def type(self) -> str:
        return self._blob.content_type

    def text(self) -> Any:
        return _promise(self._blob.text())

    def arrayBuffer(self) -> Any:
        async def read() -> Any:
            return ArrayBuffer.new(self._blob._content)

        return _promise(read())

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> Any:
        return blob_object(self._blob.slice(start, end, content_type))

    def _as_body(self) -> tuple[bytes, str | None]:
        return self._blob._content, self._blob.content_type or None


class File(Blob):
    """A blob with a name. developer.mozilla.org/docs/Web/API/File"""

    _blob: workers.File

    def __init__(self, parts: Any, name: str, options: Any = None) -> None:
        given = options_of(options)
        self._blob = workers.File(list(parts), name, given.get("type"), last_modified=given.get("lastModified"))

    @property
    def name(self) -> str:
        return self._blob.name

    @property
    def lastModified(self) -> int:
        return self._blob.last_modified


def fetch(resource: Any, options: Any = None, **more: Any) -> Any:
    """Ask another server; the answer is a `Response`."""

    async def ask() -> Any:
        return response_object(
            await workers.fetch(getattr(resource, "_request", resource), **options_of(options), **more)
        )

    return _promise(ask())


def request_object(request: workers.Request) -> Any:
    made = object.__new__(Request)
    made._request = made._inner = request
    return made


def response_object(response: workers.FetchResponse) -> Any:
    made = object.__new__(Response)
    made._response = made._inner = response
    return made


def form_object(form: workers.FormData) -> Any:
    made = object.__new__(FormData)
    made._form = form
    return made


def blob_object(blob: workers.Blob) -> Any:
    made = object.__new__(File if isinstance(blob, workers.File) else Blob)
    made._blob = blob
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


def _js_field(value: Any) -> Any:
    return blob_object(value) if isinstance(value, workers.Blob) else value


def _promise(work: Coroutine[Any, Any, Any]) -> Any:
    return Promise.resolve(work)


def _or_js_error(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """JavaScript's own classes raise JavaScript's errors."""
    try:
        return function(*arguments, **options)
    except TypeError as error:
        raise JsException("TypeError", str(error)) from error
    except ValueError as error:
        raise JsException("RangeError", str(error)) from error
