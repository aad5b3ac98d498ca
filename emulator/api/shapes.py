"""The schemas of what the API takes and gives. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.api.schema import Schema

ANYTHING: Schema = {}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
UUID: Schema = {"type": "string", "format": "uuid"}
OK: Schema = {"type": "string", "enum": ["ok", "already_running"]}


def maybe(schema: Schema) -> Schema:
    """It, or null."""
    return {**schema, "nullable": True}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def listed(item: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": item, **limits}


def shaped(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object; its properties are required unless they are said to be optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), **({"required": required} if required else {})}


def loose(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object of a request; only what is named is required."""
    return shaped(properties, optional=tuple(name for name in properties if name not in required))


STATUS = one_of(
    "queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting", "rollingBack"
)
SOURCE = one_of("unknown", "api", "binding", "event", "cron")
ERROR = shaped({"name": TEXT, "message": TEXT})
COUNTS: Schema = {"type": "object", "additionalProperties": INTEGER}

# What is asked

PAGE: Schema = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
PER_PAGE: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
SEARCH: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 100,
    "pattern": "^[a-zA-Z0-9_][a-zA-Z0-9-_]*$",
    "description": "1 to 100 letters, digits, underscores and hyphens, no hyphen first",
}
KNOWN_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 271, "pattern": "^[a-zA-Z0-9, */#_-]+$"}
LABEL: Schema = {"type": "string", "minLength": 1, "maxLength": 300}
STEP_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
STEP_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
STEP_KIND = one_of("do", "sleep", "waitForEvent")
DURATION: Schema = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1e13}, TEXT]}
RETENTION = loose({"success_retention": DURATION, "error_retention": DURATION})
LOCATION = one_of("wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me")
NEW_INSTANCE = loose(
    {"instance_id": ID, "params": ANYTHING, "instance_retention": RETENTION, "location_hint": LOCATION}
)
FROM = loose({"name": STEP_NAME, "count": STEP_COUNT, "type": STEP_KIND}, "name")
ACTION = one_of("pause", "resume", "terminate", "restart")
STATUS_CHANGE = loose({"status": ACTION, "rollback": BOOLEAN, "from": FROM}, "status")
IDS = listed(KNOWN_ID, minItems=1, maxItems=100)

# What is answered

SCHEDULE = shaped({"cron": TEXT, "next_instance": TEXT})
WORKFLOW = shaped(
    {
        "id": UUID,
        "name": TEXT,
        "class_name": TEXT,
        "script_name": TEXT,
        "created_on": TIME,
        "modified_on": TIME,
        "triggered_on": maybe(TIME),
        "instances": COUNTS,
        "schedules": listed(SCHEDULE),
        "script_deleted": BOOLEAN,
    },
    optional=("schedules",),
)
WORKFLOW_UPDATED = shaped(
    {
        "id": UUID,
        "name": TEXT,
        "class_name": TEXT,
        "script_name": TEXT,
        "created_on": TIME,
        "modified_on": TIME,
        "triggered_on": maybe(TIME),
        "version_id": UUID,
        "is_deleted": NUMBER,
        "terminator_running": NUMBER,
    }
)
VERSION = shaped(
    {
        "id": UUID,
        "class_name": TEXT,
        "workflow_id": UUID,
        "created_on": TIME,
        "modified_on": TIME,
        "has_dag": BOOLEAN,
        "language": one_of("javascript", "python"),
        "limits": shaped({"steps": INTEGER}),
    },
    optional=("limits",),
)
CREATED = shaped({"id": TEXT, "status": STATUS, "version_id": UUID, "workflow_id": UUID, "trigger_source": SOURCE})
ROW = shaped(
    {
        "id": TEXT,
        "status": STATUS,
        "version_id": UUID,
        "workflow_id": UUID,
        "created_on": TIME,
        "modified_on": TIME,
        "started_on": maybe(TIME),
        "ended_on": maybe(TIME),
        "trigger_source": SOURCE,
    }
)
_COMMON: Mapping[str, Schema] = {
    "status": STATUS,
    "params": ANYTHING,
    "queued": TIME,
    "start": maybe(TIME),
    "end": maybe(TIME),
    "error": maybe(ERROR),
    "step_count": INTEGER,
    "steps": listed(shaped({"type": one_of("step", "rollback", "sleep", "waitForEvent", "termination")})),
}
DETAIL = shaped(
    {
        **_COMMON,
        "trigger": shaped({"source": SOURCE}),
        "versionId": UUID,
        "success": maybe(BOOLEAN),
        "rollback": maybe(shaped({"outcome": one_of("complete", "failed"), "error": maybe(ERROR)})),
        "output": TEXT,
        "schedule": shaped({"cron": TEXT, "scheduledTime": NUMBER}),
    },
    optional=("schedule",),
)
LOCAL_DETAIL = shaped({**_COMMON, "output": ANYTHING})
CHANGED = shaped({"status": STATUS, "timestamp": TIME})
TOUCHED = shaped({"instanceId": TEXT, "timestamp": TIME})
STEP = shaped(
    {"status": STATUS, "error": maybe(ERROR), "output": ANYTHING, "event_type": maybe(TEXT)},
    optional=("output", "event_type"),
)
DELETED = shaped(
    {
        "deleted": listed(shaped({"id": TEXT})),
        "errors": listed(shaped({"id": TEXT, "code": INTEGER, "message": TEXT})),
    }
)
GRAPH = shaped({**VERSION["properties"], "graph": maybe({"type": "object"})}, optional=("limits",))

# Queues

DELAY: Schema = {"type": "number", "minimum": 0, "maximum": 86_400}
MESSAGE = loose({"body": ANYTHING, "content_type": one_of("json", "text"), "delay_seconds": DELAY}, "body")
QUEUE_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9][a-z0-9_-]*$"}
QUEUE = shaped(
    {
        "queue_id": TEXT,
        "queue_name": TEXT,
        "created_on": TIME,
        "modified_on": TIME,
        "producers": listed({"type": "object"}),
        "producers_total_count": INTEGER,
        "consumers": listed({"type": "object"}),
        "consumers_total_count": INTEGER,
        "settings": {"type": "object"},
    }
)
METRICS = shaped({"backlog_count": INTEGER, "backlog_bytes": INTEGER, "oldest_message_timestamp_ms": INTEGER})
SENT = shaped({"metadata": shaped({"metrics": METRICS})})
_PEEKED = {"id": TEXT, "body": TEXT, "attempts": INTEGER, "timestamp_ms": INTEGER, "metadata": {"type": "object"}}
PEEKED = shaped({"messages": listed(shaped({**_PEEKED, "ref": TEXT}))})
PULLED = shaped(
    {
        "message_backlog_count": INTEGER,
        "messages": listed(shaped({**_PEEKED, "lease_id": TEXT})),
        "metadata": shaped({"metrics": METRICS}),
    }
)
WARNINGS: Schema = {"type": "object", "additionalProperties": TEXT}
ANSWERED = shaped({"ackCount": INTEGER, "retryCount": INTEGER, "warnings": WARNINGS})
PURGED = shaped({"errors": listed({"type": "object"}), "warnings": WARNINGS})
VISIBILITY: Schema = {"type": "number", "minimum": 0, "maximum": 43_200_000}
BATCH_SIZE: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
CONSUMER = shaped(
    {
        "consumer_id": TEXT,
        "type": one_of("worker", "http_pull"),
        "queue_name": TEXT,
        "script": TEXT,
        "script_name": TEXT,
        "created_on": TIME,
        "dead_letter_queue": TEXT,
        "settings": {"type": "object"},
    },
    optional=("script", "script_name"),
)

# Accounts

NAMED: Mapping[str, Any] = {"id": TEXT, "name": TEXT}
