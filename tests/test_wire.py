"""Frames survive the wire whole, whatever their pieces."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import WorkerError
from emulator.generation import Generation, Hooks
from emulator.wire import (
    TO_EMULATOR,
    TO_WORKER,
    Frame,
    MemoryChannel,
    SocketChannel,
    Unpacker,
    WireError,
    memory_channels,
    pack,
)

kinds = st.sampled_from(sorted({*TO_WORKER, *TO_EMULATOR}))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
frames = st.builds(
    Frame,
    kind=kinds,
    id=st.integers(0, 2**40),
    head=st.dictionaries(st.text(max_size=10), json_values, max_size=5),
    body=st.binary(max_size=300),
)


@given(sent=st.lists(frames, max_size=6), cut=st.integers(1, 50))
def test_frames_arrive_as_they_were_sent_however_the_bytes_are_cut(sent, cut):
    """
    Any sequence of frames comes out of the unpacker unchanged, in whatever pieces the bytes come.
    """
    stream = b"".join(map(pack, sent))
    unpacker = Unpacker()

    received = [frame for start in range(0, len(stream), cut) for frame in unpacker.feed(stream[start : start + cut])]

    assert sent == received


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frames_are_refused_and_nothing_else_happens(noise):
    """
    Arbitrary bytes either wait for more or raise WireError.
    """
    try:
        for frame in Unpacker().feed(noise):
            assert frame.kind in TO_WORKER or frame.kind in TO_EMULATOR
    except WireError:
        pass


@pytest.mark.parametrize(
    "head",
    [b"[]", b"{}", b'["fetch", "1", {}]', b'["nonsense", 1, {}]', b'["fetch", 1, []]', b"\xff"],
    ids=["short list", "no list", "id is text", "unknown kind", "fields are a list", "no text"],
)
def test_a_head_of_the_wrong_shape_is_refused(head):
    """
    A frame whose head is not [kind, id, fields] raises WireError.
    """
    with pytest.raises(WireError):
        list(Unpacker().feed(len(head).to_bytes(4, "big") + b"\0\0\0\0" + head))


async def test_two_ends_in_memory_talk_as_over_a_socket():
    """
    What one end of a memory channel sends, the other receives; closing one closes both.
    """
    one, two = memory_channels()
    received, closed = [], []
    two.on_frame = received.append
    two.on_close = lambda: closed.append("two")
    one.on_close = lambda: closed.append("one")

    one.send("ping", 3, {"turns": 0})
    one.close()
    await asyncio.sleep(0)

    assert [Frame("ping", 3, {"turns": 0})] == received
    assert ["one", "two"] == sorted(closed)


WORKER = """
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        async def pieces():
            yield b"a"
            yield b"b"
        await self.env.JOBS.send({"n": 1})
        return Response(pieces())

    async def scheduled(self, controller, env, ctx):
        print("tick")

    async def queue(self, batch, env, ctx):
        batch.messages[0].retry()

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("price")
        async def price():
            return 1
        await step.sleep("rest", "1 hour")
        return await price()
"""
BINDINGS = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"
[[queues.producers]]
binding = "JOBS"
queue = "jobs"
[[queues.consumers]]
queue = "jobs"
max_batch_timeout = 1
"""


async def test_the_tables_name_every_field_that_is_sent(emu, monkeypatch):
    """
    Requests, ticks, batches, instances and failed loads send no field that their kind does not have.
    """
    sent = []
    send = MemoryChannel.send

    def noted(self, kind, id=0, head=None, body=b""):
        sent.append((kind, set(head or {})))
        send(self, kind, id, head, body)

    monkeypatch.setattr(MemoryChannel, "send", noted)
    await emu.start(WORKER, config=BINDINGS)
    await emu.post("/", b"body")
    await emu.tick()
    await emu.advance(seconds=5)
    await emu.create("order")
    await emu.advance(hours=2)
    with contextlib.suppress(WorkerError):
        await emu.reload("1 / 0")

    assert {"load", "fetch", "scheduled", "queue", "run", "call", "answer", "head", "failed"} <= {
        kind for kind, _ in sent
    }
    assert [] == [(kind, head) for kind, head in sent if "…" not in named(kind) and not head <= named(kind)]


def named(kind):
    """The fields that the tables name for a kind."""
    fields, colon, _ = (TO_WORKER | TO_EMULATOR)[kind].partition(":")
    return set(fields.split(", ")) if colon else set()


class Recorder:
    """A transport that keeps what is written."""

    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(list(Unpacker().feed(data)))


async def test_the_frames_of_one_turn_leave_in_one_write():
    """
    A few frames are sent in the turn they were made in, together.
    """
    channel, transport = SocketChannel(), Recorder()
    channel.connection_made(transport)

    for number in range(3):
        channel.send("answer", number)
    await asyncio.sleep(0)

    assert [3] == [len(frames) for frames in transport.writes]


async def test_the_first_of_many_frames_do_not_wait_for_the_last():
    """
    While one side still makes frames, the other can begin with those that were made first; none is sent twice.
    """
    channel, transport = SocketChannel(), Recorder()
    channel.connection_made(transport)

    for number in range(100):
        channel.send("answer", number)
    at_once = len(transport.writes)
    await asyncio.sleep(0)

    assert at_once > 1

    assert list(range(100)) == [frame.id for frames in transport.writes for frame in frames]


async def test_all_who_want_the_users_loop_settled_in_one_turn_ask_once():
    """
    Thousands of passes fall asleep together; the worker's process is asked once for all, after what was sent before.
    """
    ours, theirs = memory_channels()
    received = []
    theirs.on_frame = received.append
    generation = Generation("shop", 1, Hooks(answer=None, printed=None, died=None, blocked=None), ours)

    settling = [asyncio.ensure_future(generation.settle()) for _ in range(5)]
    await asyncio.sleep(0)
    generation.send("answer", 7)
    for _ in range(3):
        await asyncio.sleep(0)

    assert ["answer", "ping"] == [frame.kind for frame in received]

    settling[0].cancel()
    theirs.send("pong", received[1].id, {"debugger": False})
    await asyncio.gather(*settling[1:])

    assert settling[0].cancelled()
