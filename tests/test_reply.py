"""An answer in pieces: whoever reads it hears of its end, also of an untimely one."""

import asyncio

import pytest

from emulator.calls import Calls
from emulator.reply import Reply
from emulator.wire import Frame


class Sent:
    """The channel's place: what was sent, by kind."""

    def __init__(self):
        self.frames = []

    def send(self, kind, number, head=None, body=b""):
        self.frames.append((kind, number, head, body))

    @property
    def last(self):
        return self.frames[-1]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([], ("piece", 7, {"more": False, "error": "it broke"}, b""), id="none sent"),
        pytest.param([True], ("piece", 7, {"more": False, "error": "it broke"}, b""), id="one sent"),
        pytest.param([True, False], ("piece", 7, {"more": False}, b"x"), id="all sent"),
    ],
)
async def test_what_is_broken_off_has_an_end(pieces, expected):
    """
    A reader is told once, and not after the last piece.
    """
    sent = Sent()
    reply = Reply(sent.send, 7)
    reply.start({"status": 200, "more": True}, b"")
    for more in pieces:
        await reply.piece(b"x", more=more)

    assert reply.break_off("it broke")
    assert reply.break_off("it broke again")
    assert expected == sent.last


def test_what_has_not_begun_is_not_broken_off():
    """
    The answer itself is the place for an error then.
    """
    sent = Sent()

    assert not Reply(sent.send, 7).break_off("it broke")
    assert [] == sent.frames


async def raises(reply):
    raise LookupError("no more")


async def ends(reply):
    """The other worker's handler was cancelled, which is no error."""


@pytest.mark.parametrize(
    ("then", "words"),
    [(raises, "the response broke off: LookupError: no more"), (ends, "the response broke off")],
)
async def test_a_call_that_fails_after_its_answer_began_ends_it(then, words):
    """
    Whatever went wrong on our side, the worker that reads does not wait for ever.
    """

    async def answer(asked):
        reply = calls.reply(asked)
        reply.start({"status": 200, "more": True}, b"half")
        await then(reply)

    sent = Sent()
    calls = Calls(answer, sent.send)
    calls.receive(Frame("call", 7, {}, b""))
    await asyncio.gather(*calls._answering)

    assert [("answer", 7, {"status": 200, "more": True}, b"half")] == sent.frames[:1]
    assert [("piece", 7, {"more": False, "error": words}, b"")] == sent.frames[1:]


async def test_a_call_that_fails_at_once_is_answered():
    """
    An error before the answer is the answer.
    """

    async def answer(asked):
        calls.reply(asked)
        raise LookupError("no such thing")

    sent = Sent()
    calls = Calls(answer, sent.send)
    calls.receive(Frame("call", 7, {}, b""))
    await asyncio.gather(*calls._answering)

    assert [("answer", 7, {"error": {"kind": "LookupError", "message": "no such thing"}}, b"")] == sent.frames
