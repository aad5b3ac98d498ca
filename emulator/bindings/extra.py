"""`env.SELF.scheduled(…)` and `env.SELF.queue(…)`: handlers called over a binding, which say how that ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from emulator.calls import Answer
from emulator.config import Config
from emulator.errors import EmulatorError, WorkerError
from emulator.handlers.batch import QueueEvent
from emulator.handlers.scheduled import ScheduledEvent
from emulator.models import Batch, Message, Outcome, Tick
from emulator.places import near
from emulator.runtime import values
from emulator.wire import Frame
from emulator.worker import Worker

EXTRA = ("scheduled", "queue")
EXTRA_FLAG = "service_binding_extra_handlers"

Dispatched = Callable[[Worker, Any], Awaitable[Outcome]]


async def extra_handler(worker: Worker, dispatch: Dispatched, asked: Frame) -> Answer:
    """Run the handler: how it ended is the answer, not what it raised."""
    name = asked.head["name"]
    try:
        event, told = _EVENTS[name](values.decode(asked.body, naive=False))
    except (TypeError, ValueError, OverflowError) as error:
        return {"error": {"kind": "TypeError", "message": f"{name}() takes {_TAKES[name]}: {error}"}}, b""
    try:
        outcome = await dispatch(worker, event)
    except EmulatorError as error:
        return {"error": {"kind": "Error", "message": text_of(error)}}, b""
    return {}, values.encode({"outcome": outcome.outcome, **told(outcome.result)}).encode()


def needs_flag(name: str, caller: Config) -> Answer:
    """Without the flag for it a handler is no method."""
    text = (
        f"Method {name} does not exist: a handler is called over a binding only with"
        f' compatibility_flags = ["{EXTRA_FLAG}"] in {near(caller.path, caller.root)}'
    )
    return {"error": {"kind": "TypeError", "message": text}}, b""


def text_of(error: EmulatorError) -> str:
    """What went wrong, without the trace."""
    return error.message if isinstance(error, WorkerError) else str(error)


def _tick(arguments: list[Any]) -> tuple[ScheduledEvent, Callable[[dict[str, Any]], dict[str, Any]]]:
    given: dict[str, Any] = {}
    for options in arguments:
        given |= options
    time = given.get("scheduledTime", 0)
    when = time if isinstance(time, datetime) else datetime.fromtimestamp(time / 1000, UTC)
    event = ScheduledEvent(Tick(cron=given.get("cron", ""), time=when))
    return event, lambda result: {"noRetry": bool(result.get("noRetry"))}


def _batch(arguments: list[Any]) -> tuple[QueueEvent, Callable[[dict[str, Any]], dict[str, Any]]]:
    if len(arguments) < 2 or not isinstance(arguments[0], str) or not isinstance(arguments[1], list):
        raise TypeError("the first is a str, the second a list")
    queue, messages = arguments[:2]
    event = QueueEvent(Batch(queue=queue, messages=tuple(_message(queue, each) for each in messages)))
    return event, lambda result: {**_NO_MARKS, **result}


def _message(queue: str, given: Any) -> Message:
    if not isinstance(given, dict) or "body" not in given:
        raise TypeError(f"a message without a body: {given!r}; serializedBody is not emulated")
    missing = [name for name in ("id", "timestamp", "attempts") if name not in given]
    if missing:
        raise TypeError(f"a message without {', '.join(missing)}: {given!r}")
    sent_at = given["timestamp"]
    when = sent_at if isinstance(sent_at, datetime) else datetime.fromtimestamp(sent_at / 1000, UTC)
    return Message(
        sequence=0,
        id=str(given["id"]),
        queue=queue,
        body=values.encode(given["body"]),
        content_type="v8",
        sent_at=when,
        visible_at=when,
        failures=int(given["attempts"]) - 1,
    )


_NO_MARKS = {"ackAll": False, "retryBatch": {"retry": False}, "explicitAcks": [], "retryMessages": []}
_EVENTS = {"scheduled": _tick, "queue": _batch}
_TAKES = {
    "scheduled": "scheduledTime and cron",
    "queue": "the name of a queue and messages {id, timestamp, body, attempts}",
}
