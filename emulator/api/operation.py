"""One operation of the API: what it takes and gives, as data; and the route that parses, asks, and writes JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.api import schema
from emulator.api.envelope import BODY, NOT_JSON, TOO_LARGE, Answer, ApiError, ErrorKind, Reply, failure, success
from emulator.api.schema import Schema
from emulator.errors import StoreError
from emulator.server import Emulator

log = logging.getLogger("emulator")

LARGEST_BODY = 1 << 20
DEEPEST_BODY = 64
NOTHING = object()
"""The body of a request that has none."""


@dataclass(frozen=True)
class Call:
    """A request whose parts have been held against the operation's schemas."""

    emulator: Emulator
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = NOTHING

    @property
    def workflow(self) -> str:
        return self.path["workflow"]

    @property
    def instance(self) -> str:
        return self.path["instance"]


@dataclass(frozen=True)
class Stream:
    """An answer that is no envelope: the bytes of a step that gave a stream."""

    body: bytes


Perform = Callable[[Call], Awaitable[Reply | Stream]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A method and a path below the API's prefix. `body` is None where none is read; one may then still come."""

    method: str
    path: str
    perform: Perform
    summary: str
    result: Schema
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    body: Schema | None = None
    needs_body: bool = False
    lists: bool = False
    streams: bool = False
    errors: tuple[ErrorKind, ...] = ()


def routes(
    emulator: Emulator,
    operations: Sequence[Operation],
    prefix: str = "",
    failed: Callable[[Exception], Answer] = failure,
) -> list[Route]:
    """The routes of operations; `failed` makes the envelope of an error."""
    return [Route(prefix + each.path, _endpoint(emulator, each, failed), methods=[each.method]) for each in operations]


def written(answer: Answer) -> Response:
    """An envelope as a response. What no encoding can carry (half a surrogate pair) is escaped."""
    body = json.dumps(answer.body, separators=(",", ":"))
    return Response(body, answer.status, dict(answer.headers), "application/json")


def _endpoint(
    emulator: Emulator, operation: Operation, failed: Callable[[Exception], Answer]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            reply = await operation.perform(await _call(emulator, operation, request))
        except Exception as error:
            told = failed(error)
            if told.status >= 500 and not isinstance(error, StoreError):
                log.exception("%s %s", request.method, request.url.path)
            return written(told)
        if isinstance(reply, Stream):
            return Response(reply.body, media_type="application/octet-stream")
        return written(success(reply))

    return answer


async def _call(emulator: Emulator, operation: Operation, request: Request) -> Call:
    query = _query(operation, request)
    body = NOTHING if operation.body is None else await read_json(request)
    if body is NOTHING and operation.needs_body:
        raise ApiError(BODY, "body: is missing")
    if body is not NOTHING and operation.body is not None:
        _refuse(schema.problem(body, operation.body))
    return Call(emulator, request.path_params, query, body)


def _query(operation: Operation, request: Request) -> dict[str, Any]:
    given = {name: text for name, text in request.query_params.items() if name in operation.query}
    found = {name: schema.from_text(text, operation.query[name]) for name, text in given.items()}
    for name, value in found.items():
        _refuse(schema.problem(value, operation.query[name], name))
    for name in operation.required:
        if name not in found:
            raise ApiError(BODY, f"{name}: is missing from the query")
    return found


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise ApiError(BODY, problem)


async def read_json(request: Request) -> Any:
    """The body of a request; NOTHING if it is empty. Raises ApiError for all that is no JSON of a reasonable size."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiError(TOO_LARGE, "the body is over 1 MiB")
    if not body:
        return NOTHING
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ApiError(NOT_JSON, "the body must not be compressed")
    if not _says_json(request):
        raise ApiError(NOT_JSON, "the body must be JSON; send Content-Type: application/json")
    return parsed(bytes(body))


def _says_json(request: Request) -> bool:
    """wrangler does not always say what it sends; what has a token is no page's form."""
    has_token = request.headers.get("authorization", "").startswith("Bearer ") or "x-auth-key" in request.headers
    return has_token or "json" in request.headers.get("content-type", "").lower()


def parsed(body: bytes) -> Any:
    """JSON that can be stored and shown again: of a reasonable depth, in characters that exist, in numbers that are."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        # What is not UTF-8 only shows when it is written.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(BODY, f"the body is no JSON: {error}") from error
    if _is_deeper(value, DEEPEST_BODY):
        raise ApiError(BODY, f"the body is nested over {DEEPEST_BODY} levels deep")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [item for each in level for item in _items(each)]
        if not level:
            return False
    return True


def _items(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
