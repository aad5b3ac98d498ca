"""The URL map: /cdn-cgi/… is ours, every other path is the worker's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from emulator.guard.origins import leads_to_us

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def url_map(worker: ASGIApp, ours: ASGIApp) -> ASGIApp:
    """One app of two."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (ours if leads_to_us(scope["path"]) else worker)(scope, receive, send)

    return app
