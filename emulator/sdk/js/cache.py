"""`caches`: responses by URL, kept in this process until the next save."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from emulator.sdk import workers
from emulator.sdk.js.promise import Promise
from emulator.sdk.js.web import response_object
from emulator.sdk.workers.headers import Pairs, find
from emulator.sdk.workers.proxy import JsException, JsProxy, js_text
from emulator.sdk.workers.request import _source


@dataclass(frozen=True)
class _Kept:
    status: int
    pairs: Pairs
    content: bytes
    until: float


class Cache(JsProxy):
    """One cache. developers.cloudflare.com/workers/runtime-apis/cache"""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def match(self, request: Any, options: Any = None) -> Any:
        return Promise.resolve(self._match(_url(request)))

    def put(self, request: Any, response: Any) -> Any:
        return Promise.resolve(self._put(_url(request), getattr(response, "_response", response)))

    def delete(self, request: Any, options: Any = None) -> Any:
        async def delete() -> bool:
            return self._kept.pop(_url(request) or "", None) is not None

        return Promise.resolve(delete())

    async def _match(self, url: str | None) -> Any:
        kept = self._kept.get(url or "")
        if kept is None or kept.until < time.monotonic():
            return None
        pairs = [*kept.pairs, ("cf-cache-status", "HIT")]
        return response_object(workers.Response(kept.content or None, kept.status, headers=pairs))

    async def _put(self, url: str | None, response: Any) -> None:
        if url is None:
            raise JsException("TypeError", "Cannot cache response to non-GET request.")
        if response.status == 206 or find(response._pairs, "vary") == "*":
            raise JsException("TypeError", "Cannot cache a response with status 206 or with Vary: *.")
        seconds = _lifetime(find(response._pairs, "cache-control") or "")
        content = await response.bytes()
        if seconds > 0 and find(response._pairs, "set-cookie") is None:
            self._kept[url] = _Kept(response.status, list(response._pairs), content, time.monotonic() + seconds)


class CacheStorage(JsProxy):
    """`caches.default`, and others by name."""

    def __init__(self) -> None:
        self.default: Any = Cache.new()
        self._named: dict[str, Any] = {}

    def open(self, name: str) -> Any:
        return Promise.resolve(self._named.setdefault(name, Cache.new()))


def _url(asked: Any) -> str | None:
    request, _ = _source(asked)
    if request is None:
        return str(workers.Request(js_text(asked)).url)
    return str(request.url) if request._method == "GET" else None


def _lifetime(directives: str) -> float:
    """Seconds; without a word about it, a long time."""
    found = dict(part.strip().lower().partition("=")[::2] for part in directives.split(","))
    if found.keys() & {"no-store", "private", "no-cache"}:
        return 0
    seconds = found.get("s-maxage") or found.get("max-age") or "86400"
    return float(seconds) if seconds.isdigit() else 0


caches = CacheStorage.new()
