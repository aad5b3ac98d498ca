"""The OpenAPI document of a set of operations, made of the very data that their routes go by. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulator import __version__
from emulator.api import shapes
from emulator.api.envelope import INTERNAL, NO_ROOM, NO_ROUTE, NO_TOKEN, NOT_JSON, TOO_LARGE, TOO_OFTEN, ErrorKind
from emulator.api.operation import Operation
from emulator.api.schema import Schema

_PLACE = re.compile(r"{(\w+)(?::path)?}")
_MESSAGE = shapes.loose({"code": shapes.INTEGER, "message": shapes.TEXT}, "code", "message")
_INFO = shapes.loose(
    {
        "page": shapes.INTEGER,
        "per_page": shapes.INTEGER,
        "count": shapes.INTEGER,
        "total_count": shapes.INTEGER,
        "total_pages": shapes.INTEGER,
        "cursor": shapes.TEXT,
    },
    "per_page",
    "count",
    "total_count",
)
_FAILURE = shapes.shaped(
    {
        "success": {"type": "boolean", "enum": [False]},
        "errors": shapes.listed(_MESSAGE, minItems=1),
        "messages": shapes.listed(_MESSAGE),
        "result": {"nullable": True},
    }
)
_PLACES: Mapping[str, Schema] = {
    "account": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9_-]+$"},
    "workflow": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9_][a-zA-Z0-9-_]*$"},
    "version": shapes.UUID,
    "instance": shapes.KNOWN_ID,
    "event": shapes.ID,
    "script": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9_-]+$"},
    "consumer": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9-]+$"},
    "subscription": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-zA-Z0-9-]+$"},
    "queue": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z0-9][a-z0-9_-]*$"},
}


def document(operations: Sequence[Operation], *, title: str, server: str) -> dict[str, Any]:
    """The whole document. `server` is the path that all paths begin with."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(written(each), {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": __version__},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": {"Failure": _FAILURE}},
    }


def written(operation: Operation) -> str:
    """A path with its places in braces."""
    return _PLACE.sub(r"{\1}", operation.path)


def _operation(each: Operation) -> dict[str, Any]:
    places = [_parameter(name, _PLACES[name], "path", True) for name in _PLACE.findall(each.path)]
    query = [_parameter(name, schema, "query", name in each.required) for name, schema in each.query.items()]
    told: dict[str, Any] = {
        "operationId": f"{each.method.lower()}_{each.perform.__name__}",
        "summary": each.summary,
        "parameters": [*places, *query],
        "responses": {"200": _success(each), **_failures(each)},
    }
    if each.body is not None:
        told["requestBody"] = {
            "required": each.needs_body,
            "content": {"application/json": {"schema": each.body}},
        }
    return told


def _parameter(name: str, schema: Schema, place: str, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _success(each: Operation) -> dict[str, Any]:
    properties: dict[str, Schema] = {
        "success": {"type": "boolean", "enum": [True]},
        "errors": shapes.listed(_MESSAGE),
        "messages": shapes.listed(_MESSAGE),
        "result": each.result,
        **({"result_info": _INFO} if each.lists else {}),
    }
    content: dict[str, Any] = {"application/json": {"schema": shapes.shaped(properties)}}
    if each.streams:
        content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    return {"description": "It is so, or it is done.", "content": content}


def _failures(each: Operation) -> dict[str, Any]:
    always = (INTERNAL, NO_ROOM, NO_ROUTE, NO_TOKEN, TOO_OFTEN, *(() if each.body is None else (TOO_LARGE, NOT_JSON)))
    return {str(status): _failed(kinds) for status, kinds in _by_status((*each.errors, *always)).items()}


def _by_status(kinds: Iterable[ErrorKind]) -> dict[int, list[ErrorKind]]:
    found: dict[int, list[ErrorKind]] = {}
    for kind in sorted(set(kinds), key=lambda each: (each.status, each.code)):
        found.setdefault(kind.status, []).append(kind)
    return found


def _failed(kinds: Sequence[ErrorKind]) -> dict[str, Any]:
    words = ", ".join(f"{kind.code} {kind.name}" for kind in kinds)
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    }
