"""Config → a stub file in which the editor finds the type of each name in env. Pure."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Any

from emulator.config import Config

FIRST_LINE = (
    '"""What the config of this worker puts into env, for editors. Written by `emulator types`; not to be edited."""'
)

_IMPORTS = """
from collections.abc import Awaitable, Iterable
from typing import Any, Protocol

from workers import Request, Response
"""
_INSTANCE = """
class WorkflowInstance(Protocol):
    id: str

    def status(self) -> Awaitable[Any]: ...
    def pause(self) -> Awaitable[None]: ...
    def resume(self) -> Awaitable[None]: ...
    def terminate(self, options: Any = None, /, *, rollback: bool = ...) -> Awaitable[None]: ...
    def restart(self, options: Any = None, /, **more: Any) -> Awaitable[None]: ...
    def send_event(self, event: Any = None, /, *, type: str = ..., payload: Any = ...) -> Awaitable[None]: ...
    def delete(self) -> Awaitable[None]: ...

class WorkflowBinding(Protocol):
    def create(
        self, options: Any = None, /, *, id: str = ..., params: Any = ..., retention: Any = ...
    ) -> Awaitable[WorkflowInstance]: ...
    def create_batch(self, batch: Iterable[Any], /) -> Awaitable[list[WorkflowInstance]]: ...
    def get(self, id: str, /) -> Awaitable[WorkflowInstance]: ...
    def delete_batch(self, ids: Iterable[str], /) -> Awaitable[Any]: ...
"""
_QUEUE = """
class QueueBinding(Protocol):
    def send(
        self, body: Any, options: Any = None, /, *, contentType: str = ..., delaySeconds: float = ...
    ) -> Awaitable[Any]: ...
    def send_batch(
        self, messages: Iterable[Any], options: Any = None, /, *, delaySeconds: float = ...
    ) -> Awaitable[Any]: ...
    def metrics(self) -> Awaitable[Any]: ...
"""
_ASSETS = """
class AssetsBinding(Protocol):
    def fetch(self, resource: Request | str, /, **options: Any) -> Awaitable[Response]: ...
"""
_SERVICE = """
class ServiceBinding(Protocol):
    def fetch(self, resource: Request | str, /, **options: Any) -> Awaitable[Response]: ...
    def __getattr__(self, name: str, /) -> Any: ...
"""


def stub(config: Config) -> str:
    """The text of the stub file; the same for the same config."""
    kinds = [
        (bool(config.workflows), _INSTANCE),
        (bool(config.producers), _QUEUE),
        (bool(config.services), _SERVICE),
        (config.assets is not None and bool(config.assets.binding), _ASSETS),
    ]
    classes = "".join(text for is_used, text in kinds if is_used)
    lines = [f"    {line}\n" for line in _names(config)] or ["    ...\n"]
    return f"{FIRST_LINE}\n{_IMPORTS}{classes}\nclass Env(Protocol):\n{''.join(lines)}\nenv: Env\n"


def _names(config: Config) -> Iterator[str]:
    for name, kind, note in _bindings(config):
        comment = f"  # {note}" if note else ""
        is_python = name.isidentifier() and not keyword.iskeyword(name)
        yield (
            f"{name}: {kind}{comment}"
            if is_python
            else f"# {name!r} cannot be written after a dot; use getattr(env, …)"
        )


def _bindings(config: Config) -> Iterator[tuple[str, str, str]]:
    """Each name in env, its type, and a word on it."""
    yield from ((each.binding, "WorkflowBinding", f"workflow {each.name}") for each in config.workflows)
    yield from ((each.binding, "QueueBinding", f"queue {each.queue}") for each in config.producers)
    yield from ((each.binding, "ServiceBinding", f"worker {each.service}") for each in config.services)
    if config.assets is not None and config.assets.binding:
        yield config.assets.binding, "AssetsBinding", ""
    yield from _variables(config)
    yield from ((each.binding, "Any", f"{each.kind}, not emulated") for each in config.unsupported)


def _variables(config: Config) -> Iterator[tuple[str, str, str]]:
    secrets = {name for names in config.secret_names.values() for name in names} | set(config.required_secrets)
    yield from ((name, _type(value), "") for name, value in config.vars.items() if name not in secrets)
    yield from ((name, "str", "secret") for name in sorted(secrets))


def _type(value: Any) -> str:
    match value:
        case bool() | int() | float():
            return type(value).__name__
        case dict():
            return "dict[str, Any]"
        case list():
            return "list[Any]"
        case _:
            # A date in TOML, say, is text to the worker.
            return "str"
