"""The worker's routes with its assets beside them: who answers a request, decided before the worker is asked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from emulator.assets import paths
from emulator.assets.answer import Request, Response, answer, has_answer
from emulator.assets.folder import Folder, Folders
from emulator.config import Assets, Config

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Report = Callable[[str, str, str, float], None]

_NAVIGATES = "assets_navigation_prefers_asset_serving"


class Beside:
    """
    A worker and its assets. The config is asked for at each request: a reload may have brought another.

    `report` is told of each answer of the assets: method, target, result, milliseconds.
    """

    def __init__(self, worker: App, config: Callable[[], Config], folders: Folders, report: Report) -> None:
        self._worker = worker
        self._config = config
        self._folders = folders
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        config = self._config()
        if config.assets is None or (scope["type"] != "http" and config.has_code):
            await self._worker(scope, receive, send)
            return
        request, folder = _request(scope), self._folders.of(config)
        if _is_the_workers(request, config, folder):
            await self._worker(scope, receive, send)
            return
        began = time.perf_counter()
        told = answer(request, config.assets, folder)
        await _send(told, scope, send)
        target = f"{request.path}{'?' if request.query else ''}{request.query}"
        self._report(request.method, target, f"{told.status} asset", (time.perf_counter() - began) * 1000)


def _is_the_workers(request: Request, config: Config, folder: Folder) -> bool:
    assets = config.assets
    if assets is None or not config.has_code:
        return assets is None
    first = assets.run_worker_first
    if isinstance(first, bool):
        return first or not has_answer(request, _seen_beside_a_worker(request, config, assets), folder)
    if any(rule.startswith("!") and paths.glob(rule[1:], request.path) for rule in first):
        return False
    if any(paths.glob(rule, request.path) for rule in first):
        return True
    return not has_answer(request, assets, folder)


def _seen_beside_a_worker(request: Request, config: Config, assets: Assets) -> Assets:
    """A page for what is not found is for who goes to a page, not for the API that the worker has under other paths."""
    navigates = request.headers.get("sec-fetch-mode") == "navigate" and config.has_flag(_NAVIGATES)
    return assets if navigates else replace(assets, not_found_handling="none")


def _request(scope: Scope) -> Request:
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope.get("method", "GET"),
        path=raw.decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        host=urlsplit(f"//{given.get('host', '')}").hostname or "",
        headers=given,
    )


async def _send(told: Response, scope: Scope, send: Send) -> None:
    prefix = "http.response" if scope["type"] == "http" else "websocket.http.response"
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in told.headers]
    await send({"type": f"{prefix}.start", "status": told.status, "headers": raw})
    await send({"type": f"{prefix}.body", "body": told.body})
