"""The URL map: /cdn-cgi/… is ours, every other path is the worker's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

OURS = "/cdn-cgi/"


def url_map(worker: ASGIApp, ours: ASGIApp) -> ASGIApp:
    """One app of two."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["path"].startswith(OURS)
        await (ours if is_ours else worker)(scope, receive, send)

    return app
