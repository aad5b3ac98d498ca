"""How the platform's API answers: one envelope for success and failure, and the numbers of its errors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.errors import EmulatorError, StoreError, WorkerError, WorkflowError
from emulator.guard import telling

_ERROR = "workflows.api.error"


@dataclass(frozen=True)
class Reply:
    """What an operation answers; `info` is for lists, `notes` are remarks on what was not done."""

    result: Any
    info: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErrorKind:
    """An error of the API: the HTTP status, and the number and the name by which clients know it."""

    status: int
    code: int
    name: str


class ApiError(EmulatorError):
    """A request that is answered with an error. `why` is for people; clients go by number and name."""

    def __init__(self, kind: ErrorKind, why: str = "") -> None:
        super().__init__(why or kind.name)
        self.kind = kind
        self.why = why


INTERNAL = ErrorKind(500, 10001, f"{_ERROR}.internal_server")
BODY = ErrorKind(400, *telling.MALFORMED)
TOO_LARGE = ErrorKind(413, *telling.MALFORMED)
NOT_JSON = ErrorKind(415, *telling.MALFORMED)
NO_ROOM = ErrorKind(507, 10001, f"{_ERROR}.internal_server")
NO_ROUTE = ErrorKind(404, 10003, f"{_ERROR}.not_found")
NO_METHOD = ErrorKind(405, 10003, f"{_ERROR}.not_found")
NO_TOKEN = ErrorKind(*telling.NO_TOKEN)
FOREIGN = ErrorKind(*telling.FOREIGN)
TOO_OFTEN = ErrorKind(*telling.TOO_OFTEN)
NO_WORKER = ErrorKind(404, 10100, f"{_ERROR}.worker.not_found")
NOT_LOADED = ErrorKind(503, 10101, f"{_ERROR}.worker.not_loaded")
NO_WORKFLOW = ErrorKind(404, 10200, f"{_ERROR}.workflow.not_found")
FIXED_BY_CONFIG = ErrorKind(409, 10201, f"{_ERROR}.workflow.fixed_by_config")
NO_VERSION = ErrorKind(404, 10300, f"{_ERROR}.version.not_found")
NO_INSTANCE = ErrorKind(404, 10400, f"{_ERROR}.instance.not_found")
NO_STEP = ErrorKind(404, 10403, f"{_ERROR}.step.not_found")
INSTANCE_EXISTS = ErrorKind(409, 10405, f"{_ERROR}.instance.already_exists")
WRONG_STATE = ErrorKind(409, 10406, f"{_ERROR}.instance.wrong_state")
NO_QUEUE = ErrorKind(404, 11000, "queues.api.error.queue_not_found")
QUEUE_EXISTS = ErrorKind(409, 11009, "queues.api.error.queue_already_exists")
QUEUE_FIXED = ErrorKind(409, 11010, "queues.api.error.fixed_by_config")
NO_CONSUMER = ErrorKind(404, 11011, "queues.api.error.consumer_not_found")
CONSUMER_EXISTS = ErrorKind(409, 11012, "queues.api.error.consumer_already_exists")
NO_SUBSCRIPTION = ErrorKind(404, 11014, "queues.api.error.subscription_not_found")
NOT_PULLED = ErrorKind(409, 11013, "queues.api.error.no_pull_consumer")

ALL = (
    INTERNAL,
    BODY,
    TOO_LARGE,
    NOT_JSON,
    NO_ROOM,
    NO_ROUTE,
    NO_METHOD,
    NO_TOKEN,
    FOREIGN,
    TOO_OFTEN,
    NO_WORKER,
    NOT_LOADED,
    NO_WORKFLOW,
    FIXED_BY_CONFIG,
    NO_VERSION,
    NO_INSTANCE,
    NO_STEP,
    INSTANCE_EXISTS,
    WRONG_STATE,
    NO_QUEUE,
    QUEUE_EXISTS,
    QUEUE_FIXED,
    NO_CONSUMER,
    CONSUMER_EXISTS,
    NOT_PULLED,
    NO_SUBSCRIPTION,
)

_OF_WORKFLOWS: Mapping[str, ErrorKind] = {
    "workflow.not_found": NO_WORKFLOW,
    "instance.not_found": NO_INSTANCE,
    "instance.already_exists": INSTANCE_EXISTS,
    "instance.invalid_id": BODY,
    "event.invalid_type": BODY,
    "body": BODY,
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An envelope with its HTTP status."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def success(reply: Reply) -> Answer:
    """The envelope of what went well."""
    messages = [{"code": 1000, "message": note} for note in reply.notes]
    body = {"success": True, "errors": [], "messages": messages, "result": reply.result}
    return Answer(status=200, body=body if reply.info is None else {**body, "result_info": reply.info})


def failure(error: Exception) -> Answer:
    """The envelope of an error, whatever it is."""
    kind = kind_of(error)
    told: dict[str, Any] = {"code": kind.code, "message": kind.name}
    why = error.why if isinstance(error, ApiError) else _why(error)
    if why:
        told["error_chain"] = [{"code": kind.code, "message": why}]
    body = {"success": False, "errors": [told], "messages": [], "result": None}
    # The platform's SDK tries a conflict again, which helps nobody here.
    headers = {"x-should-retry": "false"} if kind.status in (409, 500) else {}
    return Answer(status=kind.status, body=body, headers=headers)


def kind_of(error: Exception) -> ErrorKind:
    """Which of the API's errors an exception is."""
    match error:
        case ApiError():
            return error.kind
        case WorkflowError():
            return _OF_WORKFLOWS.get(error.code, WRONG_STATE)
        case StoreError():
            return NO_ROOM
        case WorkerError():
            return NOT_LOADED
        case EmulatorError():
            return BODY
        case _:
            return INTERNAL


def timestamp(when: datetime) -> str:
    """A time as the API writes it: UTC, milliseconds, Z."""
    utc = when if when.tzinfo is UTC else when.astimezone(UTC)
    return f"{utc.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _why(error: Exception) -> str:
    if isinstance(error, WorkflowError):
        return error.message
    return str(error) if isinstance(error, EmulatorError) else ""
