"""WSGI applications in a worker, and `run_sync`: bodies in both directions, failures, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.sdk.pyodide.ffi import can_run_sync, run_sync
from emulator.sdk.workers import Request, Response, wsgi


def request(path: str = "/", **options: Any) -> Request:
    return Request(f"https://example.com{path}", **options)


def incoming(*pieces: bytes) -> Request:
    async def body():
        for piece in pieces:
            yield piece

    return Request._incoming("POST", "https://example.com/", [], body(), None)


async def text(response: Response) -> str:
    return await Response(response.js_object).text()


async def slowly(value: Any) -> Any:
    await asyncio.sleep(0.001)
    return value


async def test_an_application_answers():
    """
    Status, repeated headers and body come back; method, path, query, headers and env arrive.
    """

    def app(environ, start_response):
        start_response("201 Created", [("set-cookie", "a=1"), ("set-cookie", "b=2")])
        names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PORT", "HTTP_X_A", "CONTENT_TYPE")
        return [" ".join(str(environ[name]) for name in names).encode(), environ["workers.env"].encode()]

    asked = request("/a%20%C3%BC?b=%20", method="PUT", headers={"x-a": "1"}, body="x")
    response = await wsgi.fetch(app, asked, " env")

    assert (201, ["a=1", "b=2"]) == (response.status, response.headers.get_all("set-cookie"))
    assert "PUT /a Ã¼ b=%20 443 1 text/plain;charset=UTF-8 env" == await text(response)


async def test_a_body_is_read_as_it_arrives():
    """
    The application reads with plain blocking calls.
    """

    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(3), b"|", environ["wsgi.input"].read()]

    assert "ab1|22c" == await text(await wsgi.fetch(app, incoming(b"ab", b"", b"122", b"c"), None))


async def test_a_response_is_streamed_as_it_is_made():
    """
    The second piece is not made before the first has been read, and `close` is called once at the end.
    """
    made: list[Any] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(4):
                made.append(number)
                yield b"%d" % run_sync(slowly(number))

        def close(self) -> None:
            made.append("closed")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Pieces()

    response = await wsgi.fetch(app, request(), None)

    assert len(made) < 4
    assert "0123" == await text(response)

    await asyncio.sleep(0.01)

    assert [0, 1, 2, 3, "closed"] == made


async def test_many_wait_at_once():
    """
    Whoever waits longest holds nobody up.
    """
    order: list[int] = []

    def app(environ, start_response):
        number = int(environ["QUERY_STRING"])
        run_sync(asyncio.sleep(0.03 - number * 0.01))
        order.append(number)
        start_response("200 OK", [])
        return [b""]

    await asyncio.gather(*(wsgi.fetch(app, request(f"/?{number}"), None) for number in range(3)))

    assert [2, 1, 0] == order


@pytest.mark.parametrize("late", [False, True])
async def test_a_failing_application(late, caplog):
    """
    What it raises before its answer is raised; later the body breaks off.
    """

    def app(environ, start_response):
        if late:
            start_response("200 OK", [])
            yield b"so far"
        raise LookupError("no")

    if not late:
        with pytest.raises(LookupError):
            await wsgi.fetch(app, request(), None)
        return
    response = await wsgi.fetch(app, request(), None)
    with pytest.raises(LookupError):
        await text(response)

    assert "WSGI request failed" in caplog.text


async def test_an_application_that_never_starts_its_answer():
    """
    That is an error with the reason.
    """
    with pytest.raises(RuntimeError, match=r"did not call start_response\(\)"):
        await wsgi.fetch(lambda environ, start_response: [], request(), None)


async def test_an_empty_status_drops_the_body():
    """
    204 has none.
    """

    def app(environ, start_response):
        start_response("204 No Content", [])
        return [b"ignored"]

    assert "" == await text(await wsgi.fetch(app, request(), None))


async def test_a_cancelled_request_unwinds_the_application():
    """
    Nothing is left waiting when the browser has gone.
    """
    unwound = asyncio.Event()

    def app(environ, start_response):
        try:
            run_sync(asyncio.sleep(60))
        finally:
            unwound.set()

    asking = asyncio.ensure_future(wsgi.fetch(app, request(), None))
    await asyncio.sleep(0.01)
    asking.cancel()
    async with asyncio.timeout(1):
        await unwound.wait()

    assert asking.cancelled() or asking.cancelling()


async def test_run_sync_within_a_handler():
    """
    Sync code that a task has called can wait, and other tasks go on meanwhile.
    """
    others: list[int] = []

    async def other() -> None:
        for number in range(3):
            await asyncio.sleep(0)
            others.append(number)

    going_on = asyncio.ensure_future(other())

    assert can_run_sync()
    assert "v" == run_sync(slowly("v"))
    assert [0, 1, 2] == others

    await going_on

    with pytest.raises(ZeroDivisionError):
        run_sync(_failing())

    assert asyncio.current_task() is not None


async def _failing() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def test_run_sync_within_run_sync():
    """
    Sync code may call async code that calls sync code.
    """

    async def middle() -> int:
        await asyncio.sleep(0)
        inner: int = run_sync(slowly(20))
        return inner + 1

    assert 42 == sum(await asyncio.gather(*(slowly(run_sync(middle())) for _ in range(2))))


def test_run_sync_outside():
    """
    Where no handler runs there is nothing to wait in.
    """
    assert not can_run_sync()
    with pytest.raises(RuntimeError, match="cannot switch stacks"):
        run_sync(_failing())
