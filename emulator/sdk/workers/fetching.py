"""`fetch()`: ask another server, and follow its redirects."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from .connection import Answer, exchange
from .errors import AbortError
from .headers import Pairs, find
from .request import Request, _source
from .response import FetchResponse, Response, from_network
from .urls import parse

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST = 20
_SMALL = 1 << 16
_PRIVATE = ("authorization", "cookie", "proxy-authorization")


async def fetch(resource: Any, **options: Any) -> Response:
    """
    Send a request to a URL, or a `Request`; options as of `Request`, and `fetcher` to send it another way.

    Raises OSError when no answer comes.
    """
    fetcher = options.pop("fetcher", None)
    if fetcher is not None:
        return _response(await fetcher(resource, **options))
    request, _ = _source(resource)
    if request is None or options:
        request = Request(request or resource, **options)
    try:
        return await _follow(request)
    except (OSError, ssl.SSLError) as error:
        if isinstance(error, AbortError):
            raise
        raise AbortError(f"fetch {request.url}: {error}") from error


def _response(found: Any) -> Response:
    return found if isinstance(found, Response) else Response(found)


async def _follow(request: Request) -> Response:
    mode = request._options.get("redirect", "follow")
    method, pairs, content, url = request._method, request._pairs, request._body.take(), parse(request._url)
    for hop in range(_MOST + 1):
        if url.scheme not in ("http", "https"):
            raise TypeError(f"Fetch API cannot load: {urlunsplit(url)}")
        answer = await exchange(url, method, pairs, content)
        location = find(answer.pairs, "location")
        if answer.status not in _REDIRECTS or location is None or mode == "manual":
            return await _finished(answer, url, redirected=hop > 0)
        await answer.content.aclose()  # type: ignore[attr-defined]
        if mode == "error":
            raise AbortError(f'fetch {request.url}: it redirects to {location}, and redirect is "error"')
        target = parse(location, urlunsplit(url))
        if (answer.status == 303 and method != "HEAD") or (answer.status in (301, 302) and method == "POST"):
            method, content = "GET", None
            pairs = [pair for pair in pairs if not pair[0].startswith("content-")]
        if isinstance(content, AsyncIterator):
            raise TypeError("a request with a streamed body cannot follow a redirect: the body has been sent")
        pairs, url = _public(pairs, url, target), target
    raise AbortError(f"fetch {request.url}: more than {_MOST} redirects")


def _public(pairs: Pairs, url: SplitResult, target: SplitResult) -> Pairs:
    """Another origin must not learn the secrets that were meant for this one."""
    if (url.scheme, url.netloc) == (target.scheme, target.netloc):
        return pairs
    return [pair for pair in pairs if pair[0] not in _PRIVATE]


async def _finished(answer: Answer, url: SplitResult, *, redirected: bool) -> Response:
    content: bytes | AsyncIterator[bytes] = answer.content
    length = find(answer.pairs, "content-length")
    if length is not None and int(length) <= _SMALL:
        # Read now, so that an answer nobody reads does not keep its connection.
        content = b"".join([piece async for piece in answer.content])
    shown = urlunsplit(url._replace(fragment=""))
    return from_network(answer.status, answer.reason, answer.pairs, content, shown, redirected)


__all__ = ["FetchResponse", "fetch"]
