"""The queues that there are, and what each holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from emulator.api import schema, shapes
from emulator.api.envelope import BODY, NO_QUEUE, ApiError, timestamp
from emulator.api.operation import Call
from emulator.config import Consumer, Producer
from emulator.models import PullConsumer
from emulator.server import Emulator
from emulator.store.messages import Backlog
from emulator.versions import id_of
from emulator.worker import Worker


def known(emulator: Emulator) -> list[str]:
    """The names of all queues, sorted."""
    return sorted(configured(emulator) | emulator.broker.counts().keys())


def standing(emulator: Emulator, name: str) -> dict[str, Any]:
    """What a queue holds: what is ready, delayed, and being delivered; and where its failed messages go."""
    broker = emulator.broker
    ready, in_flight = broker.backlog(name), broker.in_flight(name)
    pull, own = broker.puller.consumer_of(name), [each for _, each in _consumers(emulator, name)]
    consumers: list[Consumer | PullConsumer] = [*own, *([] if pull is None else [pull])]
    return {
        "name": name,
        "ready": ready.count,
        "delayed": max(0, broker.counts().get(name, 0) - ready.count - in_flight),
        "in_flight": in_flight,
        "oldest": None if ready.oldest_at is None else timestamp(ready.oldest_at),
        "paused": name in emulator.store.messages.paused(),
        "consumers": [worker.name for worker, _ in _consumers(emulator, name)],
        "is_pulled": pull is not None,
        "dead_letter_queue": next((each.dead_letter_queue for each in consumers), None),
        "is_dead_letter_queue": any(each.dead_letter_queue == name for each in _all_consumers(emulator)),
    }


def asked(call: Call) -> str:
    """The queue of the path, which is named by its id; by its name, too."""
    asked = call.path["queue"]
    for name in known(call.emulator):
        if asked in (name, _id_of(name)):
            return name
    there = ", ".join(known(call.emulator)) or "none"
    raise ApiError(NO_QUEUE, f'there is no queue "{asked[:80]}"; there are {there}')


def addressed(emulator: Emulator, name: str) -> str:
    """The queue a message is for: any that is there, and any that could be. Raises ApiError for other names."""
    if schema.problem(name, shapes.QUEUE_NAME) is not None and name not in known(emulator):
        what = "lower-case letters, digits, hyphens and underscores, at most 63"
        raise ApiError(BODY, f'no queue can be called "{name[:80]}"; a name is {what}')
    return name


def is_consumed(emulator: Emulator, name: str) -> bool:
    """Whether a worker takes a queue's messages."""
    return bool(_consumers(emulator, name))


def _id_of(name: str) -> str:
    return id_of("queue", name).replace("-", "")


def configured(emulator: Emulator) -> set[str]:
    """Those that stand in the config."""
    consumers = [each for worker in emulator.workers for each in worker.config.consumers]
    dead = {each.dead_letter_queue for each in consumers if each.dead_letter_queue}
    sent = {each.queue for worker in emulator.workers for each in worker.config.producers}
    return dead | sent | {each.queue for each in consumers}


def _all_consumers(emulator: Emulator) -> Iterable[Consumer | PullConsumer]:
    own = [consumer for worker in emulator.workers for consumer in worker.config.consumers]
    return [*own, *emulator.store.pulls.consumers()]


def _consumers(emulator: Emulator, name: str) -> list[tuple[Worker, Consumer]]:
    return [(worker, each) for worker in emulator.workers for each in worker.config.consumers if each.queue == name]


def _producers(emulator: Emulator, name: str) -> list[tuple[Worker, Producer]]:
    return [(worker, each) for worker in emulator.workers for each in worker.config.producers if each.queue == name]


def shown(emulator: Emulator, name: str) -> dict[str, Any]:
    """A queue as the API shows it."""
    since = timestamp(emulator.versions.started_at)
    sending, taking = _producers(emulator, name), consumers_of(emulator, name)
    return {
        "queue_id": _id_of(name),
        "queue_name": name,
        "created_on": since,
        "modified_on": since,
        "producers": [{"type": "worker", "script": worker.name} for worker, _ in sending],
        "producers_total_count": len(sending),
        "consumers": taking,
        "consumers_total_count": len(taking),
        "settings": {
            "delivery_delay": next((each.delivery_delay for _, each in sending if each.delivery_delay), 0),
            "delivery_paused": name in emulator.store.messages.paused(),
            "message_retention_period": 345_600,
        },
    }


def consumers_of(emulator: Emulator, name: str) -> list[dict[str, Any]]:
    """Who takes a queue's messages: workers, and those who pull, as the API shows them."""
    since, pull = timestamp(emulator.versions.started_at), emulator.broker.puller.consumer_of(name)
    workers = [_consumer(worker, each, since) for worker, each in _consumers(emulator, name)]
    return workers if pull is None else [*workers, _pull_consumer(pull)]


def _pull_consumer(consumer: PullConsumer) -> dict[str, Any]:
    return {
        "consumer_id": id_of("consumer", consumer.queue).replace("-", ""),
        "type": "http_pull",
        "queue_name": consumer.queue,
        "created_on": timestamp(consumer.created_at),
        "dead_letter_queue": consumer.dead_letter_queue or "",
        "settings": {
            "batch_size": consumer.batch_size,
            "max_retries": consumer.max_retries,
            "retry_delay": int(consumer.retry_delay.total_seconds()),
            "visibility_timeout_ms": int(consumer.visibility_timeout.total_seconds() * 1000),
        },
    }


def _consumer(worker: Worker, consumer: Consumer, since: str) -> dict[str, Any]:
    retry_delay = consumer.retry_delay or timedelta()
    return {
        "consumer_id": id_of("consumer", consumer.queue, worker.name).replace("-", ""),
        "type": consumer.type,
        "queue_name": consumer.queue,
        "script": worker.name,
        "script_name": worker.name,
        "created_on": since,
        "dead_letter_queue": consumer.dead_letter_queue or "",
        "settings": {
            "batch_size": consumer.max_batch_size,
            "max_wait_time_ms": int(consumer.max_batch_timeout.total_seconds() * 1000),
            "max_retries": consumer.max_retries,
            "max_concurrency": consumer.max_concurrency,
            "retry_delay": int(retry_delay.total_seconds()),
        },
    }


def metrics_of(backlog: Backlog) -> dict[str, int]:
    """What waits in a queue, in the API's words."""
    oldest = 0 if backlog.oldest_at is None else milliseconds(backlog.oldest_at)
    return {
        "backlog_count": backlog.count,
        "backlog_bytes": backlog.bytes,
        "oldest_message_timestamp_ms": oldest,
    }


def milliseconds(when: datetime) -> int:
    """Since 1970."""
    return int(when.timestamp() * 1000)
