"""Hands out objects and takes callbacks, requests and streams."""

import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from js import Headers, ReadableStream
from workers import Request, Response, WorkerEntrypoint, import_from_javascript

RpcTarget = import_from_javascript("cloudflare:workers").RpcTarget
kept: list[Any] = []


class Counter(RpcTarget):  # type: ignore[misc, valid-type]
    def __init__(self, value: int) -> None:
        self._value = value
        self.secret = "not for others"

    @property
    def value(self) -> int:
        return self._value

    @property
    def settings(self) -> dict[str, Any]:
        return {"colour": {"name": "red"}}

    def increment(self, by: int = 1) -> int:
        self._value += by
        return self._value

    def child(self) -> "Counter":
        return Counter(self._value * 10)

    def die(self) -> None:
        os._exit(3)

    async def fail(self) -> None:
        raise LookupError("no such count")


async def words() -> AsyncIterator[str]:
    for word in ("one", "two", "three"):
        yield word * 30_000


class Default(WorkerEntrypoint):
    def counter(self, start: int) -> Counter:
        return Counter(start)

    async def progress(self, steps: int, told: Callable[[dict[str, int]], Any]) -> str:
        for step in range(steps):
            await told({"step": step})
        return "done"

    def adder(self, one: int) -> Callable[[int], int]:
        return lambda two: one + two

    async def keep(self, callback: Any, *, dup: bool = False) -> None:
        kept[:] = [callback]

    async def keep_dup(self, callback: Any) -> None:
        kept[:] = [callback.dup()]

    async def use_kept(self) -> Any:
        return await kept[0]("again")

    async def use(self, counter: Any) -> int:
        return int(await counter.increment(5))

    async def give_back(self, thing: Any) -> Any:
        return thing

    async def describe(self, request: Request) -> dict[str, Any]:
        return {
            "method": request.method.value,
            "url": request.url,
            "a": request.headers["x-a"],
            "body": len(await request.text()),
        }

    def page(self) -> Response:
        return Response(words(), status=201, headers={"x-page": "1"})

    def headers(self) -> Any:
        return Headers.new([["a", "1"]])

    def stream(self) -> Any:
        return ReadableStream.new(words())

    async def size(self, stream: Any) -> int:
        return sum([len(piece.to_bytes()) async for piece in stream])

    def echo(self, value: Any) -> Any:
        return value

    def opaque(self) -> Any:
        return object()

    async def through(self, binding: Any) -> Any:
        return await binding.double(21)
