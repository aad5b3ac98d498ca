"""`cloudflare:sockets`: a worker talks to a TCP server."""

import asyncio
import contextlib
import gc

import pytest

from emulator.sdk.js import Uint8Array
from emulator.sdk.pyodide.ffi import JsException
from emulator.sdk.workers import import_from_javascript

connect = import_from_javascript("cloudflare:sockets").connect


@pytest.fixture
async def server():
    """Greets, and answers in capitals, until the other side has said all, or begins a TLS handshake."""

    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        writer.write(b"welcome\n")
        with contextlib.suppress(ConnectionError):
            while (piece := await reader.read(1000)) and piece[0] != 0x16:
                writer.write(piece.upper())
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        await asyncio.gather(*serving)


async def text(socket):
    return b"".join([piece.to_bytes() async for piece in socket.readable]).decode()


@pytest.mark.parametrize("form", ["text", "object"])
async def test_a_conversation(server, form):
    """
    What is written goes out in order, what comes back is read to the end.
    """
    socket = connect(f"127.0.0.1:{server}" if form == "text" else {"hostname": "127.0.0.1", "port": server})
    writer = socket.writable.getWriter()
    writer.write(Uint8Array.new([104, 105, 10]))
    writer.write(b"there\n")
    await writer.close()

    assert "welcome\nHI\nTHERE\n" == await text(socket)
    assert await socket.closed is None


async def test_where_it_leads(server):
    """
    `opened` tells both ends.
    """
    socket = connect(f"127.0.0.1:{server}")
    places = await socket.opened
    await socket.close()

    assert f"127.0.0.1:{server}" == places.remoteAddress
    assert places.localAddress.startswith("127.0.0.1:")
    assert await socket.closed is None


async def test_a_connection_that_nobody_keeps_is_closed(server):
    """
    The server sees the end when the worker forgets its socket.
    """
    socket = connect(f"127.0.0.1:{server}")
    await socket.opened
    _, writer = await socket._dialled
    del socket

    gc.collect()

    assert writer.is_closing()


async def test_nobody_answers():
    """
    `opened` fails, and so does reading.
    """
    socket = connect("127.0.0.1:1")

    with pytest.raises(JsException, match=r"cannot connect to 127\.0\.0\.1"):
        await socket.opened
    with pytest.raises(JsException, match=r"cannot connect to 127\.0\.0\.1"):
        await text(socket)


@pytest.mark.parametrize("address", ["nowhere", "host:", ":80", "host:99999", {"hostname": "x"}, {"port": 80}])
async def test_what_is_no_address(address):
    """
    It is an error at once.
    """
    with pytest.raises(JsException, match="TypeError: The specified address could not be parsed"):
        connect(address)


async def test_how_it_is_secured(server):
    """
    An option that there is not, and an upgrade that was not asked for, are errors.
    """
    with pytest.raises(JsException, match="secureTransport is one of off, on, starttls"):
        connect("a:1", secureTransport="maybe")
    socket = connect(f"127.0.0.1:{server}")
    with pytest.raises(JsException, match="must be set to"):
        socket.startTls()
    await socket.close()


async def test_an_upgrade_goes_on_over_the_same_connection(server):
    """
    The first socket is closed, the second one shakes hands; this server does not know how, so that fails.
    """
    socket = connect(f"127.0.0.1:{server}", {"secureTransport": "starttls"})
    await socket.opened
    secured = socket.startTls()

    assert await socket.closed is None
    with pytest.raises(JsException, match="cannot connect"):
        await secured.opened
