"""`fetch()`: ask another server, and follow its redirects."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from .body import Content
from .connection import Answer, exchange
from .errors import AbortError
from .headers import Pairs, find
from .later import part
from .request import Request, _source
from .response import FetchResponse, Response, from_network
from .statuses import REDIRECTS
from .urls import parse

_MOST = 20
_SMALL = 1 << 16
Send = Callable[[SplitResult, str, Pairs, Content], Awaitable[Answer]]
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
    signal = options.pop("signal", None)
    if request is None or options:
        request = Request(request or resource, **options)
    if (find(request._pairs, "upgrade") or "").lower() == "websocket":
        answer: Response = await part("workers.dialling").upgrade(request._url, request._pairs)
        return answer
    try:
        return await (follow(request) if signal is None else _unless_aborted(request, signal))
    except (OSError, ssl.SSLError) as error:
        if isinstance(error, AbortError):
            raise
        raise AbortError(f"fetch {request.url}: {error}") from error


def _response(found: Any) -> Response:
    return found if isinstance(found, Response) else Response(found)


async def _unless_aborted(request: Request, signal: Any) -> Response:
    """The answer, if the signal leaves it the time. Raises AbortError."""
    if signal.aborted:
        raise AbortError(str(signal.reason))
    work = asyncio.ensure_future(follow(request))
    signal.addEventListener("abort", lambda event: work.cancel())
    try:
        return await work
    except asyncio.CancelledError:
        if signal.aborted and not _is_cancelled():
            raise AbortError(str(signal.reason)) from None
        work.cancel()
        raise


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def follow(request: Request, send: Send = exchange) -> Response:
    """The answer to a request, sent by `send`, once no redirect is left to follow."""
    mode = request._options.get("redirect", "follow")
    method, pairs, content, url = request._method, request._pairs, request._body.take(), parse(request._url)
    for hop in range(_MOST + 1):
        if url.scheme not in ("http", "https"):
            raise TypeError(f"Fetch API cannot load: {urlunsplit(url)}")
        answer = await send(url, method, pairs, content)
        location = find(answer.pairs, "location")
        if answer.status not in REDIRECTS or location is None or mode == "manual":
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
