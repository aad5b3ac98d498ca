"""Config → what each name in `env` answers, as the user's process is told it."""

from __future__ import annotations

import json
from typing import Any

from emulator.config import Config
from emulator.config.flags import FLAGS


def load_head(config: Config) -> dict[str, Any]:
    """The frame that makes a user's process load the worker of this config."""
    return {
        "name": config.name,
        "main": str(config.main),
        "module_root": str(config.module_root),
        "project": str(config.root),
        "date": config.compatibility_date,
        "flags": {flag.name: config.has_flag(flag.name) for flag in FLAGS},
        "bindings": bindings(config),
        "config": config.path.name,
    }


def bindings(config: Config) -> list[dict[str, Any]]:
    """Each binding with its type and what the user's side needs to know of it."""
    found: list[dict[str, Any]] = [
        # A date in TOML, say, is text to the worker, as it would be after a deploy.
        {"name": name, "type": "var", "value": json.loads(json.dumps(value, default=str))}
        for name, value in config.vars.items()
    ]
    found += [{"name": each.binding, "type": "workflow", "workflow": each.name} for each in config.workflows]
    content_type = "json" if config.has_flag("queues_json_messages") else "v8"
    found += [
        {
            "name": each.binding,
            "type": "queue",
            "queue": each.queue,
            "delivery_delay": each.delivery_delay,
            "content_type": content_type,
        }
        for each in config.producers
    ]
    found += [{"name": each.binding, "type": "unsupported", "kind": each.kind} for each in config.unsupported]
    found += [
        {
            "name": each.binding,
            "type": "service",
            "service": each.service,
            "entrypoint": each.entrypoint,
            "props": json.loads(json.dumps(dict(each.props), default=str)),
        }
        for each in config.services
    ]
    if config.assets is not None and config.assets.binding:
        found.append({"name": config.assets.binding, "type": "assets"})
    return found


def same_interpreter(one: Config, other: Config) -> bool:
    """Whether a process started for one config can serve another: its folder is where the interpreter was found."""
    return one.root == other.root
