"""A workflow's steps as functions, and the graph of who needs whose result."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from emulator.runtime.exports import place

_TAKES_MORE = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

Take = Callable[["StepFunction", Callable[[Any], Any]], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """What `step.do` was told; `depends` lists the steps of the parameters, where they are not found by name."""

    config: Any = None
    concurrent: bool = False
    depends: Sequence[Any] | None = None
    rollback: Callable[..., Any] | None = None
    rollback_config: Any = None


class StepFunction:
    """A step's function: await it without arguments. Each direct call is a step of its own."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        options: StepOptions,
        take: Take,
        declared: Mapping[str, StepFunction] | None,
    ) -> None:
        self.step_name = name
        self.options = options
        self.place = place(function)
        self._function = function
        self._take = take
        self._declared = declared
        self._memo: asyncio.Future[Any] | None = None

    async def __call__(self) -> Any:
        running = self._memo = asyncio.ensure_future(self._run())
        # As on the platform, who stops waiting for a step does not stop the step: the losers of a race go on.
        return await asyncio.shield(running)

    def __repr__(self) -> str:
        file, line = self.place
        return f"<step {self.step_name} at {file}:{line}>"

    async def _run(self) -> Any:
        names = _parameters(self._function)
        sources = self._sources([name for name in names if name != "ctx"])
        results = await self._results(sources)

        def body(context: Any) -> Any:
            given = iter(results)
            return self._function(*[context if name == "ctx" else next(given) for name in names])

        return await self._take(self, body)

    def _sources(self, names: list[str]) -> Sequence[StepFunction]:
        if self._declared is not None:
            return [self._named(name, self._declared) for name in names]
        depends = self.options.depends
        if depends is None:
            if names:
                raise TypeError(f"Step has {len(names)} non-ctx parameter(s) but no 'depends' list provided")
            return []
        if len(names) != len(depends):
            raise TypeError(f"Step declares {len(names)} non-ctx parameter(s) but 'depends' has {len(depends)} item(s)")
        for name, source in zip(names, depends, strict=True):
            if not isinstance(source, StepFunction):
                raise TypeError(f"'depends' entry for parameter '{name}' is not a function decorated with step.do")
        return depends

    def _named(self, parameter: str, declared: Mapping[str, StepFunction]) -> StepFunction:
        source = declared.get(parameter)
        if source is None or source is self:
            raise TypeError(f"Received unexpected parameter {parameter}")
        return source

    async def _results(self, sources: Sequence[StepFunction]) -> list[Any]:
        if self.options.concurrent:
            return list(await asyncio.gather(*(source._remembered() for source in sources)))
        return [await source._remembered() for source in sources]

    def _remembered(self) -> Awaitable[Any]:
        """The result of the run that is under way or over, else of a new one."""
        if self._memo is None or self._memo.cancelled():
            return self()
        return asyncio.shield(self._memo)


def _parameters(function: Callable[..., Any]) -> Sequence[str]:
    is_plain = isinstance(function, FunctionType) and not function.__dict__
    code = function.__code__ if is_plain else None
    if code is not None and not code.co_argcount + code.co_kwonlyargcount and not code.co_flags & _TAKES_MORE:
        # Most steps take nothing, and looking closer takes longer than many a body.
        return ()
    return list(inspect.signature(function).parameters)
