"""The tables of the queue broker: the order of messages, what waits, what is settled."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import StoreError
from emulator.store import Store
from emulator.store.messages import Arrivals, Backlog, Draft, Messages

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
AT_ONCE = timedelta()


def seconds(number):
    return timedelta(seconds=number)


def draft(value, delay=None, size=10):
    wait = None if delay is None else seconds(delay)
    return Draft(body=json.dumps(value), content_type="json", size=size, delay=wait)


@pytest.fixture
async def store(tmp_path):
    opened = Store(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def messages(store):
    return store.messages


@pytest.fixture
def send(store):
    def add(*drafts, queue="orders", at=NOW, delay=AT_ONCE):
        with store.transaction():
            store.messages.add(queue, drafts, at=at, delay=delay)

    return add


def bodies(found):
    return [json.loads(message.body) for message in found]


async def test_a_message_comes_back_as_it_was_sent(send, messages):
    """
    Body, type and the moment of sending are kept; the id is 32 hexadecimal digits.
    """
    send(draft({"sku": "tea"}))
    (message,) = messages.visible("orders", at=NOW, limit=10)

    assert ("orders", '{"sku": "tea"}', "json", 0) == (
        message.queue,
        message.body,
        message.content_type,
        message.failures,
    )
    assert (NOW, NOW) == (message.sent_at, message.visible_at)
    assert 32 == len(message.id)
    assert int(message.id, 16)


async def test_messages_come_in_the_order_in_which_they_arrive(send, messages):
    """
    A delayed message takes its place when its delay is over, not when it was sent.
    """
    send(draft("late", delay=2), draft("first"))
    send(draft("second"), at=NOW + seconds(1))
    send(draft("last"), at=NOW + seconds(3))

    assert ["first", "second"] == bodies(messages.visible("orders", at=NOW + seconds(1), limit=10))
    assert ["first", "second", "late", "last"] == bodies(messages.visible("orders", at=NOW + seconds(3), limit=10))


@pytest.mark.parametrize(
    ("own", "queue", "expected"),
    [
        pytest.param(None, 0, 0, id="none at all"),
        pytest.param(None, 7, 7, id="the queue's own"),
        pytest.param(3, 7, 3, id="the message's own wins"),
        pytest.param(0, 7, 0, id="an explicit zero wins too"),
    ],
)
async def test_a_messages_own_delay_wins(send, messages, own, queue, expected):
    """
    A message without a delay of its own has that of its queue.
    """
    send(draft("x", delay=own), delay=seconds(queue))

    assert NOW + seconds(expected) == messages.peek("orders", limit=1)[0].visible_at


async def test_messages_that_are_being_delivered_are_not_taken_twice(send, messages):
    """
    Those named as taken are passed over, and the limit counts the others.
    """
    send(*map(draft, range(5)))
    taken = [message.sequence for message in messages.visible("orders", at=NOW, limit=2)]

    assert [2, 3] == bodies(messages.visible("orders", at=NOW, limit=2, taken=taken))


async def test_arrivals_say_when_a_batch_will_be_full(send, messages):
    """
    The first and the last of the next messages, delayed ones included; None when there are none.
    """
    send(draft("a"), draft("b", delay=5), draft("c", delay=9))

    assert Arrivals(count=2, first_at=NOW, last_at=NOW + seconds(5)) == messages.arrivals("orders", limit=2)
    assert Arrivals(count=3, first_at=NOW, last_at=NOW + seconds(9)) == messages.arrivals("orders", limit=10)
    assert messages.arrivals("another", limit=10) is None


async def test_the_backlog_leaves_out_what_is_delayed_or_being_delivered(send, messages):
    """
    Count and bytes are of what could be delivered now; the oldest is the one at the head.
    """
    send(draft("a", size=100), draft("later", delay=60, size=1))
    send(draft("b", size=20), at=NOW + seconds(1))
    taken = [message.sequence for message in messages.visible("orders", at=NOW, limit=1)]
    now = NOW + seconds(1)

    assert Backlog(count=2, bytes=120, oldest_at=NOW) == messages.backlog("orders", at=now)
    assert Backlog(count=1, bytes=20, oldest_at=now) == messages.backlog("orders", at=now, taken=taken)
    assert 3 == messages.backlog("orders", at=NOW + seconds(60)).count
    assert Backlog() == messages.backlog("another", at=now)


async def test_settling_forgets_some_and_puts_others_at_the_tail(store, send, messages):
    """
    A message that goes back keeps id, body and moment of sending; its failures are counted.
    """
    send(*map(draft, ["done", "again", "waiting"]))
    done, again = messages.visible("orders", at=NOW, limit=2)
    with store.transaction():
        messages.settle([done, again], back=[replace(again, failures=1)])

    left = messages.visible("orders", at=NOW, limit=10)

    assert ["waiting", "again"] == bodies(left)
    assert (again.id, again.sent_at, 1) == (left[1].id, left[1].sent_at, left[1].failures)
    assert 20 == messages.backlog("orders", at=NOW).bytes


async def test_settling_moves_a_message_to_another_queue(store, send, messages):
    """
    A dead letter leaves its queue and arrives in the other, with its size.
    """
    send(draft("poison", size=77))
    (poison,) = messages.visible("orders", at=NOW, limit=1)
    with store.transaction():
        messages.settle([poison], back=[replace(poison, queue="orders-dead")])

    assert {"orders": 0, "orders-dead": 1} == messages.counts()
    assert 77 == messages.backlog("orders-dead", at=NOW).bytes
    assert poison.id == messages.peek("orders-dead", limit=1)[0].id


async def test_a_purged_message_does_not_come_back(store, send, messages):
    """
    A queue purged while a batch is under way stays empty when the batch is settled.
    """
    send(draft("a"), draft("b"))
    (message,) = messages.visible("orders", at=NOW, limit=1)
    with store.transaction():
        count = messages.purge("orders")
        messages.settle([message], back=[replace(message, failures=1)])

    assert 2 == count
    assert {"orders": 0} == messages.counts()


async def test_a_paused_queue_has_no_arrivals(store, send, messages):
    """
    What is in a paused queue stays; other queues go on.
    """
    send(draft("a"))
    send(draft("b"), queue="another")
    with store.transaction():
        messages.set_paused("orders", True)

    assert messages.arrivals("orders", limit=1) is None
    assert messages.arrivals("another", limit=1)
    assert {"orders"} == messages.paused()

    with store.transaction():
        messages.set_paused("orders", False)

    assert messages.arrivals("orders", limit=1)


async def test_what_was_not_settled_is_still_there_after_a_restart(tmp_path):
    """
    A new store on the same folder finds the messages, the counts and the pause.
    """
    first = Store(tmp_path / "state")
    with first.transaction():
        first.messages.add("orders", [draft("a")], at=NOW, delay=AT_ONCE)
        first.messages.set_paused("orders", True)
    first.close()

    second = Store(tmp_path / "state")

    assert ["a"] == bodies(second.messages.peek("orders", limit=10))
    assert {"orders": 1} == second.messages.counts()
    assert {"orders"} == second.messages.paused()

    second.close()


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda messages: messages.arrivals("orders", limit=1), id="arrivals"),
        pytest.param(lambda messages: messages.visible("orders", at=NOW, limit=1), id="visible"),
        pytest.param(lambda messages: messages.backlog("orders", at=NOW), id="backlog"),
        pytest.param(lambda messages: messages.counts(), id="counts"),
        pytest.param(lambda messages: messages.peek("orders", limit=1), id="peek"),
        pytest.param(lambda messages: messages.paused(), id="paused"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_store(ask):
    """
    Whoever asks meets one kind of error, for reads and for writes.
    """
    with closing(sqlite3.connect(":memory:")) as db, pytest.raises(StoreError, match=r"state\.db could not be read"):
        ask(Messages(db))


class _Undone(Exception):
    pass


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


_MOVES = st.lists(st.tuples(st.sampled_from(["send", "ack", "retry", "undo"]), st.integers(1, 5)), max_size=15)


@given(_MOVES)
async def test_the_counts_are_those_of_the_messages(shared_folder, moves):
    """
    Whatever is sent, acked, retried or rolled back, the kept counts agree with the rows.
    """
    store = Store(shared_folder / "state")
    with store.transaction():
        store.messages.purge("orders")
    for move, number in moves:
        _make(store, move, number)
    rows = store.messages.peek("orders", limit=1000)
    waiting = store.messages.backlog("orders", at=NOW)
    store.close()

    assert (len(rows), 10 * len(rows)) == (waiting.count, waiting.bytes)


def _make(store, move, number):
    try:
        with store.transaction():
            taken = store.messages.visible("orders", at=NOW, limit=number)
            match move:
                case "send" | "undo":
                    store.messages.add("orders", map(draft, range(number)), at=NOW, delay=AT_ONCE)
                case "ack":
                    store.messages.settle(taken, back=[])
                case "retry":
                    store.messages.settle(taken, back=taken)
            if move == "undo":
                raise _Undone
    except _Undone:
        pass
