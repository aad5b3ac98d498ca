"""On the platform there are no threads: what frameworks would hand to one runs in turn with everything else."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from . import current
from .stacks import on_own_stack

_MARK = "_runs_in_turn"


def use_no_threads() -> None:
    """
    Let anyio's worker threads, which Starlette and FastAPI use for functions that are not async, be stacks of ours.

    There `run_sync` and the bindings work. Code that runs outside of a handler keeps its threads.
    """
    module: Any = sys.modules.get("anyio.to_thread")
    if module is not None and not hasattr(module.run_sync, _MARK):
        module.run_sync = _in_turn(module.run_sync)


def _in_turn(in_thread: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(in_thread)
    async def run_sync(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if current.invocation.get(None) is None:
            return await in_thread(function, *arguments, **options)
        return await on_own_stack(function, *arguments)

    setattr(run_sync, _MARK, True)
    return run_sync
