"""`Request`: what a `fetch` handler receives, and what `fetch()` may be given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from . import current
from .body import Body
from .headers import HeaderMessage, Pairs, to_pairs
from .later import part
from .message import Message, content_of
from .proxy import js_text, jsnull
from .rpc import JsDict

if TYPE_CHECKING:
    from http import HTTPMethod

_USUAL = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_BODILESS = frozenset({"GET", "HEAD"})


class Request(Message):
    """An HTTP request. developers.cloudflare.com/workers/runtime-apis/request"""

    _method: str
    _url: str
    _cf: dict[str, Any] | None
    _options: dict[str, Any]

    def __init__(self, input: Any, **options: Any) -> None:  # noqa: A002 - the platform's name
        source, is_js = _source(input)
        if is_js and options:
            raise ValueError("Expected no options when constructing Request from a js.Request")
        if source is None:
            self._begin("GET", part("workers.urls").normal(js_text(input)), [], Body(None), None)
        else:
            body = source._body if is_js or "body" in options else source._body.clone()
            self._begin(source._method, source._url, list(source._pairs), body, source._cf)
            self._options = dict(source._options)
        if options:
            self._apply(options)

    def _begin(self, method: str, url: str, pairs: Pairs, body: Body, cf: dict[str, Any] | None) -> None:
        self._method = method
        self._url = url
        self._pairs = pairs
        self._body = body
        self._cf = cf
        self._options = {}

    def _apply(self, options: dict[str, Any]) -> None:
        self._options |= options
        if "method" in options:
            method = str(getattr(options["method"], "value", options["method"]))
            self._method = method.upper() if method.upper() in _USUAL else method
        if options.get("headers") is not None:
            self._pairs = to_pairs(options["headers"])
        if "cf" in options:
            self._cf = options["cf"]
        if options.get("body") is None:
            return
        if self._method in _BODILESS:
            raise TypeError("Request with a GET or HEAD method cannot have a body.")
        content, content_type = content_of(options["body"], "Request")
        self._body = Body(content)
        if content_type and not any(name == "content-type" for name, _ in self._pairs):
            self._pairs.append(("content-type", content_type))

    @classmethod
    def _incoming(
        cls,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: AsyncIterator[bytes] | None,
        cf: dict[str, Any] | None,
    ) -> Request:
        """A request that came in: nothing is checked or looked at before it is asked for."""
        request = cls.__new__(cls)
        request._begin(method, url, headers, Body(body), _EDGE if cf is None else cf)
        request._options = _FROM_OUTSIDE
        return request

    @property
    def js_object(self) -> Any:
        """The same request as `js.Request`."""
        return part("js.web").request_object(self)

    @property
    def _js_request(self) -> Any:
        return self.js_object

    @property
    def headers(self) -> HeaderMessage:
        """The headers, a copy: looked up in any case. Older dates take each value apart at its commas."""
        keeps_commas = current.has_flag("python_request_headers_preserve_commas", otherwise=True)
        return HeaderMessage(self._pairs, apart=not keeps_commas)

    @property
    def url(self) -> str:
        return self._url

    @property
    def method(self) -> HTTPMethod:
        found: HTTPMethod = part("workers.kinds").HTTPMethod[self._method]
        return found

    @property
    def body(self) -> Any:
        """The body as a `ReadableStream`, or `jsnull`."""
        return self._body.stream or jsnull

    @property
    def cf(self) -> Any:
        """What the platform knows of the client, by attribute; None when it knows nothing."""
        if self._cf is _EDGE:
            # Few handlers look at it, so it is made for those that do.
            self._cf = part("workers.edge").cf_of(self._pairs)
        return None if self._cf is None else _attributes(self._cf)

    @property
    def cache(self) -> str:
        return self._option("cache", "default")

    @property
    def credentials(self) -> str:
        return self._option("credentials", "same-origin")

    @property
    def destination(self) -> str:
        return ""

    @property
    def integrity(self) -> str:
        return self._option("integrity", "")

    @property
    def is_history_navigation(self) -> bool:
        return False

    @property
    def keepalive(self) -> bool:
        return bool(self._options.get("keepalive", False))

    @property
    def mode(self) -> str:
        return self._option("mode", "cors")

    @property
    def redirect(self) -> str:
        return self._option("redirect", "follow")

    @property
    def referrer(self) -> str:
        return self._option("referrer", "about:client")

    @property
    def referrer_policy(self) -> str:
        return self._option("referrerPolicy", "")

    async def json(self, **options: Any) -> Any:
        """The body as JSON; options as for `json.loads`."""
        return await self._read_json(**options)

    def clone(self) -> Request:
        """A second request with the same body; each is read on its own."""
        return Request(self)

    def _option(self, name: str, default: str) -> str:
        return str(self._options.get(name, default))

    def __repr__(self) -> str:
        return f"Request(method={self._method!r}, url={self._url!r})"


_EDGE: dict[str, Any] = {}
_FROM_OUTSIDE: dict[str, Any] = {"redirect": "manual"}


def _source(given: Any) -> tuple[Request | None, bool]:
    """The request behind what was given, and whether that was a JavaScript one."""
    if isinstance(given, Request):
        return given, False
    inner = getattr(given, "_request", None)
    return (inner, True) if isinstance(inner, Request) else (None, False)


def _attributes(value: Any) -> Any:
    if isinstance(value, dict):
        return JsDict({key: _attributes(item) for key, item in value.items()})
    return [_attributes(item) for item in value] if isinstance(value, list) else value
