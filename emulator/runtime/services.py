"""A binding to another worker, or to this one: `env.OTHER.fetch(…)`, and its methods as if they were here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from emulator.runtime import values
from emulator.runtime.calls import Calls, Pending
from emulator.sdk.workers import Request, Response
from emulator.sdk.workers.headers import Pairs
from emulator.sdk.workers.later import part
from emulator.sdk.workers.request import _source
from emulator.sdk.workers.rpc import JsDict
from emulator.wire import Frame

_NO_METHODS = ("connect", "constructor", "dup", "then", "to_py", "js_object")


class ServiceBinding:
    """
    Another worker, as `env.OTHER`. Arguments and results are copied; what it raises comes as a `JsException`.

    Follows developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings.
    """

    def __init__(self, calls: Calls, service: str, entrypoint: str | None = None, props: Any = None) -> None:
        self._calls = calls
        self._target = {
            "service": service,
            "entrypoint": entrypoint,
            "props": values.encode({} if props is None else props),
        }

    def fetch(self, resource: Any, /, **options: Any) -> asyncio.Future[Response]:
        """The other worker's response to a request, or to a URL with options as of `Request`."""
        request, _ = _source(resource)
        if request is None or options:
            request = Request(request or resource, **options)
        # How redirects are followed is imported by those that call another worker.
        follow = part("workers.fetching").follow
        answer: asyncio.Future[Response] = asyncio.ensure_future(follow(request, self._send))
        return answer

    async def _send(self, url: SplitResult, method: str, pairs: Pairs, content: Any) -> Any:
        whole = content if isinstance(content, bytes) else b"".join([piece async for piece in content or _nothing()])
        head = {**self._target, "request": [method, urlunsplit(url), pairs, content is not None]}
        answer = await self._calls.ask("service", "fetch", head, whole)
        received = [(name, value) for name, value in answer.head["headers"]]
        body = self._calls.body_of(answer) if answer.head["more"] else _Whole(answer.body)
        return part("workers.connection").Answer(answer.head["status"], "", received, body)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name in _NO_METHODS:
            raise AttributeError(f"{name} is no method that a worker can offer to another", name=name)

        def method(*arguments: Any, **keywords: Any) -> Pending[Any]:
            # As on the platform, keywords become one object at the end.
            given = [*arguments, keywords] if keywords else list(arguments)
            head = {**self._target, "name": name}
            return Pending(self._calls.ask("service", "rpc", head, values.encode(given).encode()), _value)

        method.__name__ = name
        return method

    @property
    def _binding(self) -> ServiceBinding:
        return self

    def __repr__(self) -> str:
        entrypoint = self._target["entrypoint"]
        return f"<worker {self._target['service']}{f'.{entrypoint}' if entrypoint else ''}>"


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


class _Whole:
    """A body that has come in one piece."""

    def __init__(self, content: bytes) -> None:
        self._left = [content] if content else []

    def __aiter__(self) -> _Whole:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def aclose(self) -> None:
        self._left.clear()


class Loopback:
    """`ctx.exports`: this worker's own entrypoints, as bindings; call one with `props` to hand it some."""

    def __init__(self, calls: Calls, worker: str) -> None:
        self._calls = calls
        self._worker = worker

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Entrypoint(self._calls, self._worker, None if name in ("default", "Default") else name)


class _Entrypoint(ServiceBinding):
    def __call__(self, options: Any = None, /, **more: Any) -> ServiceBinding:
        props = more.get("props", (options or {}).get("props") if isinstance(options, dict) else None)
        return ServiceBinding(self._calls, str(self._target["service"]), self._target["entrypoint"], props)


def _value(frame: Frame) -> Any:
    return values.decode(frame.body, mapping=JsDict) if frame.body else None
