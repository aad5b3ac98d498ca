"""A binding to another worker, or to this one: `env.OTHER.fetch(…)`, and its methods as if they were here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from emulator.runtime import values
from emulator.runtime.calls import Pending
from emulator.runtime.passage import Passage
from emulator.runtime.stubs import RpcCall
from emulator.runtime.values import Crossing
from emulator.sdk.workers import Request, Response
from emulator.sdk.workers.headers import Pairs, find
from emulator.sdk.workers.later import part
from emulator.sdk.workers.request import _source

_NO_METHODS = ("connect", "constructor", "dup", "then", "to_py", "js_object")


class ServiceBinding:
    """
    Another worker, as `env.OTHER`. Plain values are copied, functions and `RpcTarget`s arrive as stubs; what it raises
    comes as a `JsException`.

    Follows developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings.
    """

    def __init__(self, passage: Passage, service: str, entrypoint: str | None = None, props: str | None = None) -> None:
        self._passage = passage
        self._target = {
            "service": service,
            "entrypoint": entrypoint,
            "props": values.encode({}) if props is None else props,
        }

    def fetch(self, resource: Any, /, **options: Any) -> Pending[Response]:
        """The other worker's response to a request, or to a URL with options as of `Request`."""
        request, _ = _source(resource)
        if request is None or options:
            request = Request(request or resource, **options)
        if (find(request._pairs, "upgrade") or "").lower() == "websocket":
            return _under_way(self._upgrade(request))
        # How redirects are followed is imported by those that call another worker.
        return _under_way(part("workers.fetching").follow(request, self._send))

    async def _send(self, url: SplitResult, method: str, pairs: Pairs, content: Any) -> Any:
        whole = content if isinstance(content, bytes) else b"".join([piece async for piece in content or _nothing()])
        calls = self._passage.calls
        head = {**self._target, "request": [method, urlunsplit(url), pairs, content is not None]}
        answer = await calls.ask("service", "fetch", head, whole)
        received = [(name, value) for name, value in answer.head["headers"]]
        body = calls.body_of(answer) if answer.head["more"] else _Whole(answer.body)
        return part("workers.connection").Answer(answer.head["status"], "", received, body)

    async def _upgrade(self, request: Request) -> Response:
        """As `fetch`, by one who asks for a web socket."""
        calls = self._passage.calls
        head = {**self._target, "request": [request._method, request._url, request._pairs, False], "upgrade": True}
        answer = await calls.ask("service", "fetch", head)
        pairs = [(name, value) for name, value in answer.head["headers"]]
        has_socket = answer.head.get("socket", False)
        body = calls.body_of(answer) if answer.head["more"] and not has_socket else answer.body
        response = part("workers.response").from_network(answer.head["status"], "", pairs, body, request._url, False)
        if has_socket:
            response.web_socket = calls.socket_of(answer)
        return response  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Callable[..., RpcCall]:
        if name.startswith("_") or name in _NO_METHODS:
            raise AttributeError(f"{name} is no method that a worker can offer to another", name=name)

        def method(*arguments: Any, **keywords: Any) -> RpcCall:
            # As on the platform, keywords become one object at the end.
            given = [*arguments, keywords] if keywords else list(arguments)
            return self._passage.call("service", {**self._target, "name": name}, given)

        method.__name__ = name
        return method

    @property
    def _binding(self) -> ServiceBinding:
        return self

    @property
    def _crossing(self) -> Crossing:
        """What another worker makes the same binding of."""
        return Crossing("service", list(self._target.values()))

    def __repr__(self) -> str:
        entrypoint = self._target["entrypoint"]
        return f"<worker {self._target['service']}{f'.{entrypoint}' if entrypoint else ''}>"


def _under_way(work: Any) -> Pending[Response]:
    return Pending(asyncio.ensure_future(work), lambda response: response)


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

    def __init__(self, passage: Passage, worker: str) -> None:
        self._passage = passage
        self._worker = worker
        passage.binding = partial(ServiceBinding, passage)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Entrypoint(self._passage, self._worker, None if name in ("default", "Default") else name)


class _Entrypoint(ServiceBinding):
    def __call__(self, options: Any = None, /, **more: Any) -> ServiceBinding:
        props = more.get("props", (options or {}).get("props") if isinstance(options, dict) else None)
        form = values.encode({} if props is None else props)
        return ServiceBinding(self._passage, str(self._target["service"]), self._target["entrypoint"], form)
