"""The platform's own modules, by name."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from .current import EnvWrapper, Exports, patch_env, wait_until
from .entrypoints import DurableObject, RpcTarget, WorkerEntrypoint, WorkflowEntrypoint
from .later import part
from .workflows import NonRetryableError

_INSTEAD = {
    "node:crypto": "use hashlib, hmac and secrets",
    "node:buffer": "use bytes",
}


def import_from_javascript(name: str) -> Any:
    """A module of the platform: `cloudflare:workers`, `:sockets`, `:email`, `:workflows`. Or an ImportError."""
    make = _MODULES.get(name)
    if make is None:
        there = ", ".join(_MODULES)
        instead = f"; {_INSTEAD[name]}" if name in _INSTEAD else ""
        raise ImportError(f"Failed to import '{name}': the emulator has {there}{instead}", name=name)
    return make()


def _workers() -> Any:
    return SimpleNamespace(
        env=EnvWrapper(),
        exports=Exports(),
        waitUntil=wait_until,
        withEnv=_with_env,
        WorkerEntrypoint=WorkerEntrypoint,
        DurableObject=DurableObject,
        WorkflowEntrypoint=WorkflowEntrypoint,
        RpcTarget=RpcTarget,
    )


def _with_env(env: Any, function: Callable[[], Any]) -> Any:
    with patch_env(env.to_py() if hasattr(env, "to_py") else env):
        return function()


class EmailMessage:
    """A message to send: `EmailMessage.new(sender, recipient, raw)`."""

    def __init__(self, sender: str, recipient: str, raw: Any) -> None:
        self.from_ = sender
        self.to = recipient
        self.raw = raw

    @classmethod
    def new(cls, sender: str, recipient: str, raw: Any) -> EmailMessage:
        return cls(sender, recipient, raw)


_MODULES: dict[str, Callable[[], Any]] = {
    "cloudflare:workers": _workers,
    "cloudflare:sockets": lambda: SimpleNamespace(connect=part("workers.tcp").connect),
    "cloudflare:email": lambda: SimpleNamespace(EmailMessage=EmailMessage),
    "cloudflare:workflows": lambda: SimpleNamespace(NonRetryableError=NonRetryableError),
}
