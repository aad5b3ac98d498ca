"""`Response`: what a `fetch` handler returns, and what `fetch()` gives."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .body import Body, Content
from .headers import Pairs, find, joined, to_pairs
from .later import part
from .message import Message, content_of
from .proxy import JsProxy
from .statuses import NO_BODY, REDIRECTS

if TYPE_CHECKING:
    from http import HTTPStatus
    from typing import Protocol, overload

    class _MakeJson(Protocol):
        def __call__(
            self, data: Any, status: HTTPStatus | int = 200, status_text: str = "", headers: Any = None
        ) -> Response: ...


class _Json:
    """`Response.json(data)` makes a response, `response.json()` reads one."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, response: None, owner: type[Any]) -> _MakeJson: ...

        @overload
        def __get__(self, response: Message, owner: type[Any]) -> Callable[[], Awaitable[Any]]: ...

    def __get__(self, response: Message | None, owner: type[Any]) -> Any:
        return owner.from_json if response is None else response._read_json


class FetchResponse(Message):
    """An HTTP response as `fetch()` gives it. developers.cloudflare.com/workers/runtime-apis/response"""

    status: int
    status_text: str
    url: str = ""
    redirected: bool = False
    type: str = "default"
    web_socket: Any = None

    @property
    def js_object(self) -> Any:
        """The same response as `js.Response`."""
        return part("js.web").response_object(self)

    @property
    def js_response(self) -> Any:
        return self.js_object

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def body(self) -> Any:
        """The body as a `ReadableStream`, or None."""
        return self._body.stream

    async def string(self) -> str:
        """The older name of `text()`."""
        return await self.text()

    async def memoryview(self) -> memoryview:
        return memoryview(await self.bytes())

    formData = Message.form_data
    json = _Json()

    def raise_for_status(self) -> None:
        """Raise HttpStatusError, an OSError, for a 4xx or 5xx."""
        if self.status >= 400:
            raise part("workers.errors").HttpStatusError(self.status, self.status_text, self.url)

    def clone(self) -> FetchResponse:
        """A second response with the same body; each is read on its own."""
        return _made(self, self._body.clone())

    def replace_body(self, body: Any) -> Response:
        """A response with the same status and headers, and another body."""
        return _made(self, Body(content_of(body, "Response")[0]))

    def _outgoing(self) -> tuple[int, Pairs, Content]:
        """What leaves: status, headers as they are sent, and the body, complete or as an iterator."""
        return self.status, joined(self._pairs), self._body.take()

    def __repr__(self) -> str:
        shown = {
            "status": self.status,
            "status_text": self.status_text or None,
            "content_type": find(self._pairs, "content-type"),
            "url": self.url or None,
            "type": None if self.type == "default" else self.type,
        }
        return f"Response({', '.join(f'{name}={value!r}' for name, value in shown.items() if value is not None)})"


class Response(FetchResponse):
    """An HTTP response. developers.cloudflare.com/workers/runtime-apis/response"""

    def __init__(
        self,
        body: Any = None,
        status: HTTPStatus | int | None = None,
        status_text: str = "",
        headers: Any = None,
        web_socket: Any = None,
    ) -> None:
        inner = getattr(body, "_response", None)
        if isinstance(inner, FetchResponse):
            if status is not None or status_text or headers:
                raise ValueError("Expected no options when constructing Response from a js.Response")
            self.__dict__.update(inner.__dict__)
            return
        self.status = 200 if status is None else _checked_status(status, web_socket)
        self.status_text = status_text
        if web_socket is not None:
            self.web_socket = web_socket
        content, content_type = content_of(body, "Response")
        if self.status in NO_BODY:
            if content:
                raise TypeError(f"Response with null body status ({self.status}) cannot have a body.")
            content = None
        self._body = Body(content)
        self._pairs = to_pairs(headers)
        if content_type and content is not None and not any(name == "content-type" for name, _ in self._pairs):
            self._pairs.append(("content-type", content_type))

    @staticmethod
    def redirect(url: Any, status: HTTPStatus | int = 302) -> Response:
        """Send the client elsewhere."""
        if status not in REDIRECTS:
            raise ValueError(f"{int(status)} is not a redirect status code.")
        return Response(None, status, headers={"location": part("workers.urls").normal(str(url))})

    @classmethod
    def from_json(
        cls, data: Any, status: HTTPStatus | int = 200, status_text: str = "", headers: Any = None
    ) -> Response:
        """A response with JSON; its content type may be given."""
        response = cls(_json_text(data), status, status_text)
        pairs = to_pairs(headers)
        typed = any(name == "content-type" for name, _ in pairs)
        response._pairs = pairs if typed else [*pairs, ("content-type", "application/json")]
        return response


def _json_text(data: Any) -> str:
    if isinstance(data, JsProxy):
        return json.dumps(data.to_py(), separators=(",", ":"), ensure_ascii=False)
    return json.dumps(data)


def _checked_status(status: int, web_socket: Any) -> int:
    number = int(status)
    if not (200 <= number <= 599 or (number == 101 and web_socket is not None)):
        hint = "; 101 needs web_socket=" if number == 101 else ""
        raise ValueError(f"status must be 200 to 599, got {number}{hint}")
    return number


def _made(like: FetchResponse, body: Body) -> Response:
    made = Response.__new__(Response)
    made.__dict__.update(like.__dict__, _body=body)
    return made


def from_network(status: int, reason: str, pairs: Pairs, content: Content, url: str, redirected: bool) -> Response:
    """The response that came for a request."""
    made = Response.__new__(Response)
    made.status, made.status_text, made.url, made.redirected = status, reason, url, redirected
    made._pairs = pairs
    made._body = Body(None if status in NO_BODY else content)
    return made
