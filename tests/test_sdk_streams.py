"""JavaScript's streams, signals, caches and small classes, as Python code uses them."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.sdk import js
from emulator.sdk.js import JSON, AbortController, AbortSignal, ReadableStream, TransformStream, WritableStream, caches
from emulator.sdk.pyodide.ffi import JsException, JsIterable, JsProxy, jsnull
from emulator.sdk.workers import Request, Response, asgi, import_from_javascript, wsgi


async def text(stream: Any) -> str:
    return b"".join([piece.to_bytes() async for piece in stream]).decode()


async def test_what_is_written_can_be_read():
    """
    An identity transform hands pieces on in order, awaited or not, and `close` ends them.
    """
    pipe = TransformStream.new()
    writer = pipe.writable.getWriter()
    writer.write("a")
    writer.write(b"b")
    writer.close()

    assert "ab" == await text(pipe.readable)


async def test_a_writer_does_not_run_ahead():
    """
    A second piece waits until the first has been read.
    """
    pipe = TransformStream.new()
    writer = pipe.writable.getWriter()
    await writer.write("a")
    second = writer.write("b")
    await asyncio.sleep(0)

    assert not second._future.done()

    reader = pipe.readable.getReader()
    first = await reader.read()
    await second

    assert ("a", False) == (first.value.to_string(), first.done)


async def test_a_transformer():
    """
    `transform` makes pieces of a piece, `flush` adds the last ones.
    """
    transformer = SimpleNamespace(
        transform=lambda piece, controller: controller.enqueue(piece.upper()),
        flush=lambda controller: controller.enqueue("!"),
    )
    source = ReadableStream.new(iter(["a", "b"]))
    shouted = TransformStream.new(
        SimpleNamespace(
            transform=lambda piece, controller: transformer.transform(piece.to_string(), controller),
            flush=transformer.flush,
        )
    )

    assert "AB!" == await text(source.pipeThrough(shouted))


@pytest.mark.parametrize("kind", ["start", "pull"])
async def test_an_underlying_source(kind):
    """
    A stream takes its pieces when it is made, or whenever it is read.
    """
    left = ["a", "b"]

    def start(controller: Any) -> None:
        for piece in left:
            controller.enqueue(piece)
        controller.close()

    async def pull(controller: Any) -> None:
        controller.enqueue(left.pop(0)) if left else controller.close()

    assert "ab" == await text(ReadableStream.new(start=start) if kind == "start" else ReadableStream.new(pull=pull))


async def test_a_sink():
    """
    A writable stream hands what is written to its functions.
    """
    got: list[Any] = []
    writer = WritableStream.new(write=lambda piece: got.append(piece), close=lambda: got.append("closed")).getWriter()
    writer.write("a")
    await writer.close()

    assert ["a", "closed"] == got


async def test_a_locked_stream():
    """
    There is one writer at a time.
    """
    stream = WritableStream.new()
    stream.getWriter()

    with pytest.raises(JsException, match="locked"):
        stream.getWriter()


async def test_signals():
    """
    A signal is aborted once, tells who listens, and several can be followed at once.
    """
    controller, heard = AbortController.new(), []
    both = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)])
    both.addEventListener("abort", lambda event: heard.append(event.target.reason.name))
    controller.abort()
    controller.abort("again")
    await asyncio.sleep(0.01)

    assert (True, True, ["AbortError"]) == (controller.signal.aborted, both.aborted, heard)
    with pytest.raises(JsException, match="AbortError"):
        both.throwIfAborted()


async def test_a_cache():
    """
    What was put is found again, until its time is over; what may not be kept is not.
    """
    cache = await caches.open("c")
    request = Request("https://example.com/a")
    await cache.put(request, Response("kept", headers={"cache-control": "max-age=60", "x-a": "1"}))
    await cache.put("https://example.com/b", Response("private", headers={"cache-control": "private"}))
    found = await cache.match(request.js_object)

    assert ("kept", "1", "HIT") == (await found.text(), found.headers.get("x-a"), found.headers.get("cf-cache-status"))
    assert None is await cache.match("https://example.com/b")
    assert [True, False] == [await cache.delete(request), await cache.delete(request)]


def test_small_classes():
    """
    Numbers, regular expressions and views on bytes do what they do in JavaScript.
    """
    view = js.DataView.new(js.ArrayBuffer.new(8))
    view.setUint16(0, 258)
    view.setFloat32(4, 1.5, True)

    assert (1, 2, 513, 1.5) == (view.getUint8(0), view.getUint8(1), view.getUint16(0, True), view.getFloat32(4, True))
    assert (12, 255, True) == (js.Number("12"), js.parseInt("ffx", 16), math.isnan(js.Number("x")))
    assert (3, 2, "true") == (js.Math.round(2.5), js.Math.floor(2.9), js.String(True))
    assert ("ab", 1) == (js.RegExp.new("(?<x>A)B", "i").exec("cab")[0], js.RegExp.new("a").exec("ca").index)
    assert jsnull is js.RegExp.new("x").exec("y")


def test_kinds_of_objects():
    """
    `isinstance` looks at what an object can do, and is no for Python's own.
    """
    assert isinstance(JSON.parse("[1]"), JsIterable)
    assert not isinstance(JSON.parse("{}"), JsIterable)
    assert not isinstance([1], JsIterable | JsProxy)


@pytest.mark.parametrize("module", [asgi, wsgi])
def test_options(module):
    """
    Whoever misspells an option is told.
    """
    assert "manual" == module.Options(encode_body="manual").encode_body
    with pytest.raises(ValueError, match="encode_body"):
        module.Options(encode_body="gzip")


def test_platform_modules():
    """
    A module of the platform that is not here says which are, and what to use instead.
    """
    assert import_from_javascript("cloudflare:email").EmailMessage.new("a", "b", "raw").to == "b"
    with pytest.raises(
        ImportError, match=r"^Failed to import 'node:crypto': .*cloudflare:sockets.*; use hashlib, hmac"
    ):
        import_from_javascript("node:crypto")


@pytest.mark.parametrize("form", ["gzip", "deflate", "deflate-raw"])
async def test_streams_are_compressed(form):
    """
    What was packed piece by piece is less, and comes out as it was.
    """
    source = ReadableStream.new(iter(["tea " * 1000, "and cake"]))
    packed = await Response(source.pipeThrough(js.CompressionStream.new(form))).bytes()
    opened = ReadableStream.new(iter([packed[:7], packed[7:]])).pipeThrough(js.DecompressionStream.new(form))

    assert len(packed) < 100
    assert "tea " * 1000 + "and cake" == await text(opened)


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (b"no gzip at all", "cannot be decompressed"),
        (gzip.compress(b"x")[:-1], "too soon"),
        (gzip.compress(b"x") + b"!", "more after"),
    ],
    ids=["something else", "an end missing", "something after it"],
)
async def test_what_was_not_compressed_so(packed, why):
    """
    Whoever reads is told, with a TypeError, instead of waiting for ever.
    """
    opened = ReadableStream.new(iter([packed])).pipeThrough(js.DecompressionStream.new("gzip"))

    with pytest.raises(JsException, match=f"^TypeError: .*{why}"):
        await text(opened)


async def test_a_source_that_fails_in_a_pipe():
    """
    The other end of the pipe fails as the source did, after what was there before.
    """

    def failing():
        yield "a"
        raise LookupError("no more")

    pieces = ReadableStream.new(failing()).pipeThrough(js.IdentityTransformStream.new()).getReader()

    assert "a" == (await pieces.read()).value.to_string()
    with pytest.raises(LookupError):
        await pieces.read()


@pytest.mark.parametrize(("length", "why"), [(2, "1 bytes more"), (4, "1 bytes fewer")])
async def test_a_stream_of_fixed_length(length, why):
    """
    As many bytes as were announced, or a TypeError.
    """

    async def through(length):
        return await text(ReadableStream.new(iter(["ab", "c"])).pipeThrough(js.FixedLengthStream.new(length)))

    assert "abc" == await through(3)
    with pytest.raises(JsException, match=f"^TypeError: {why}"):
        await through(length)


async def test_a_digest_of_a_stream():
    """
    The digest is there when the stream has been piped; it is that of the whole.
    """
    stream = js.crypto.DigestStream.new("SHA-256")
    await ReadableStream.new(iter(["ab", "c"])).pipeTo(stream)

    assert hashlib.sha256(b"abc").hexdigest() == (await stream.digest).to_bytes().hex()
