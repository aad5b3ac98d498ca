"""Uses another worker's objects as if they were its own; each path is one way to do so."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from js import ReadableStream
from pyodide.ffi import JsException
from workers import Request, Response, WorkerEntrypoint, import_from_javascript

RpcTarget = import_from_javascript("cloudflare:workers").RpcTarget

held: list[Any] = []


class Here(RpcTarget):  # type: ignore[misc, valid-type]
    def __init__(self) -> None:
        self.count = 0

    def increment(self, by: int) -> int:
        self.count += by
        return self.count


class Twice(WorkerEntrypoint):
    def double(self, number: int) -> int:
        return 2 * number


async def letters() -> AsyncIterator[bytes]:
    for _ in range(4):
        yield b"x" * 100_000


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        way = getattr(self, request.url.rpartition("/")[2])
        try:
            return Response.json(await way(self.env.BACK))
        except Exception as error:
            return Response.json([type(error).__name__, str(error).strip().splitlines()[-1]])

    async def objects(self, back: Any) -> Any:
        counter = await back.counter(1)
        return [await counter.increment(), await counter.increment(by := 4), by, await counter.value]

    async def properties(self, back: Any) -> Any:
        counter = await back.counter(1)
        return [await counter.settings.colour.name, (await counter.settings)["colour"]["name"]]

    async def pipelining(self, back: Any) -> Any:
        chained = await back.counter(1).increment(2)
        deep = await back.counter(7).child().child().value
        return [chained, deep, await (await back.counter(1)).increment(2)]

    async def callbacks(self, back: Any) -> Any:
        seen: list[int] = []

        async def told(event: dict[str, int]) -> None:
            seen.append(event["step"])

        return [await back.progress(3, told), seen, await back.progress(1, lambda event: seen.append(99)), seen]

    async def functions(self, back: Any) -> Any:
        add = await back.adder(40)
        return [await add(2), await asyncio.create_task(add(3)), *await asyncio.gather(add(4), back.echo("x"))]

    async def mine(self, back: Any) -> Any:
        here = Here()
        again = await back.give_back(here)
        return [await back.use(here), await again.increment(1), here.count]

    async def forwarded(self, back: Any) -> Any:
        counter = await back.counter(1)
        return [await back.use(counter), await counter.value]

    async def bound_methods(self, back: Any) -> Any:
        here = Here()
        counter = await back.counter(1)
        await back.keep_dup(here.increment)
        return [callable(counter.increment), await back.progress(0, counter.increment)]

    async def argument_ends(self, back: Any) -> Any:
        await back.keep(lambda word: f"{word}!")
        return await back.use_kept()

    async def argument_kept(self, back: Any) -> Any:
        await back.keep_dup(lambda word: f"{word}!")
        return await back.use_kept()

    async def disposed(self, back: Any) -> Any:
        with await back.counter(1) as counter:
            other = counter.dup()
        return [await other.increment(), await counter.increment()]

    async def bindings(self, back: Any) -> Any:
        return [await back.through(self.env.SELF), await back.through(self.ctx.exports.Twice)]  # type: ignore[attr-defined]

    async def requests(self, back: Any) -> Any:
        plain = Request("http://here/", method="POST", headers={"x-a": "1"}, body="12345")
        long = Request("http://here/", method="PUT", headers={"x-a": "2"}, body=ReadableStream.new(letters()))
        return [await back.describe(plain), await back.describe(long.js_object)]

    async def responses(self, back: Any) -> Any:
        page = await back.page()
        return [page.status, page.headers["x-page"], len(await page.text())]

    async def headers(self, back: Any) -> Any:
        return (await back.headers()).get("A")

    async def streams(self, back: Any) -> Any:
        words = [len(piece.to_bytes()) async for piece in await back.stream()]
        return [sum(words), await back.size(ReadableStream.new(letters()))]

    async def values(self, back: Any) -> Any:
        value = {"none": None, "deep": [1, 2.5, {"a": True}], "bytes": b"\0\xff", "big": 2**60, "set": {1}}
        found = await back.echo(value)
        when = await back.echo(datetime(2026, 1, 2, 3, 4, 5))
        return [found.deep[2].a, found.none, bytes(found.bytes) == b"\0\xff", found.big == 2**60, when.isoformat()]

    async def hold(self, back: Any) -> Any:
        held[:] = [await back.counter(1)]
        return await held[0].increment()

    async def held(self, back: Any) -> Any:
        return await held[0].increment()

    async def dying(self, back: Any) -> Any:
        return await (await back.counter(1)).die()

    async def tuples(self, back: Any) -> Any:
        return await back.echo((1, 2))

    async def opaque(self, back: Any) -> Any:
        return await back.echo(object())

    async def opaque_result(self, back: Any) -> Any:
        return await back.opaque()

    async def instance_attribute(self, back: Any) -> Any:
        return await (await back.counter(1)).secret

    async def private(self, back: Any) -> Any:
        return await (await back.counter(1))._value

    async def failing(self, back: Any) -> Any:
        return await (await back.counter(1)).fail()

    async def failing_callback(self, back: Any) -> Any:
        def told(event: Any) -> None:
            raise KeyError("mine")

        return await back.progress(1, told)

    async def js_errors(self, back: Any) -> Any:
        def told(event: Any) -> None:
            raise JsException("RangeError", "too far")

        try:
            await back.progress(1, told)
        except JsException as error:
            return [error.name, error.message]
