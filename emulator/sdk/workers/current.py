"""Which invocation the running code belongs to, and the env it sees. The runtime sets it, `workers` reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Invocation(Protocol):
    """One event under way."""

    @property
    def env(self) -> Any: ...

    @property
    def flags(self) -> Mapping[str, bool]: ...

    @property
    def exports(self) -> Any: ...

    def wait_until(self, awaitable: Awaitable[Any], /) -> None: ...


class _NoEnv:
    """The env where no worker is loaded."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(
            f"env.{name}: no worker is loaded here; run the code with `emulator dev` or in a test of its own"
        )


invocation: ContextVar[Invocation] = ContextVar("invocation")
_patches: ContextVar[Mapping[str, Any]] = ContextVar("patches")
# Module bodies run before there is any event, and may read env.
_at_import: list[Any] = [_NoEnv()]
_flags_at_import: dict[str, bool] = {}
_exports_at_import: list[Any] = [None]


def bind_env(env: Any, flags: Mapping[str, bool] | None = None, exports: Any = None) -> None:
    """What code sees outside of an invocation, while the worker's modules are imported: env, flags, `ctx.exports`."""
    _at_import[0] = env
    _exports_at_import[0] = exports
    _flags_at_import.clear()
    _flags_at_import.update(flags or {})


def has_flag(name: str, *, otherwise: bool = False) -> bool:
    """Whether a compatibility flag is on for the worker whose code runs; `otherwise` where there is none."""
    running = invocation.get(None)
    flags = _flags_at_import if running is None else running.flags
    return flags.get(name, otherwise)


def current_env() -> Any:
    """The env of the invocation, or else the one that was bound."""
    running = invocation.get(None)
    return _at_import[0] if running is None else running.env


def wait_until(awaitable: Awaitable[Any], /) -> None:
    """Let work go on after the answer. Raises RuntimeError outside of a handler."""
    running = invocation.get(None)
    if running is None:
        raise RuntimeError("wait_until() can be called only while a handler runs")
    running.wait_until(awaitable)


def keep(work: Coroutine[Any, Any, Any]) -> None:
    """Let work of our own go on: as `waitUntil` where a handler runs, or else by itself."""
    running = invocation.get(None)
    if running is not None:
        running.wait_until(work)
        return
    task = asyncio.ensure_future(work)
    _kept.add(task)
    task.add_done_callback(_kept.discard)


# The loop keeps weak references only: without this the work could vanish half done.
_kept: set[asyncio.Future[Any]] = set()


@contextmanager
def patch_env(changes: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None, **more: Any) -> Iterator[None]:
    """Lay other values over the importable env, within a `with` block."""
    token = _patches.set({**_patches.get({}), **dict(changes or {}), **more})
    try:
        yield
    finally:
        _patches.reset(token)


class EnvWrapper:
    """The bindings, by attribute. Without an env of its own it is the current one's, patches included."""

    def __init__(self, env: Any = None) -> None:
        self._own: Any = env._own if isinstance(env, EnvWrapper) else env

    @property
    def _env(self) -> Any:
        return current_env() if self._own is None else self._own

    def __getattr__(self, name: str) -> Any:
        patches = _patches.get({})
        if self.__dict__.get("_own") is None and name in patches:
            return patches[name]
        return getattr(self._env, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._env), *_patches.get({})})

    def __repr__(self) -> str:
        return repr(self._env)


class Exports:
    """The worker's own entrypoints, as `ctx.exports` has them, for code that has no `ctx`."""

    def __getattr__(self, name: str) -> Any:
        running = invocation.get(None)
        return getattr(_exports_at_import[0] if running is None else running.exports, name)
