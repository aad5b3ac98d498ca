"""The types of what a workflow's `run(event, step)` receives; `workers.workflows` hands them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypedDict, TypeVar, overload

R = TypeVar("R", covariant=True)
T = TypeVar("T")
Duration = str | float | timedelta
"""Milliseconds, or text such as "10 seconds"."""


class Retries(TypedDict, total=False):
    """How a step is tried again: `limit` times after the first, waiting `delay` that grows by `backoff`."""

    limit: int
    delay: Duration | Callable[[Any], Duration]
    backoff: Literal["constant", "linear", "exponential"]


class StepConfig(TypedDict, total=False):
    """The `config` of a step."""

    retries: Retries
    timeout: Duration


class StepFunction(Protocol[R]):
    """A step: await its call, without arguments, for its recorded result."""

    def __call__(self) -> Awaitable[R]: ...


class StepDecorator(Protocol):
    """What `step.do(…)` gives."""

    @overload
    def __call__(self, function: Callable[..., Coroutine[Any, Any, T]], /) -> StepFunction[T]: ...

    @overload
    def __call__(self, function: Callable[..., T], /) -> StepFunction[T]: ...


class WorkflowEvent(Protocol):
    """The `event` of a run: keys are attributes too."""

    @property
    def payload(self) -> Any: ...

    @property
    def timestamp(self) -> datetime: ...

    @property
    def instanceId(self) -> str: ...

    @property
    def workflowName(self) -> str: ...

    def __getitem__(self, key: str, /) -> Any: ...

    def get(self, key: str, default: Any = None, /) -> Any: ...


class WorkflowStep(Protocol):
    """The `step` of a run. developers.cloudflare.com/workflows/python/python-workers-api"""

    @overload
    def do(
        self,
        name: str | None = None,
        *,
        concurrent: bool = False,
        config: StepConfig | None = None,
        rollback: Callable[..., Any] | None = None,
        rollback_config: StepConfig | None = None,
    ) -> StepDecorator: ...

    # Before compatibility date 2026-02-25 a step names those it depends on.
    @overload
    def do(
        self,
        name: str,
        depends: Sequence[StepFunction[Any]] | None = None,
        concurrent: bool = False,
        config: StepConfig | None = None,
    ) -> StepDecorator: ...

    def sleep(self, name: str, duration: Duration, /) -> Awaitable[None]: ...

    def sleep_until(self, name: str, timestamp: datetime | float, /) -> Awaitable[None]: ...

    def wait_for_event(self, name: str, event_type: str, /, timeout: Duration = "24 hours") -> Awaitable[Any]: ...
