"""[queues]: the producers' bindings, and the queues that the worker takes messages from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from emulator.config.model import Consumer, Producer
from emulator.config.node import Node
from emulator.config.report import shown

LONGEST_DELAY = 86_400
_VISIBILITY = 12 * 60 * 60 * 1_000
_TO_PULL = "take it out, and say `emulator queues consumer http add NAME`, or the same to wrangler, while it is served"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_PRODUCER = ("binding", "delivery_delay", "queue", "remote")
_CONSUMER = (
    "dead_letter_queue",
    "max_batch_size",
    "max_batch_timeout",
    "max_concurrency",
    "max_retries",
    "queue",
    "retry_delay",
    "type",
    "visibility_timeout_ms",
)


def parse(own: Node) -> tuple[tuple[Producer, ...], tuple[Consumer, ...]]:
    """The producers and the consumers of a worker."""
    node = own.table("queues")
    if node is None:
        return (), ()
    node.only(("consumers", "producers"))
    producers = tuple(map(_producer, node.tables("producers")))
    rows = node.tables("consumers")
    consumers = tuple(map(_consumer, rows))
    _check_together(rows, consumers)
    return producers, consumers


def _producer(row: Node) -> Producer:
    row.only(_PRODUCER)
    binding = row.need("binding")
    queue = _queue_name(row, "queue") if "queue" in row else binding
    delay = row.whole("delivery_delay", 0, LONGEST_DELAY)
    if delay is not None:
        row.warn("applied here; the platform keeps this setting with the queue and ignores it here", "delivery_delay")
    if row.flag("remote"):
        row.warn("the queue of this machine is used all the same", "remote")
    return Producer(binding=binding, queue=queue or binding, delivery_delay=delay)


def _consumer(row: Node) -> Consumer:
    row.only(_CONSUMER)
    type = row.text("type")
    if type not in (None, "worker"):
        remedy = f"; {_TO_PULL}" if type == "http_pull" else ""
        row.error(f'expected "worker", the only kind of consumer a config can have; got {shown(type)}{remedy}', "type")
    row.whole("visibility_timeout_ms", 0, _VISIBILITY)
    timeout = row.whole("max_batch_timeout", 0, 60)
    retry_delay = row.whole("retry_delay", 0, LONGEST_DELAY)
    return Consumer(
        queue=_queue_name(row, "queue"),
        max_batch_size=_or(row.whole("max_batch_size", 1, 100), 10),
        max_batch_timeout=timedelta(seconds=_or(timeout, 5)),
        max_retries=_or(row.whole("max_retries", 0, 100), 3),
        retry_delay=None if retry_delay is None else timedelta(seconds=retry_delay),
        dead_letter_queue=_queue_name(row, "dead_letter_queue") if "dead_letter_queue" in row else None,
        max_concurrency=row.whole("max_concurrency", 1, 250),
    )


def _queue_name(row: Node, key: str) -> str:
    found = row.need(key)
    if found and not _NAME.fullmatch(found):
        row.warn(f"the platform takes lower-case letters, digits and hyphens, at most 63; not {shown(found)}", key)
    return found


def _check_together(rows: Sequence[Node], consumers: Sequence[Consumer]) -> None:
    counts = Counter(each.queue for each in consumers if each.queue)
    seen: set[str] = set()
    for row, each in zip(rows, consumers, strict=True):
        if counts[each.queue] > 1 and each.queue in seen:
            row.error(f'"{each.queue}" has a consumer already; a queue has one', "queue")
        if each.queue and each.queue == each.dead_letter_queue:
            row.error("a queue cannot be its own dead letter queue; name another", "dead_letter_queue")
        elif _is_in_circle(each, consumers):
            row.warn("its dead letters come back to it in a circle, and so are never given up", "dead_letter_queue")
        seen.add(each.queue)


def _is_in_circle(start: Consumer, consumers: Iterable[Consumer]) -> bool:
    after = {each.queue: each.dead_letter_queue for each in consumers}
    queue, passed = start.dead_letter_queue, set[str]()
    while queue and queue not in passed:
        if queue == start.queue:
            return True
        passed.add(queue)
        queue = after.get(queue)
    return False


def _or(found: int | None, default: int) -> int:
    return default if found is None else found
