"""What a queue's producer answers: all messages are checked, measured and put into wire form before any is stored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from emulator.errors import EmulatorError
from emulator.handlers.batch import metrics
from emulator.handlers.queue import Broker
from emulator.runtime import values
from emulator.store.messages import Draft

LARGEST_MESSAGE = 128_000
LARGEST_BATCH = 288_000
MOST_MESSAGES = 100
LONGEST_DELAY = 86_400

_LARGEST_WHOLE = 2**53 - 1
_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


async def call(broker: Broker, queue: str, method: str, arguments: list[Any], content_type: str = "json") -> Any:
    """
    A method of the binding. What was sent is on disk once `store.durable` returns.

    `content_type` is that of messages which do not say one.
    """
    match method, arguments:
        case "send", [body, options]:
            return _sent(broker, queue, [one_draft(body, options, content_type)])
        case "sendBatch", [messages, options]:
            return _sent(broker, queue, batch_of_drafts(messages, options, content_type))
        case "metrics", []:
            return metrics(broker.backlog(queue))
        case _:
            raise TypeError(f"a queue has no method {method} with {len(arguments)} arguments")


def one_draft(body: Any, options: Any, content_type: str = "json") -> Draft:
    """The message of a `send`. Raises TypeError for what cannot be sent, EmulatorError for what is over a limit."""
    draft = _draft("send", body, _options(options), None, content_type)
    if draft.size > LARGEST_MESSAGE:
        raise _refusal("send", f"message length of {draft.size} bytes exceeds limit of {LARGEST_MESSAGE}")
    return draft


def batch_of_drafts(messages: Any, options: Any, content_type: str = "json") -> list[Draft]:
    """The messages of a `sendBatch`; one that is wrong refuses them all. Raises as `one_draft` does."""
    if not isinstance(messages, list) or not messages:
        raise TypeError("sendBatch() requires at least one message")
    default = _delay("sendBatch", _options(options))
    drafts = [_draft("sendBatch", _body(message), message, default, content_type) for message in messages]
    _check_sizes([draft.size for draft in drafts])
    return drafts


def _sent(broker: Broker, queue: str, drafts: Sequence[Draft]) -> dict[str, Any]:
    return {"metadata": {"metrics": metrics(broker.send(queue, drafts))}}


def _check_sizes(sizes: Sequence[int]) -> None:
    if len(sizes) > MOST_MESSAGES:
        raise _refusal("sendBatch", f"batch message count of {len(sizes)} exceeds limit of {MOST_MESSAGES}")
    if max(sizes) > LARGEST_MESSAGE:
        raise _refusal(
            "sendBatch",
            f"message in batch has length {max(sizes)} bytes which exceeds single message limit of {LARGEST_MESSAGE}",
        )
    if sum(sizes) > LARGEST_BATCH:
        raise _refusal("sendBatch", f"batch size of {sum(sizes)} bytes exceeds limit of {LARGEST_BATCH}")


def _refusal(method: str, why: str) -> EmulatorError:
    return EmulatorError(f"Queue {method} failed: {why}")


def _options(options: Any) -> Mapping[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise TypeError(f"options are contentType and delaySeconds, got {_name(options)}")
    return options


def _body(message: Any) -> Any:
    if not isinstance(message, dict):
        raise TypeError(f'a message of a batch is {{"body", "contentType"?, "delaySeconds"?}}, got {_name(message)}')
    if "body" not in message:
        raise TypeError("Message body cannot be undefined")
    return message["body"]


def _draft(method: str, body: Any, options: Mapping[str, Any], default: timedelta | None, usual_type: str) -> Draft:
    content_type = _content_type(options, usual_type)
    try:
        form, size = _FORMS[content_type](body)
    except RecursionError:
        raise TypeError("the message's body is nested too deeply") from None
    delay = _delay(method, options)
    return Draft(body=form, content_type=content_type, size=size, delay=default if delay is None else delay)


def _content_type(options: Mapping[str, Any], usual: str) -> str:
    given = options.get("contentType", options.get("content_type"))
    if given is None:
        return usual
    found = given.lower() if isinstance(given, str) else None
    if found not in _FORMS:
        raise TypeError(f"Unsupported queue message content type: {given}; there are {', '.join(_FORMS)}")
    return found


def _delay(method: str, options: Mapping[str, Any]) -> timedelta | None:
    given = options.get("delaySeconds", options.get("delay_seconds"))
    if given is None:
        return None
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not 0 <= given <= LONGEST_DELAY or given != int(given):
        raise _refusal(method, f"delaySeconds must be a whole number from 0 to {LONGEST_DELAY}, got {given!r}")
    return timedelta(seconds=int(given))


def _json_form(body: Any) -> tuple[str, int]:
    plain = _json_value(body)
    return values.encode(plain), _length(_write(plain))


def _text_form(body: Any) -> tuple[str, int]:
    if not isinstance(body, str):
        raise TypeError(f'Content Type "text" requires a value of type string, but received: {_name(body)}')
    return values.encode(body), _length(body)


def _bytes_form(body: Any) -> tuple[str, int]:
    if not isinstance(body, bytes | memoryview):
        raise TypeError(f'Content Type "bytes" requires a value of type ArrayBufferView, but received: {_name(body)}')
    return values.encode(body), len(bytes(body))


def _v8_form(body: Any) -> tuple[str, int]:
    form = values.encode(body)
    return form, len(form)


_FORMS = {"text": _text_form, "bytes": _bytes_form, "json": _json_form, "v8": _v8_form}


def _json_value(value: Any) -> Any:
    """What is left of a value once JavaScript has written it as JSON."""
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > _LARGEST_WHOLE:
                raise TypeError(
                    f"Do not know how to serialize a BigInt: {value} does not fit into JSON; send it as text"
                )
            return value
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _json_value(item) for key, item in value.items()}
        case list():
            return [_json_value(item) for item in value]
        case date():
            return _iso(value)
        case bytes() | memoryview():
            return {str(index): byte for index, byte in enumerate(bytes(value))}
        case _:
            # A set or an error has no properties of its own.
            return {}


def _iso(when: date) -> str:
    if isinstance(when, datetime) and when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return when.isoformat(timespec="milliseconds") + "Z" if isinstance(when, datetime) else f"{when}T00:00:00.000Z"


def _length(text: str) -> int:
    # Half a surrogate pair is three bytes here as it is on the platform, which writes a replacement character.
    return len(text.encode("utf-8", "surrogatepass"))


def _name(value: Any) -> str:
    return type(value).__name__
