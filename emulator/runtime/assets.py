"""A binding to the worker's static files: `env.ASSETS.fetch(…)`."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.runtime.calls import Calls
from emulator.sdk.workers import Request, Response
from emulator.sdk.workers.request import _source
from emulator.sdk.workers.response import from_network


class AssetsBinding:
    """
    The static files, as `env.ASSETS`. The host of a URL does not matter, nor does `run_worker_first`.

    Follows developers.cloudflare.com/workers/static-assets/binding.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def fetch(self, resource: Any, /, **options: Any) -> asyncio.Future[Response]:
        """The file for a request, or for a URL with options as of `Request`."""
        request, _ = _source(resource)
        if request is None or options:
            request = Request(request or resource, **options)
        return asyncio.ensure_future(self._fetch(request))

    async def _fetch(self, request: Request) -> Response:
        head = {"request": [request._method, request._url, request._pairs]}
        answer = await self._calls.ask("assets", "fetch", head)
        pairs = [(name, value) for name, value in answer.head["headers"]]
        return from_network(answer.head["status"], "", pairs, answer.body, request._url, False)

    def __repr__(self) -> str:
        return "<assets>"
