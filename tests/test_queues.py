"""Queues from send to ack: limits, batches, retries, dead letters, and what survives."""

import asyncio
import io
import json
import sqlite3
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from emulator.bindings import queues
from emulator.clock import ManualClock
from emulator.config import Consumer
from emulator.errors import EmulatorError, StoreError, WorkerGone
from emulator.handlers.batch import BatchLost, QueueEvent, retried
from emulator.handlers.queue import Broker
from emulator.models import Batch, Failure, Message, Outcome
from emulator.reporter import Reporter
from emulator.runtime import values
from emulator.runtime.batch import MessageBatch
from emulator.sdk.workers.rpc import JsDict
from emulator.store import Store
from emulator.terminal import Terminal

START = datetime(2030, 1, 1, tzinfo=UTC)
FAILED = Outcome(outcome="exception", milliseconds=1.0)


def seconds(number):
    return timedelta(seconds=number)


def outcome(outcome="ok", **result):
    return Outcome(outcome=outcome, milliseconds=1.0, result=result)


def retry_all(delay=None):
    return outcome(retryBatch={"retry": True} | ({} if delay is None else {"delaySeconds": delay}))


class Line:
    """A broker on a folder of its own, with a handler that answers what the test has prepared."""

    def __init__(self, folder):
        self.clock = ManualClock(START)
        self.clock.settled = self.settle
        self.folder = folder
        self.answers = deque()
        self.delivered = []
        self.batches = []
        self.said = []
        self.gate = None
        self.consumers = []
        self.open()

    def open(self):
        self.store = Store(self.folder)
        self.broker = Broker(self.store, self.clock, self.deliver, self.say, rest_seconds=0.001)

    async def deliver(self, batch):
        at = (self.clock.now() - START).total_seconds()
        self.batches.append(batch)
        self.delivered.append((at, [json.loads(message.body) for message in batch.messages]))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.popleft() if self.answers else outcome()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def say(self, queue, text):
        self.said.append(f"{queue}: {text}")

    def consume(self, queue="orders", *, delays=None, **options):
        self.consumers = [*(each for each in self.consumers if each.queue != queue), Consumer(queue=queue, **options)]
        self.broker.consume(self.consumers, delays=delays or {})

    async def send(self, *bodies, queue="orders", delay=None):
        messages = [{"body": body} for body in bodies]
        options = {} if delay is None else {"delaySeconds": delay}
        answer = await queues.call(self.broker, queue, "sendBatch", [messages, options])
        await self.settle()
        return answer

    async def advance(self, number):
        await self.clock.advance(seconds(number))

    async def settle(self):
        for _ in range(5):
            await asyncio.sleep(0)
        while self.broker.busy() and self.gate is None:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def rested(self):
        """What could not be delivered is tried again after a moment of real time."""
        await asyncio.sleep(0.005)
        await self.settle()

    async def close(self):
        await self.broker.close()
        self.store.close()

    def waiting(self, queue="orders"):
        return [json.loads(message.body) for message in self.broker.peek(queue)]


@pytest.fixture
async def line(tmp_path):
    made = Line(tmp_path / "state")
    yield made
    await made.close()


# What a producer may send


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"sku": "tea", "n": [1, 2.5, None, True]}, '{"sku":"tea","n":[1,2.5,null,true]}', id="plain"),
        pytest.param(None, "null", id="None"),
        pytest.param("", '""', id="empty text"),
        pytest.param(datetime(2030, 1, 1, 12, 0, 0, 5000, UTC), '"2030-01-01T12:00:00.005Z"', id="a date is text"),
        pytest.param([float("nan"), float("inf")], "[null,null]", id="no such numbers in JSON"),
        pytest.param(b"\x01\x02", '{"0":1,"1":2}', id="bytes"),
        pytest.param({1}, "{}", id="a set"),
        pytest.param({"$": 1}, '{"$":"dict","v":[["$",1]]}', id="a key of the wire form"),
    ],
)
def test_json_is_what_javascript_would_write(body, expected):
    """
    Without a content type a body becomes JSON, as JSON.stringify makes it.
    """
    draft = queues.one_draft(body, {})

    assert (expected, "json") == (draft.body, draft.content_type)


@pytest.mark.parametrize(
    ("content_type", "body", "size"),
    [
        pytest.param("json", {"a": "ü"}, len('{"a":"ü"}'.encode()), id="json counts UTF-8"),
        pytest.param("json", "€", 5, id="json counts the quotes"),
        pytest.param("JSON", 1, 1, id="in any case"),
        pytest.param("text", "€", 3, id="text counts UTF-8 alone"),
        pytest.param("text", "\ud800", 3, id="half a surrogate pair"),
        pytest.param("bytes", b"\x00\xff", 2, id="bytes"),
        pytest.param("bytes", memoryview(b"abc"), 3, id="a view of bytes"),
        pytest.param("v8", [1], 3, id="v8"),
    ],
)
def test_sizes_are_those_of_the_content(content_type, body, size):
    """
    What counts against the limits depends on the content type.
    """
    assert size == queues.one_draft(body, {"contentType": content_type}).size


@pytest.mark.parametrize(
    "body",
    [{"when": datetime(2030, 1, 1), "set": {1, 2}, "bytes": b"\x00", "big": 2**70}, [float("inf")]],
    ids=["rich", "infinite"],
)
def test_v8_keeps_more_than_json(body):
    """
    Dates, sets, bytes and large numbers survive under the content type v8.
    """
    assert body == values.decode(queues.one_draft(body, {"contentType": "v8"}).body)


@pytest.mark.parametrize(
    ("body", "options", "error"),
    [
        pytest.param(1, {"contentType": "xml"}, "Unsupported queue message content type: xml", id="unknown type"),
        pytest.param(1, {"contentType": 7}, "Unsupported queue message content type: 7", id="no text as a type"),
        pytest.param(1, {"contentType": "text"}, "requires a value of type string, but received: int", id="text"),
        pytest.param(
            "a", {"contentType": "bytes"}, "requires a value of type ArrayBufferView, but received: str", id="bytes"
        ),
        pytest.param(2**60, {}, "Do not know how to serialize a BigInt", id="a number too large for JSON"),
        pytest.param(1, [], "options are contentType and delaySeconds, got list", id="options"),
    ],
)
def test_a_body_of_the_wrong_type_is_a_type_error(body, options, error):
    """
    The error names the content type and what came instead.
    """
    with pytest.raises(TypeError, match=error):
        queues.one_draft(body, options)


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        pytest.param([], "sendBatch\\(\\) requires at least one message", id="empty"),
        pytest.param([{"contentType": "json"}], "Message body cannot be undefined", id="no body"),
        pytest.param([{"body": 1}, 2], 'a message of a batch is {"body", .*, got int', id="no message"),
    ],
)
def test_a_batch_is_made_of_messages(messages, error):
    """
    An empty batch and what is no message are TypeErrors.
    """
    with pytest.raises(TypeError, match=error):
        queues.batch_of_drafts(messages, {})


def text(size):
    return {"body": "x" * size, "contentType": "text"}


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        pytest.param([text(1)] * 100, None, id="100 messages"),
        pytest.param([text(1)] * 101, "batch message count of 101 exceeds limit of 100", id="101 messages"),
        pytest.param([text(128_000)], None, id="128000 bytes"),
        pytest.param(
            [text(1), text(128_001)],
            "message in batch has length 128001 bytes which exceeds single message limit of 128000",
            id="128001 bytes",
        ),
        pytest.param([text(96_000)] * 3, None, id="288000 bytes in all"),
        pytest.param(
            [text(96_000)] * 2 + [text(96_001)], "batch size of 288001 bytes exceeds limit of 288000", id="one more"
        ),
        pytest.param([text(128_001)] * 101, "batch message count of 101", id="the count is looked at first"),
    ],
)
def test_limits_of_a_batch(messages, error):
    """
    Exactly the limit passes; one more is refused with the platform's numbers.
    """
    if error is None:
        queues.batch_of_drafts(messages, {})
        return
    with pytest.raises(EmulatorError, match=f"Queue sendBatch failed: {error}"):
        queues.batch_of_drafts(messages, {})


def test_the_limit_of_one_message():
    """
    128000 bytes pass, 128001 do not.
    """
    queues.one_draft("x" * 128_000, {"contentType": "text"})

    with pytest.raises(
        EmulatorError, match="Queue send failed: message length of 128001 bytes exceeds limit of 128000"
    ):
        queues.one_draft("x" * 128_001, {"contentType": "text"})


@pytest.mark.parametrize("delay", [-1, 86_401, 1.5, "5", True, float("nan")], ids=repr)
def test_a_delay_is_a_whole_number_up_to_a_day(delay):
    """
    Anything else is refused, for one message and inside a batch.
    """
    with pytest.raises(EmulatorError, match="Queue send failed: delaySeconds must be a whole number from 0 to 86400"):
        queues.one_draft(1, {"delaySeconds": delay})
    with pytest.raises(EmulatorError, match="Queue sendBatch failed: delaySeconds must be"):
        queues.batch_of_drafts([{"body": 1, "delaySeconds": delay}], {})


@pytest.mark.parametrize(
    ("own", "batch", "queue", "expected"),
    [
        pytest.param({}, {}, 0, 0, id="none"),
        pytest.param({}, {}, 30, 30, id="the queue's"),
        pytest.param({}, {"delaySeconds": 20}, 30, 20, id="the batch's"),
        pytest.param({"delaySeconds": 10}, {"delaySeconds": 20}, 30, 10, id="the message's"),
        pytest.param({"delay_seconds": 10}, {"delay_seconds": 20}, 30, 10, id="snake case"),
        pytest.param({"delaySeconds": 0}, {"delaySeconds": 20}, 30, 0, id="an explicit zero"),
        pytest.param({"delaySeconds": None}, {"delaySeconds": 20}, 30, 20, id="None is none"),
    ],
)
async def test_the_nearest_delay_wins(line, own, batch, queue, expected):
    """
    A message's own delay, then the batch's, then the queue's.
    """
    line.consume(delays={"orders": queue}, max_batch_timeout=seconds(0))
    await queues.call(line.broker, "orders", "sendBatch", [[{"body": 1, **own}], batch])
    await line.settle()
    await line.advance(100)

    assert [(expected, [1])] == line.delivered


async def test_one_bad_message_sends_nothing(line):
    """
    A batch is checked whole before anything is stored.
    """
    with pytest.raises(TypeError):
        await queues.call(line.broker, "orders", "sendBatch", [[{"body": 1}, {"body": 1, "contentType": "text"}], {}])

    assert {} == line.broker.counts()


async def test_send_answers_what_was_waiting_before(line):
    """
    The first send reports an empty queue, the next one the first message.
    """
    first = await queues.call(line.broker, "orders", "send", ["tea", {}])
    second = await queues.call(line.broker, "orders", "send", ["later", {"delaySeconds": 5}])
    now = await queues.call(line.broker, "orders", "metrics", [])
    expected = {"backlogCount": 1, "backlogBytes": 5, "oldestMessageTimestamp": START}

    assert {"metadata": {"metrics": {"backlogCount": 0, "backlogBytes": 0}}} == first
    assert {"metadata": {"metrics": expected}} == second
    assert expected == now


# When a batch goes out


@pytest.mark.parametrize(
    ("sends", "expected"),
    [
        pytest.param([(0, 1)], [(1, 1)], id="one waits for company"),
        pytest.param([(0, 1), (0, 2), (0, 1)], [(1, 4)], id="several sends, one batch"),
        pytest.param([(0, 5)], [(0, 5)], id="a full batch goes at once"),
        pytest.param([(0, 7)], [(0, 5), (1, 2)], id="what is left waits"),
        pytest.param([(0, 6), (0.5, 5)], [(0, 5), (0.5, 5), (1.5, 1)], id="filled meanwhile"),
        pytest.param([(0, 1), (0.9, 1)], [(1, 2)], id="the wait is the first one's"),
        pytest.param([(0, 12)], [(0, 5), (0, 5), (1, 2)], id="two full ones"),
    ],
)
async def test_a_batch_goes_when_it_is_full_or_has_waited(line, sends, expected):
    """
    At most five messages, at most a second.
    """
    line.consume(max_batch_size=5, max_batch_timeout=seconds(1))
    for at, count in sends:
        await line.advance(at - (line.clock.now() - START).total_seconds())
        await line.send(*range(count))
    await line.advance(10)

    assert expected == [(at, len(bodies)) for at, bodies in line.delivered]


async def test_a_delayed_message_can_fill_a_batch(line):
    """
    The batch goes at the moment the message that fills it may be delivered.
    """
    line.consume(max_batch_size=2, max_batch_timeout=seconds(60))
    await line.send("a")
    await line.send("b", delay=7)
    await line.advance(100)

    assert [(7, ["a", "b"])] == line.delivered


async def test_a_batch_knows_what_it_leaves_behind(line):
    """
    The backlog is what waits once the batch is taken.
    """
    line.consume(max_batch_size=2)
    await line.send(1, 22, 333)
    (batch,) = line.batches

    assert (1, 3, START) == (batch.backlog_count, batch.backlog_bytes, batch.oldest_at)


@pytest.mark.parametrize(("max_concurrency", "expected"), [(None, 1), (1, 1), (3, 3), (9, 5)])
async def test_so_many_batches_are_under_way_at_once(line, max_concurrency, expected):
    """
    One at a time, or as many as max_concurrency allows; no message is in two of them.
    """
    line.gate = asyncio.Event()
    line.consume(max_batch_size=2, max_concurrency=max_concurrency)
    await line.send(*range(10))

    assert expected == len(line.delivered)

    line.gate.set()
    line.gate = None
    await line.settle()

    assert list(range(10)) == sorted(body for _, bodies in line.delivered for body in bodies)
    assert [] == line.waiting()


# What becomes of a message


IDS = ("a", "b", "c")
MESSAGES = tuple(
    Message(sequence=n, id=id, queue="orders", body="1", content_type="json", sent_at=START, visible_at=START)
    for n, id in enumerate(IDS)
)


@pytest.mark.parametrize(
    ("result", "when_ok", "when_it_raised"),
    [
        pytest.param({}, "", "abc", id="nothing said"),
        pytest.param({"explicitAcks": ["a"]}, "", "bc", id="an ack holds though the handler raises"),
        pytest.param({"retryMessages": [{"msgId": "b"}]}, "b", "abc", id="a retry"),
        pytest.param({"ackAll": True}, "", "", id="ackAll holds though the handler raises"),
        pytest.param({"ackAll": True, "retryMessages": [{"msgId": "b"}]}, "b", "b", id="a retry before ackAll"),
        pytest.param({"retryBatch": {"retry": True}}, "abc", "abc", id="retryAll"),
        pytest.param({"retryBatch": {"retry": True}, "explicitAcks": ["c"]}, "ab", "ab", id="an ack before retryAll"),
    ],
)
def test_what_was_said_of_a_message_wins(result, when_ok, when_it_raised):
    """
    The message's own word, then the batch's, then how the handler ended.
    """
    assert list(when_ok) == [message.id for message, _ in retried(MESSAGES, outcome(**result))]
    assert list(when_it_raised) == [message.id for message, _ in retried(MESSAGES, outcome("exception", **result))]


@pytest.mark.parametrize(
    ("message", "batch", "consumer", "expected"),
    [
        pytest.param({}, {}, None, 0, id="none"),
        pytest.param({}, {}, 30, 30, id="the consumer's"),
        pytest.param({}, {"delaySeconds": 20}, 30, 20, id="retryAll's"),
        pytest.param({"delaySeconds": 10}, {"delaySeconds": 20}, 30, 10, id="the message's"),
        pytest.param({"delaySeconds": 0}, {"delaySeconds": 20}, 30, 0, id="an explicit zero"),
        pytest.param({"delaySeconds": -5}, {}, 30, 0, id="never in the past"),
        pytest.param({"delaySeconds": 10**12}, {}, 30, 86_400, id="a day at most"),
    ],
)
async def test_the_nearest_retry_delay_wins(line, message, batch, consumer, expected):
    """
    The delay of message.retry(), then of batch.retryAll(), then the consumer's.
    """
    delay = None if consumer is None else seconds(consumer)
    line.consume(max_batch_timeout=seconds(0), retry_delay=delay)
    line.gate = asyncio.Event()
    await line.send("tea")
    id = line.batches[0].messages[0].id
    line.answers.append(outcome(retryBatch={"retry": True, **batch}, retryMessages=[{"msgId": id, **message}]))
    line.gate.set()
    line.gate = None
    await line.settle()
    await line.advance(100_000)

    assert [0, expected] == [at for at, _ in line.delivered]


async def test_a_retried_message_is_the_same_one_again(line):
    """
    Id and timestamp stay, the failures are counted, and it comes behind the others.
    """
    line.consume(max_batch_size=1, max_batch_timeout=seconds(0))
    line.answers.append(FAILED)
    await line.send("first", "second")
    first, second, again = (batch.messages[0] for batch in line.batches)

    assert ["first", "second", "first"] == [bodies[0] for _, bodies in line.delivered]
    assert (first.id, first.sent_at) == (again.id, again.sent_at)
    assert [0, 0, 1] == [first.failures, second.failures, again.failures]


@pytest.mark.parametrize(
    ("max_retries", "words"), [(0, "1 failed attempt: "), (2, "3 failed attempts: ")], ids=["no retry", "two retries"]
)
async def test_a_message_that_keeps_failing_is_dropped(line, max_retries, words):
    """
    It is delivered once and then max_retries times; a line says that it is gone.
    """
    line.consume(max_batch_timeout=seconds(0), max_retries=max_retries)
    line.answers.extend([FAILED] * 9)
    await line.send("poison")
    await line.advance(1)

    assert max_retries + 1 == len(line.delivered)
    assert [] == line.waiting()
    assert [f"orders: 1 dropped after {words}{line.batches[0].messages[0].id}"] == line.said


async def test_a_message_that_keeps_failing_goes_to_the_dead_letter_queue(line):
    """
    It keeps id, timestamp and body; there its attempts begin anew.
    """
    line.consume(max_batch_timeout=seconds(0), max_retries=1, dead_letter_queue="orders-dead")
    line.consume("orders-dead", max_batch_timeout=seconds(0))
    line.answers.extend([FAILED, FAILED])
    await line.send("poison")
    await line.advance(1)
    first, dead = line.batches[0].messages[0], line.batches[-1].messages[0]

    assert ["orders", "orders", "orders-dead"] == [batch.queue for batch in line.batches]
    assert (first.id, first.sent_at, first.body, 0) == (dead.id, dead.sent_at, dead.body, dead.failures)
    assert {"orders": 0, "orders-dead": 0} == line.broker.counts()
    assert [f"orders: 1 moved to orders-dead after 2 failed attempts: {first.id}"] == line.said


async def test_a_dead_letter_queue_has_its_own_delay(line):
    """
    The delay of the dead letter queue's producer applies to what is moved there.
    """
    delays = {"orders-dead": 30}
    line.consume(max_batch_timeout=seconds(0), max_retries=0, dead_letter_queue="orders-dead")
    line.consume("orders-dead", max_batch_timeout=seconds(0), delays=delays)
    line.answers.append(FAILED)
    await line.send("poison")
    await line.advance(60)

    assert [0, 30] == [at for at, _ in line.delivered]


async def test_dead_letters_that_nobody_consumes_are_kept(line):
    """
    Every message stays in the dead letter queue; that nobody consumes it is said once.
    """
    line.consume(max_batch_size=5, max_retries=0, dead_letter_queue="orders-dead")
    line.answers.extend([FAILED, FAILED])
    await line.send(*range(10))

    assert list(range(10)) == line.waiting("orders-dead")
    assert 1 == line.said.count("orders-dead: no worker consumes this queue; its messages are kept")


async def test_one_line_tells_of_many_lost_messages(line):
    """
    Three ids are named, however many messages of a batch are given up.
    """
    line.consume(max_batch_size=5, max_retries=0)
    line.answers.append(FAILED)
    await line.send(*range(5))
    ids = ", ".join(message.id for message in line.batches[0].messages[:3])

    assert [f"orders: 5 dropped after 1 failed attempt: {ids}, …"] == line.said


async def test_a_queue_that_nobody_consumes_keeps_its_messages(line):
    """
    It says so once; whoever consumes it later gets them all.
    """
    line.consume("another")
    await line.send("a")
    await line.send("b")
    await line.advance(3600)

    assert ["a", "b"] == line.waiting()
    assert ["orders: no worker consumes this queue; its messages are kept"] == line.said

    line.consume()
    await line.settle()

    assert [(3600, ["a", "b"])] == line.delivered


# What survives


async def test_a_batch_under_way_at_a_crash_is_delivered_again(line):
    """
    Nothing but the store is needed: a second broker on it delivers what the first had begun.
    """
    line.gate = asyncio.Event()
    line.consume(max_batch_size=2)
    await line.send("a", "b")

    assert 1 == len(line.delivered)

    line.gate = None
    line.broker = Broker(line.store, line.clock, line.deliver, line.say)
    line.consume(max_batch_size=2)
    await line.settle()

    assert [["a", "b"], ["a", "b"]] == [bodies for _, bodies in line.delivered]
    assert [] == line.waiting()


async def test_closing_waits_for_a_batch_that_ends_soon(line):
    """
    What a handler finishes while the emulator stops is settled, not delivered twice.
    """
    line.gate = asyncio.Event()
    line.consume(max_batch_size=1)
    await line.send("a", "b")
    closing = asyncio.create_task(line.broker.close())
    await asyncio.sleep(0)
    line.gate.set()
    await closing

    assert ["b"] == line.waiting()
    assert [["a"]] == [bodies for _, bodies in line.delivered]


async def test_a_worker_that_is_not_ready_costs_no_attempt(line):
    """
    A batch that no process could take is kept and tried again; that is said once, and no failure is counted.
    """
    line.consume(max_batch_size=1, max_retries=0)
    line.answers.extend([WorkerGone("the worker is not loaded")] * 3)
    await line.send("tea")
    while len(line.delivered) < 4:
        await line.rested()

    assert [0, 0, 0, 0] == [batch.messages[0].failures for batch in line.batches]
    assert ["orders: not delivered, trying again: WorkerGone: the worker is not loaded"] == line.said
    assert [] == line.waiting()


async def test_a_message_that_kills_the_process_runs_out_of_attempts(line):
    """
    A process that ends over a batch is a failed attempt, and in the end the message is given up.
    """
    line.consume(max_batch_timeout=seconds(0), max_retries=1, dead_letter_queue="orders-dead")
    line.answers.extend([BatchLost("signal 9"), BatchLost("signal 9")])
    await line.send("poison")
    await line.advance(1)

    assert 2 == len(line.delivered)
    assert ["poison"] == line.waiting("orders-dead")


async def test_a_reload_costs_no_attempt(line):
    """
    A batch that is cut short because its generation was replaced is delivered again, uncounted.
    """
    line.answers.append(BatchLost("it was stopped", by_us=True))
    line.consume(max_batch_size=1, max_retries=0)
    await line.send("tea")
    while len(line.delivered) < 2:
        await line.rested()

    assert [0, 0] == [batch.messages[0].failures for batch in line.batches]
    assert [] == line.waiting()


async def test_the_reload_of_another_worker_excuses_nothing(line):
    """
    A batch that takes its process with it has failed, whatever else was saved meanwhile.
    """
    line.gate = asyncio.Event()
    line.answers.append(BatchLost("signal 9"))
    line.consume(max_batch_size=1, max_retries=1)
    await line.send("tea")
    line.consume("invoices")
    line.gate.set()
    line.gate = None
    await line.settle()

    assert [0, 1] == [batch.messages[0].failures for batch in line.batches]


@pytest.mark.parametrize("method", ["arrivals", "visible"])
@pytest.mark.parametrize("error", [StoreError("the disk is gone"), sqlite3.OperationalError("the disk is gone")])
async def test_a_store_that_cannot_be_read_is_read_again(line, monkeypatch, caplog, method, error):
    """
    The queue says so once, and goes on when the disk is there again.
    """

    def fail(*_, **options):
        raise error

    line.consume(max_batch_size=1)
    with monkeypatch.context() as broken:
        broken.setattr(line.store.messages, method, fail)
        await line.send("tea")
        for _ in range(3):
            await line.rested()

    while not line.delivered:
        await line.rested()

    assert ["orders: not delivered, trying again: the disk is gone"] == line.said
    assert "" == caplog.text


def test_a_batch_that_never_began_is_left_to_the_broker_to_tell():
    """
    It is tried again every second until the worker is there; a line each time would say nothing new.
    """
    gone = Outcome(outcome="exception", milliseconds=1.0, error=Failure(name="WorkerGone", message="not loaded"))
    out = io.StringIO()
    terminal = Terminal(out)
    Reporter(terminal, lambda generation, by: "").report(QueueEvent(Batch(queue="orders", messages=MESSAGES)), gone)
    terminal.flush()

    assert "" == out.getvalue()


async def test_a_batch_that_a_reload_overtakes_is_delivered_once(line):
    """
    A batch under way at a reload goes on; its messages are not handed to the new generation too.
    """
    line.gate = asyncio.Event()
    line.consume(max_batch_size=1)
    await line.send("a")
    line.consume(max_batch_size=5, max_concurrency=5, max_batch_timeout=seconds(0))
    await line.send("b")

    assert [["a"], ["b"]] == [bodies for _, bodies in line.delivered]

    line.gate.set()
    line.gate = None
    await line.settle()

    assert [] == line.waiting()


# The command line's own


async def test_a_paused_queue_delivers_nothing(line):
    """
    Messages wait until the queue is let go on.
    """
    line.consume(max_batch_size=1)
    await line.broker.pause("orders")
    await line.send("tea")
    await line.advance(60)

    assert [] == line.delivered
    assert ["tea"] == line.waiting()

    await line.broker.pause("orders", paused=False)
    await line.settle()

    assert [(60, ["tea"])] == line.delivered


async def test_a_purged_queue_is_empty(line):
    """
    Also of what a batch under way would have retried.
    """
    line.gate = asyncio.Event()
    line.answers.append(retry_all())
    line.consume(max_batch_size=1)
    await line.send("a", "b", "c")

    assert 3 == await line.broker.purge("orders")

    line.gate.set()
    line.gate = None
    await line.settle()

    assert [["a"]] == [bodies for _, bodies in line.delivered]
    assert {"orders": 0} == line.broker.counts()


# What the terminal says


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        pytest.param(outcome(), "3 acked", id="all is well"),
        pytest.param(outcome(retryMessages=[{"msgId": "b"}]), "2 acked, 1 retried", id="one again"),
        pytest.param(FAILED, "3 retried", id="it raised"),
        pytest.param(outcome("canceled"), "canceled", id="stopped"),
    ],
)
def test_the_terminal_counts(ended, expected):
    """
    The queue with the number of messages, then how many were acked and retried.
    """
    event = QueueEvent(Batch(queue="orders", messages=MESSAGES))

    assert ("QUEUE", "orders (3)", expected) == (event.label, event.title, event.result(ended))


def test_a_batch_crosses_to_the_worker():
    """
    What the frame carries is what the handler's batch shows: ids, attempts, bodies, and what is left behind.
    """
    batch = Batch(queue="orders", messages=MESSAGES, backlog_count=2, backlog_bytes=9, oldest_at=START)
    head, body = QueueEvent(batch).frame()
    received = MessageBatch(json.loads(json.dumps(head)), body, mapping=JsDict, warn=print)

    assert [("a", START, 1, 1), ("b", START, 1, 1), ("c", START, 1, 1)] == [
        (message.id, message.timestamp, message.attempts, message.body) for message in received.messages
    ]
    assert {"backlogCount": 2, "backlogBytes": 9, "oldestMessageTimestamp": START} == received.metadata.metrics


# End to end

QUEUES = """
[[queues.producers]]
queue = "orders"
binding = "ORDERS"

[[queues.consumers]]
queue = "orders"
max_batch_size = 10
max_batch_timeout = 1
max_retries = 1
dead_letter_queue = "orders-dead"
"""


def worker(handler, fetch="return Response('ok')"):
    """A worker with this queue handler, which may put what it sees into `seen`, shown at GET /seen."""
    return f"""
import os
from datetime import datetime
from workers import Response, WorkerEntrypoint

seen = []

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/seen"):
            return Response.json(seen)
{_indented(fetch)}

    async def queue(self, batch, env, ctx):
{_indented(handler)}
"""


def _indented(body):
    return "\n".join("        " + each for each in body.strip("\n").splitlines())


SEE = "seen.extend([batch.queue, message.attempts, repr(message.body)] for message in batch.messages)"


async def started(emu, handler, fetch="return Response('ok')"):
    return await emu.start(worker(handler, fetch), config=QUEUES)


async def test_what_a_worker_sends_its_handler_receives(emu):
    """
    send and send_batch, with options as an object or as keywords, arrive as they were sent.
    """
    await started(
        emu,
        """
for message in batch.messages:
    body = bytes(message.body) if isinstance(message.body, memoryview) else message.body
    seen.append([batch.queue, message.attempts, repr(body)])
""",
        """
await self.env.ORDERS.send({"sku": "tea"})
await self.env.ORDERS.send("text", {"contentType": "text"})
await self.env.ORDERS.send(b"bytes", contentType="bytes")
found = await self.env.ORDERS.send_batch([{"body": [1]}, {"body": datetime(2030, 1, 1), "contentType": "v8"}])
return Response.json(found["metadata"]["metrics"]["backlogCount"])
""",
    )
    answer = await emu.get("/")
    await emu.advance(seconds=1)

    bodies = ["{'sku': 'tea'}", "'text'", "b'bytes'", "[1]", "datetime.datetime(2030, 1, 1, 0, 0)"]

    assert 3 == answer.json
    assert [["orders", 1, body] for body in bodies] == (await emu.get("/seen")).json
    assert "5 acked" in emu.lines


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param("send(1, contentType='text')", "TypeError", id="type"),
        pytest.param("send((1, 2))", "TypeError", id="a tuple"),
        pytest.param("send('x' * 128_000)", "Exception: Queue send failed: message length of 128002", id="size"),
        pytest.param("sendBatch([])", "TypeError: sendBatch() requires at least one message", id="empty batch"),
    ],
)
async def test_a_refused_message_raises_in_the_worker(emu, call, error):
    """
    The worker gets a TypeError, or an Exception with the platform's text, and nothing is sent.
    """
    await started(
        emu,
        SEE,
        f"""
try:
    await self.env.ORDERS.{call}
except Exception as error:
    return Response(f"{{type(error).__name__}}: {{error}}")
""",
    )
    answer = await emu.get("/")

    assert answer.text.startswith(error)
    assert {} == emu.emulator.broker.counts()


async def test_an_ack_holds_though_the_handler_raises(emu):
    """
    The acked message is gone, the others come once more and then are dead letters.
    """
    await started(
        emu,
        """
for message in batch.messages:
    if message.body == "good":
        message.ack()
seen.append([message.attempts for message in batch.messages])
raise ValueError("no tea")
""",
        "await self.env.ORDERS.send_batch([{'body': 'good'}, {'body': 'bad'}])\nreturn Response('ok')",
    )
    await emu.get("/")
    await emu.advance(seconds=10)
    dead = emu.emulator.broker.peek("orders-dead")

    assert [[1, 1], [2]] == (await emu.get("/seen")).json
    assert ['"bad"'] == [message.body for message in dead]
    assert "ValueError: no tea" in emu.lines
    assert "1 moved to orders-dead after 2 failed attempts" in emu.lines


async def test_a_worker_without_a_queue_handler_loses_nothing(emu):
    """
    The missing handler is named, and the messages are dead letters in the end.
    """
    await emu.start(worker("pass").split("    async def queue")[0], config=QUEUES)
    await queues.call(emu.emulator.broker, "orders", "send", ["tea", {}])
    await emu.advance(seconds=10)

    assert "does not export a queue() function" in emu.lines
    assert 1 == emu.emulator.broker.counts()["orders-dead"]


async def test_messages_outlive_the_emulator(emu):
    """
    What was sent and not yet delivered is delivered after a restart.
    """
    await started(emu, SEE, "await self.env.ORDERS.send('tea')\nreturn Response('ok')")
    await emu.get("/")
    await emu.restart()
    await emu.advance(seconds=1)

    assert [["orders", 1, "'tea'"]] == (await emu.get("/seen")).json


async def test_a_failed_wait_until_fails_the_batch(emu):
    """
    Work handed to waitUntil belongs to the batch.
    """
    await started(
        emu,
        """
async def later():
    raise ValueError("too late")
self.ctx.waitUntil(later())
""",
        "await self.env.ORDERS.send('tea')\nreturn Response('ok')",
    )
    await emu.get("/")
    await emu.advance(seconds=1)

    assert "1 retried" in emu.lines


@pytest.mark.slow
async def test_a_process_that_dies_over_a_batch_is_replaced(emu_processes):
    """
    The batch is delivered again to a new process, and the second death makes a dead letter.
    """
    emu = emu_processes
    await started(emu, "os._exit(7)", "await self.env.ORDERS.send('poison')\nreturn Response('ok')")
    await emu.get("/")
    while not emu.emulator.broker.counts().get("orders-dead"):
        await emu.advance(seconds=1)
        await asyncio.sleep(0.01)

    assert ['"poison"'] == [message.body for message in emu.emulator.broker.peek("orders-dead")]
    assert "1 moved to orders-dead after 2 failed attempts" in emu.lines
