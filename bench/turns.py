"""How figures are taken: how many of each, by turns, the middle one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TypeVar

from servers import Command, Server

Subject = TypeVar("Subject", Command, Server)
Figure = TypeVar("Figure")

_PATIENCE_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything."""

    rounds: int
    seconds: float
    starts: int
    saves: int
    trios: int
    steps: int
    crowds: int
    instances: int
    messages: int


FULL = Size(rounds=5, seconds=2, starts=9, saves=30, trios=100, steps=1_000, crowds=3, instances=1_000, messages=20_000)
QUICK = Size(rounds=2, seconds=0.7, starts=3, saves=8, trios=20, steps=300, crowds=1, instances=200, messages=4_000)


async def by_turns(
    times: int, subjects: Sequence[Subject], measure: Callable[[Subject], Awaitable[Figure]]
) -> dict[str, list[Figure]]:
    """The figures of each subject, by its name. They take turns, so that what disturbs the machine disturbs all."""
    taken: dict[str, list[Figure]] = {subject.name: [] for subject in subjects}
    for _ in range(times):
        for subject in subjects:
            taken[subject.name] += await in_time(subject.name, measure(subject))
    return {name: figures for name, figures in taken.items() if figures}


async def in_time(name: str, measuring: Awaitable[Figure]) -> list[Figure]:
    """The figure; none when a peer leaves a request without an answer, as wrangler does now and then. Ours may not."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return [await measuring]
    except TimeoutError as error:
        late = f"{name} was not done within {_PATIENCE_SECONDS} seconds"
        if name == "ours":
            raise RuntimeError(late) from error
        print(f"{late}; this turn of it does not count", file=sys.stderr)
        return []


def medians(taken: dict[str, list[float]]) -> dict[str, float]:
    return {name: median(figures) for name, figures in taken.items()}


def p95s(taken: dict[str, list[float]]) -> dict[str, float]:
    return {name: quantiles(figures, n=20, method="inclusive")[-1] for name, figures in taken.items()}
