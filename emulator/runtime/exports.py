"""What a worker's main module offers: handlers in class or function style, workflows, named entrypoints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from emulator.sdk.workers import DurableObject, WorkerEntrypoint, WorkflowEntrypoint

HANDLERS = ("fetch", "scheduled", "queue")
_SIGNATURES = {
    "scheduled": "async def scheduled(self, controller, env, ctx)",
    "queue": "async def queue(self, batch, env, ctx)",
}


class HandlerMissing(TypeError):
    """The worker has no handler for this event."""


@dataclass(frozen=True)
class Exports:
    """The classes and functions of the main module that the platform would see."""

    default: type[Any] | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    entrypoints: Mapping[str, type[Any]] = field(default_factory=dict)
    workflows: Mapping[str, type[Any]] = field(default_factory=dict)
    objects: Mapping[str, type[Any]] = field(default_factory=dict)

    def places(self) -> dict[str, list[Any]]:
        """Each handler with file and line."""
        found = {name: getattr(self.default, name, None) or self.functions.get(name) for name in HANDLERS}
        return {name: place(handler) for name, handler in found.items() if handler is not None}

    async def call(self, handler: str, event: Any, env: Any, ctx: Any) -> Any:
        """Call a handler as the platform does: the class's method, or else the module's function."""
        if self.default is not None and hasattr(self.default, handler):
            return await awaited(self._call_method(handler, event, env, ctx))
        function = self.functions.get(handler)
        if function is None:
            raise HandlerMissing(f"handler does not export a {handler}() function")
        return await awaited(relaxed(function, event, env, ctx))

    def _call_method(self, handler: str, event: Any, env: Any, ctx: Any) -> Any:
        assert self.default is not None
        method = getattr(self.default(ctx, env), handler)
        if handler == "fetch":
            return relaxed(method, event, None, None)
        _refuse_other_signatures(method, handler)
        # The platform hands three arguments to a method, the last two empty; env and ctx are on self.
        return method(event, None, None)


def find(module: ModuleType) -> Exports:
    """The exports of a main module: `__all__` if it has one, otherwise every public name."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    values = [getattr(module, name) for name in names]
    classes = {value.__name__: value for value in values if isinstance(value, type)}
    entrypoints = _subclasses(classes, WorkerEntrypoint)
    return Exports(
        default=entrypoints.get("Default"),
        functions=_functions(module),
        entrypoints={name: found for name, found in entrypoints.items() if name != "Default"},
        workflows=_subclasses(classes, WorkflowEntrypoint),
        objects=_subclasses(classes, DurableObject),
    )


def relaxed(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call with as many of the arguments as the function takes; too few still raises its own TypeError."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments)
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return function(*arguments)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return function(*arguments[: len(positional)])


async def awaited(result: Any) -> Any:
    """Handlers may be sync or async."""
    return await result if inspect.isawaitable(result) else result


def place(thing: Any) -> list[Any]:
    """File and line of a function or class."""
    thing = inspect.unwrap(thing)
    code = getattr(thing, "__code__", None)
    if code is not None:
        return [code.co_filename, code.co_firstlineno]
    try:
        return [inspect.getsourcefile(thing) or "", inspect.getsourcelines(thing)[1]]
    except (OSError, TypeError):
        return ["", 0]


def _subclasses(classes: dict[str, type[Any]], base: type[Any]) -> dict[str, type[Any]]:
    return {name: found for name, found in classes.items() if issubclass(found, base) and found is not base}


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    found = {}
    for handler in HANDLERS:
        for name in (handler, f"on_{handler}"):
            function = getattr(module, name, None)
            if callable(function) and not _is_sdk(function):
                found[handler] = function
    return found


def _is_sdk(function: Any) -> bool:
    """`from workers import fetch` puts a function of that name into the module; it is no handler."""
    return str(getattr(function, "__module__", "")).startswith(("emulator.sdk", "workers"))


def _refuse_other_signatures(method: Callable[..., Any], handler: str) -> None:
    try:
        inspect.signature(method).bind(None, None, None)
    except TypeError as error:
        file, line = place(method)
        raise TypeError(
            f"{handler}() must take exactly three arguments after self, as the platform passes them: "
            f"`{_SIGNATURES[handler]}` ({file}:{line}); env and ctx are None there, use self.env and self.ctx"
        ) from error
