"""Back-pressure: a writer is stopped after a window's worth, and goes on with its reader's credit."""

import asyncio

from emulator.window import PIECE, SIZE, Window, pieces


async def test_a_window_is_full_after_so_many_bytes():
    """
    What has room goes at once; what has none waits for credit.
    """
    window = Window()
    await window.take(SIZE)
    late = asyncio.ensure_future(window.take(1))
    await asyncio.sleep(0)

    assert not late.done()

    window.give(1)
    await late


async def test_an_end_needs_no_room():
    """
    A frame without bytes is never held up.
    """
    window = Window()
    await window.take(2 * SIZE)

    await asyncio.wait_for(window.take(0), 1)


async def test_a_writer_that_left_takes_nobody_with_it():
    """
    Of two that wait one may be cancelled; the other gets the room.
    """
    window = Window()
    await window.take(SIZE)
    leaves, stays = (asyncio.ensure_future(window.take(1)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.sleep(0)
    window.give(1)

    await asyncio.wait_for(stays, 1)


def test_a_body_is_cut_into_pieces():
    """
    Nothing is lost, and none is larger than a piece.
    """
    content = bytes(2 * PIECE + 1)

    assert [PIECE, PIECE, 1] == [len(piece) for piece in pieces(content)]
