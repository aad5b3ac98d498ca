"""What `run` is called with. Pure."""

from __future__ import annotations

import json
from typing import Any

from emulator.models import Instance
from emulator.runtime import values


def event_of(instance: Instance) -> str:
    """What `run` receives as its event, in wire form: the same in every pass."""
    rest: dict[str, Any] = {
        "timestamp": instance.created_at,
        "instanceId": instance.id,
        "workflowName": instance.workflow,
    }
    if instance.schedule is not None:
        rest["schedule"] = json.loads(instance.schedule)
    return f'{{"payload":{instance.params},{values.encode(rest)[1:]}'


def ending_of(instance: Instance) -> dict[str, Any] | None:
    """The error that an instance which is being rolled back is to end with."""
    if instance.ending is None or instance.error is None:
        return None
    return {"kind": instance.error.name, "message": instance.error.message, "type": instance.error.type}
