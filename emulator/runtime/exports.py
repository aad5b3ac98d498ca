"""What a worker's main module offers: handlers in class or function style, workflows, named entrypoints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any

from emulator.sdk.workers import DurableObject, WorkerEntrypoint, WorkflowEntrypoint

_ANY_NUMBER = 1_000
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# These may be functions of the module, too; the others only by their older names.
_FUNCTIONS = ("fetch", "scheduled", "queue")
HANDLERS = (*_FUNCTIONS, "email", "tail", "trace")
# What the platform calls and the emulator does not, and why.
_UNHEARD = {
    "connect": "there are no TCP connections from outside here",
    "tailStream": "streaming tails are not emulated; a tail handler is called, once an event is over",
    "test": "it is for the platform's own test runner",
}
_UNHEARD_FUNCTIONS = ("on_alarm", "on_pubsub", "on_connect", "on_tailStream")
_NOT_RPC = (*HANDLERS, *_UNHEARD, "alarm", "constructor", "ctx", "dup", "env")
_SIGNATURES = {
    "scheduled": "async def scheduled(self, controller, env, ctx)",
    "queue": "async def queue(self, batch, env, ctx)",
    "email": "async def email(self, message, env, ctx)",
    "tail": "async def tail(self, events, env, ctx)",
    "trace": "async def trace(self, events, env, ctx)",
}


class HandlerMissing(TypeError):
    """The worker has no handler for this event."""


@dataclass(frozen=True)
class Exports:
    """
    The classes and functions of the main module that the platform would see.

    `prefixed` is for older compatibility dates: methods, too, may be called `on_fetch` and so on.
    """

    default: type[Any] | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    unheard: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    entrypoints: Mapping[str, type[Any]] = field(default_factory=dict)
    workflows: Mapping[str, type[Any]] = field(default_factory=dict)
    objects: Mapping[str, type[Any]] = field(default_factory=dict)
    prefixed: bool = False

    def places(self) -> dict[str, list[Any]]:
        """Each handler with file and line."""
        methods = {name: getattr(self.default, self._method(self.default, name) or "", None) for name in HANDLERS}
        found = {name: method or self.functions.get(name) for name, method in methods.items()}
        return {name: place(handler) for name, handler in found.items() if handler is not None}

    def place_of(self, handler: str, entrypoint: str | None = None) -> list[Any]:
        """File and line of a handler."""
        kind = self._entrypoint(entrypoint)
        method = getattr(kind, self._method(kind, handler) or "", None)
        return place(method or self.functions.get(handler))

    def warnings(self) -> list[tuple[str, str, int]]:
        """Handlers that the platform would call in vain, and those that nobody calls here: why, with file and line."""
        kinds = [kind for kind in (self.default, *self.entrypoints.values()) if kind is not None]
        methods = [(getattr(kind, name, None), name) for kind in kinds for name in _SIGNATURES]
        found = [(_wrong_signature(method, name, None), method) for method, name in methods if callable(method)]
        unheard = [(getattr(kind, name, None), name, why) for kind in kinds for name, why in _UNHEARD.items()]
        found += [(_never_called(name, why), method) for method, name, why in unheard if callable(method)]
        found += [(_never_called(name, "it is not emulated"), function) for name, function in self.unheard.items()]
        return [(text, *place(method)) for text, method in found if text is not None]

    async def call(self, handler: str, event: Any, env: Any, ctx: Any, *, entrypoint: str | None = None) -> Any:
        """Call a handler as the platform does: the class's method, or else the module's function."""
        kind = self._entrypoint(entrypoint)
        name = self._method(kind, handler)
        if kind is not None and name is not None:
            return await awaited(self._handle(kind, handler, name, event, env, ctx))
        function = self.functions.get(handler) if entrypoint is None else None
        if function is None:
            hint = f"; its on_{handler} is for older dates, call it {handler}" if hasattr(kind, f"on_{handler}") else ""
            article = "an" if handler == "email" else "a"
            raise HandlerMissing(f"handler does not export {article} {handler}() function{hint}")
        return await awaited(relaxed(function, event, env, ctx))

    async def call_method(
        self, name: str, arguments: Sequence[Any], env: Any, ctx: Any, *, entrypoint: str | None = None
    ) -> Any:
        """Call a method for another worker. Raises TypeError when there is none of that name."""
        kind = self._entrypoint(entrypoint)
        if name.startswith("_") or name in _NOT_RPC or not callable(getattr(kind, name, None)):
            others = ", ".join(_methods(kind)) or "no methods for others"
            raise TypeError(f"Method {name} does not exist; {entrypoint or 'Default'} has {others}")
        assert kind is not None
        return await awaited(getattr(kind(ctx, env), name)(*arguments))

    def _entrypoint(self, name: str | None) -> type[Any] | None:
        if name is None or name == "Default":
            return self.default
        if name not in self.entrypoints:
            found = ", ".join(sorted(self.entrypoints)) or "none"
            raise TypeError(
                f'the worker has no entrypoint "{name}"; it exports {found} (a class derived from WorkerEntrypoint)'
            )
        return self.entrypoints[name]

    def _method(self, kind: type[Any] | None, handler: str) -> str | None:
        names = (handler, f"on_{handler}") if self.prefixed else (handler,)
        return next((name for name in names if hasattr(kind, name)), None)

    def _handle(self, kind: type[Any], handler: str, name: str, event: Any, env: Any, ctx: Any) -> Any:
        method = getattr(kind(ctx, env), name)
        if handler == "fetch":
            return relaxed(method, event, None, None)
        wrong = _wrong_signature(method, handler)
        if wrong is not None:
            file, line = place(method)
            raise TypeError(f"{wrong} ({file}:{line})")
        # The platform hands three arguments to a method, the last two empty; env and ctx are on self.
        return method(event, None, None)


def find(module: ModuleType, *, prefixed: bool = False) -> Exports:
    """The exports of a main module: `__all__` if it has one, otherwise every public name."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    values = [getattr(module, name) for name in names]
    classes = {value.__name__: value for value in values if isinstance(value, type)}
    entrypoints = _subclasses(classes, WorkerEntrypoint)
    return Exports(
        default=entrypoints.get("Default"),
        functions=_functions(module),
        unheard={name: getattr(module, name) for name in _UNHEARD_FUNCTIONS if callable(getattr(module, name, None))},
        entrypoints={name: found for name, found in entrypoints.items() if name != "Default"},
        workflows=_subclasses(classes, WorkflowEntrypoint),
        objects=_subclasses(classes, DurableObject),
        prefixed=prefixed,
    )


def relaxed(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call with as many of the arguments as the function takes; too few still raises its own TypeError."""
    unbound = getattr(function, "__func__", None)
    most = _most_arguments(function if unbound is None else unbound)
    return function(*arguments[: most if unbound is None else max(most - 1, 0)])


@lru_cache(maxsize=256)
def _most_arguments(function: Callable[..., Any]) -> int:
    """How many positional arguments a function takes. Asked for every event, so remembered."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return _ANY_NUMBER
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return _ANY_NUMBER
    return sum(parameter.kind in _POSITIONAL for parameter in parameters)


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


def _methods(kind: type[Any] | None) -> list[str]:
    names = [] if kind is None else dir(kind)
    return [name for name in names if not name.startswith("_") and name not in _NOT_RPC]


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    found = {}
    for handler in HANDLERS:
        for name in (handler, f"on_{handler}") if handler in _FUNCTIONS else (f"on_{handler}",):
            function = getattr(module, name, None)
            if callable(function) and not _is_sdk(function):
                found[handler] = function
    return found


def _is_sdk(function: Any) -> bool:
    """`from workers import fetch` puts a function of that name into the module; it is no handler."""
    return str(getattr(function, "__module__", "")).startswith(("emulator.sdk", "workers"))


def _never_called(name: str, why: str) -> str:
    return f"{name}() is never called here: {why}"


def _wrong_signature(method: Callable[..., Any], handler: str, *self_: None) -> str | None:
    """Why a method cannot be called as the platform does; with `None` for self when it is not bound yet."""
    try:
        inspect.signature(method).bind(*self_, None, None, None)
    except TypeError:
        return (
            f"{handler}() must take exactly three arguments after self, as the platform passes them: "
            f"`{_SIGNATURES[handler]}`; env and ctx are None there, use self.env and self.ctx"
        )
    return None
