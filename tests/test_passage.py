"""What is packed for another worker: all of it goes, or nothing is used up; and streams that nobody reads on."""

import asyncio
import gc
from types import SimpleNamespace

import pytest

from emulator.runtime.lending import Lender, Outflow
from emulator.runtime.passage import Passage
from emulator.runtime.stubs import Hold, Stub
from emulator.sdk.workers import Request, Response
from emulator.sdk.workers.proxy import JsException
from emulator.sdk.workers.streams import ReadableStream

HOME = ("front", 1)


@pytest.fixture
async def passage():
    return Passage(SimpleNamespace(send=lambda *sent: None), None, *HOME)


async def counted():
    for number in range(3):
        yield str(number).encode()


def request(body):
    return Request("http://host/", method="POST", body=body)


@pytest.mark.parametrize(
    ("make", "read"),
    [
        pytest.param(lambda: request(b"012"), lambda found: found.text(), id="a request"),
        pytest.param(lambda: request(counted()), lambda found: found.text(), id="a request in pieces"),
        pytest.param(lambda: Response(b"012"), lambda found: found.text(), id="a response"),
        pytest.param(lambda: Response(counted()), lambda found: found.text(), id="a response in pieces"),
        pytest.param(
            lambda: ReadableStream.new(counted()), lambda found: Response(found).text(), id="a stream of JavaScript's"
        ),
    ],
)
async def test_a_body_is_not_used_up_by_a_call_that_cannot_go(passage, make, read):
    """
    The error names what cannot be sent; what could have been sent can still be read, and nothing stays lent.
    """
    sent = make()
    with pytest.raises(JsException, match="DataCloneError"):
        passage.pack([sent, object()])
    await asyncio.sleep(0)

    assert "012" == await read(sent)
    assert {} == passage.lender._things


async def test_a_body_cannot_go_twice(passage):
    """
    In one call as little as in two; it can still be read when the call did not go.
    """
    sent = request(b"012")
    with pytest.raises(OSError, match="Body already used"):
        passage.pack([sent, sent])

    assert "012" == await sent.text()


async def test_an_object_that_came_home_is_still_lent_after_a_call_that_cannot_go(passage):
    """
    Others hold it too, and go on calling it.
    """
    number = passage.lender.lend(len)
    stub = Stub(None, Hold((*HOME, number), "len()", lambda address: None))
    with pytest.raises(JsException, match="DataCloneError"):
        passage.pack([stub, object()])

    assert {number: len} == passage.lender._things


async def test_a_stream_that_is_left_during_a_read_is_closed():
    """
    Whoever makes the pieces is woken up, learns of it, and nothing is left over to complain of.
    """
    waits, closed, complaints = asyncio.Event(), asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))

    async def made():
        try:
            yield b"first"
            waits.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    lender = Lender()
    number = lender.lend(Outflow(made()))
    await lender.call(number, ["read"], [])
    reading = asyncio.ensure_future(lender.call(number, ["read"], []))
    await asyncio.wait_for(waits.wait(), 1)
    lender.drop(number)
    await asyncio.wait([reading], timeout=1)

    assert await asyncio.wait_for(closed.wait(), 1)

    del reading
    await asyncio.sleep(0)
    gc.collect()

    assert [] == complaints


async def test_a_stream_that_is_left_between_reads_is_closed():
    """
    Whoever makes the pieces learns that nobody reads on.
    """
    closed = asyncio.Event()

    async def made():
        try:
            yield b"first"
            yield b"second"
        finally:
            closed.set()

    lender = Lender()
    number = lender.lend(Outflow(made()))
    await lender.call(number, ["read"], [])
    lender.drop(number)

    assert await asyncio.wait_for(closed.wait(), 1)
