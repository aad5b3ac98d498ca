"""What the queue handler is handed, and who wins when it says several things about one message."""

from datetime import UTC, datetime

import pytest

from emulator.runtime import values
from emulator.runtime.batch import MessageBatch
from emulator.sdk.workers.rpc import JsDict

SENT = datetime(2030, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)
MILLISECONDS = int(SENT.timestamp() * 1000)


class Handled:
    """A batch with messages `a`, `b`, … and what it warned of."""

    def __init__(self, *bodies, metrics=None):
        self.warnings = []
        names = "abcdefgh"[: len(bodies)]
        head = {
            "queue": "orders",
            "messages": [[name, MILLISECONDS, number] for number, name in enumerate(names, 1)],
            "metrics": metrics or {"backlogCount": 0, "backlogBytes": 0},
        }
        body = values.encode(list(bodies)).encode()
        self.batch = MessageBatch(head, body, mapping=JsDict, warn=self.warnings.append)


def say(batch, call):
    """ack and retry are said of the first message, ackAll and retryAll of the batch."""
    getattr(batch if call.endswith("All") else batch.messages[0], call)()


def test_a_batch_says_what_it_carries():
    """
    Queue, messages, and each message's id, timestamp (aware, UTC), attempts and body.
    """
    batch = Handled({"sku": "tea"}, "text").batch
    first, second = batch.messages

    assert "orders" == batch.queue
    assert ("a", SENT, 1) == (first.id, first.timestamp, first.attempts)
    assert ("b", 2) == (second.id, second.attempts)
    assert "tea" == first.body.sku
    assert "tea" == first.body["sku"]
    assert "text" == second.body
    assert batch.messages is batch["messages"]
    assert first.body is first["body"]


@pytest.mark.parametrize(
    "body",
    [None, True, 0, 1.5, "", [1, [2]], {"a": {"b": None}}, b"\x00\xff", {1, 2}, datetime(2030, 1, 1)],
    ids=lambda body: type(body).__name__,
)
def test_bodies_arrive_as_they_were_sent(body):
    """
    Plain data, bytes, sets and dates cross; dates are naive UTC as everywhere in a value.
    """
    (message,) = Handled(body).batch.messages

    assert body == message.body


def test_the_metadata_says_what_is_left_in_the_queue():
    """
    The oldest timestamp is a datetime, and missing when nothing is left.
    """
    metrics = {"backlogCount": 2, "backlogBytes": 30, "oldestMessageTimestamp": MILLISECONDS}
    left = Handled(1, metrics=metrics).batch.metadata.metrics

    assert (2, 30, SENT) == (left.backlogCount, left.backlogBytes, left.oldestMessageTimestamp)
    assert "oldestMessageTimestamp" not in Handled(1).batch.metadata["metrics"]


@pytest.mark.parametrize(
    ("call", "acks", "retries", "all_acked", "all_retried"),
    [
        pytest.param(lambda batch, a: None, [], {}, False, (False, None), id="nothing said"),
        pytest.param(lambda batch, a: a.ack(), ["a"], {}, False, (False, None), id="ack"),
        pytest.param(lambda batch, a: a["ack"](), ["a"], {}, False, (False, None), id="ack by key"),
        pytest.param(lambda batch, a: (a.ack(), a.ack()), ["a"], {}, False, (False, None), id="ack twice"),
        pytest.param(lambda batch, a: a.retry(), [], {"a": None}, False, (False, None), id="retry"),
        pytest.param(
            lambda batch, a: a.retry({"delaySeconds": 5}), [], {"a": 5}, False, (False, None), id="retry with an object"
        ),
        pytest.param(
            lambda batch, a: a.retry(delaySeconds=5), [], {"a": 5}, False, (False, None), id="retry with a keyword"
        ),
        pytest.param(
            lambda batch, a: a.retry(delay_seconds=5.0), [], {"a": 5}, False, (False, None), id="retry in snake case"
        ),
        pytest.param(
            lambda batch, a: a.retry(delaySeconds=None), [], {"a": None}, False, (False, None), id="None is no delay"
        ),
        pytest.param(
            lambda batch, a: (a.retry(delaySeconds=5), a.retry()),
            [],
            {"a": None},
            False,
            (False, None),
            id="a second retry replaces the first",
        ),
        pytest.param(lambda batch, a: batch.ackAll(), [], {}, True, (False, None), id="ackAll"),
        pytest.param(lambda batch, a: batch.ack_all(), [], {}, True, (False, None), id="ack_all"),
        pytest.param(lambda batch, a: batch.retryAll(), [], {}, False, (True, None), id="retryAll"),
        pytest.param(lambda batch, a: batch.retry_all(delay_seconds=9), [], {}, False, (True, 9), id="retry_all"),
        pytest.param(
            lambda batch, a: (batch.retryAll(delaySeconds=9), batch.retryAll()),
            [],
            {},
            False,
            (True, 9),
            id="a second retryAll keeps the delay",
        ),
        pytest.param(
            lambda batch, a: (a.ack(), batch.retryAll()), ["a"], {}, False, (True, None), id="ack stays under retryAll"
        ),
        pytest.param(
            lambda batch, a: (a.retry(), batch.ackAll()),
            [],
            {"a": None},
            True,
            (False, None),
            id="retry stays under ackAll",
        ),
        pytest.param(
            lambda batch, a: (batch.retryAll(), a.retry(delaySeconds=3)),
            [],
            {"a": 3},
            False,
            (True, None),
            id="a delay of its own after retryAll",
        ),
        pytest.param(
            lambda batch, a: (batch.ackAll(), a.ack()), [], {}, True, (False, None), id="ack after ackAll is nothing"
        ),
    ],
)
def test_what_is_asked_for_is_recorded(call, acks, retries, all_acked, all_retried):
    """
    Each call in either spelling, and those that go together; nothing of it warns.
    """
    handled = Handled(1, 2)
    call(handled.batch, handled.batch.messages[0])
    recorded = handled.batch.recorded()
    retry, delay = all_retried

    assert [] == handled.warnings
    assert acks == recorded["explicitAcks"]
    assert retries == {each["msgId"]: each.get("delaySeconds") for each in recorded["retryMessages"]}
    assert all_acked is recorded["ackAll"]
    assert {"retry": retry} | ({} if delay is None else {"delaySeconds": delay}) == recorded["retryBatch"]


@pytest.mark.parametrize(
    ("first", "second", "warning"),
    [
        pytest.param("ack", "retry", "retry() of message a is ignored: it is acked", id="retry after ack"),
        pytest.param("retry", "ack", "ack() of message a is ignored: it is marked for a retry", id="ack after retry"),
        pytest.param(
            "ackAll", "retry", "retry() of message a is ignored: ackAll() was called before", id="retry after ackAll"
        ),
        pytest.param(
            "retryAll", "ack", "ack() of message a is ignored: retryAll() was called before", id="ack after retryAll"
        ),
        pytest.param(
            "ackAll", "retryAll", "retryAll() is ignored: ackAll() was called before", id="retryAll after ackAll"
        ),
        pytest.param(
            "retryAll", "ackAll", "ackAll() is ignored: retryAll() was called before", id="ackAll after retryAll"
        ),
    ],
)
def test_the_first_word_wins_and_the_second_warns(first, second, warning):
    """
    What comes too late changes nothing of the record and says so.
    """
    handled = Handled(1)
    say(handled.batch, first)
    recorded = handled.batch.recorded()
    say(handled.batch, second)

    assert [warning] == handled.warnings
    assert recorded == handled.batch.recorded()


@pytest.mark.parametrize("delay", ["5", True, [5], float("nan"), float("inf")], ids=repr)
def test_a_delay_is_a_number(delay):
    """
    Anything else is a TypeError at the call, and nothing is recorded.
    """
    handled = Handled(1)

    with pytest.raises(TypeError, match="delaySeconds is a number of seconds"):
        handled.batch.messages[0].retry(delaySeconds=delay)

    assert [] == handled.batch.recorded()["retryMessages"]
