"""The platform's own modules, by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from .current import EnvWrapper, wait_until
from .entrypoints import DurableObject, WorkerEntrypoint, WorkflowEntrypoint


def import_from_javascript(name: str) -> Any:
    """A module of the platform; here that is `cloudflare:workers`. Raises ImportError for others."""
    if name != "cloudflare:workers":
        raise ImportError(f"Failed to import '{name}': only cloudflare:workers is emulated", name=name)
    return SimpleNamespace(
        env=EnvWrapper(),
        waitUntil=wait_until,
        WorkerEntrypoint=WorkerEntrypoint,
        DurableObject=DurableObject,
        WorkflowEntrypoint=WorkflowEntrypoint,
    )
