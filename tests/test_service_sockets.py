"""Web sockets between workers: both directions, every way to end, and a browser's one handed on."""

import pytest
from test_real_workers import run
from test_websockets import Browser

__all__ = ["run"]


@pytest.fixture
async def rooms(run):
    return await run("socket_pair/front", "socket_pair/back")


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param("talk", [101, "welcome to http://room/1", "HELLO", "0201"], id="text and bytes, both ways"),
        pytest.param("they-close", [[4000, "as you wish", True]], id="the other worker closes"),
        pytest.param("we-close", [[4001, "enough", True]], id="this worker closes"),
        pytest.param("long", [3_000_000], id="a message larger than what may be under way"),
        pytest.param("self", ["cba"], id="a worker with itself"),
        pytest.param("closed", [403, None, "the room is closed"], id="another response is no web socket"),
    ],
)
async def test_two_workers_talk(rooms, way, expected):
    """
    What one sends the other receives, codes and reasons included.
    """
    assert expected == (await rooms.get(f"/{way}")).json


async def test_the_other_worker_learns_of_the_end(rooms):
    """
    Its close listener is told code and reason, and the terminal shows the whole socket in one line.
    """
    await rooms.get("/we-close")
    await rooms.settle()

    assert "room closed 4001 enough" in rooms.lines
    assert "WS     sockets-back /1              closed 4001 (0 in, 1 out)" in rooms.lines


async def test_a_handler_that_raises(rooms):
    """
    Who asked for the web socket gets the exception, as with any request.
    """
    answer = await rooms.get("/broken")

    assert 500 == answer.status
    assert "LookupError: no such room" in answer.text


async def test_a_browsers_web_socket_is_handed_on(rooms):
    """
    A worker may return the answer of another: the browser then talks to that one.
    """
    browser = Browser(rooms, "/lobby")
    accepted, first = await browser.next(), await browser.next()
    browser.say("hi")
    second = await browser.next()
    await browser.leave(4002, "got to go")
    await rooms.settle()

    assert ("websocket.accept", "chat") == (accepted["type"], accepted["subprotocol"])
    assert ["welcome to http://127.0.0.1:8787/lobby", "HI"] == [first["text"], second["text"]]
    assert "room closed 4002 got to go" in rooms.lines


async def test_a_reload_of_the_other_worker_closes(rooms):
    """
    Both sides are told that it has been replaced.
    """
    browser = Browser(rooms, "/lobby")
    await browser.next()
    await browser.next()
    await rooms.emulator.reload(rooms.emulator.workers[1])
    closed = await browser.next()
    await browser.task

    assert (1012, "the worker has been reloaded") == (closed["code"], closed["reason"])
    assert "room closed 1012" in rooms.lines


async def test_a_reload_of_the_worker_that_asked_closes(rooms):
    """
    Nobody is left talking to a worker that is gone.
    """
    await rooms.get("/leave")
    await rooms.reload()
    await rooms.settle()

    assert "room closed 1006 the worker is gone" in rooms.lines


@pytest.mark.slow
async def test_the_other_workers_process_ends(run, emu_processes):
    """
    The one who asked learns that the connection broke.
    """
    emu = await run("socket_pair/front", "socket_pair/back", emulated=emu_processes)

    assert [[1006, "the worker is gone", False]] == (await emu.get("/die")).json[-1:]
