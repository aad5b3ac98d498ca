"""What `emulator dev` says before `Ready`: a worker's handlers, bindings, crons and queues, a line each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from emulator import cron, duration
from emulator.config import Config, Consumer, flags
from emulator.cron import words
from emulator.loaded import Loaded
from emulator.places import near


def lines(
    config: Config, loaded: Loaded, next_ticks: Mapping[str, datetime | None], *, now: datetime, seen_from: Path
) -> Iterator[str]:
    """The lines of one worker; what it does not have is left out."""
    env = f", environment {config.env}" if config.env else ""
    yield f"{config.name}  ({near(config.path, seen_from)}{env})"
    yield from _line("handlers", _places(loaded.handlers, seen_from))
    yield from _line("workflows", _places(loaded.workflows, seen_from))
    yield from _line("env", _bindings(config))
    if config.assets is not None and config.assets.directory is not None:
        yield from _line("assets", [_assets(config.assets.directory, seen_from)])
    yield from _line("not emulated", (f"{each.binding} ({each.kind})" for each in config.unsupported))
    yield from _line("idle flags", flags.without_effect(config.flags))
    for source, names in config.secret_names.items():
        yield from _line(f"from {source}", sorted(names))
    for expression in config.crons:
        yield from _line("cron", [f"{expression}  {_in_words(expression, next_ticks, now)}"])
    for workflow in config.workflows:
        for expression in workflow.schedules:
            told = f"{expression}  {_in_words(expression, next_ticks, now)} (workflow {workflow.name})"
            yield from _line("schedule", [told])
    yield from _line("consumes", map(_consumer, config.consumers))


def going_on(instances: int) -> Iterator[str]:
    """What is taken up again from the last run."""
    if instances:
        yield f"{instances} unfinished workflow instance{'s go' if instances > 1 else ' goes'} on"


def _line(label: str, parts: Iterable[str]) -> Iterator[str]:
    told = ", ".join(parts)
    if told:
        yield f"  {label:<13} {told}"


def _places(places: Mapping[str, tuple[str, int]], seen_from: Path) -> Iterator[str]:
    for name, (file, line) in places.items():
        yield f"{name} {near(file, seen_from)}:{line}"


def _bindings(config: Config) -> Iterator[str]:
    for workflow in config.workflows:
        yield f"{workflow.binding} (workflow {workflow.name})"
    for producer in config.producers:
        yield f"{producer.binding} (queue {producer.queue})"
    for service in config.services:
        yield f"{service.binding} (worker {service.service})"
    if config.assets is not None and config.assets.binding:
        yield f"{config.assets.binding} (assets)"
    yield from (name for name in config.vars if config.sources.get(name) == config.path.name)


def _assets(directory: Path, seen_from: Path) -> str:
    return near(directory, seen_from) if directory.is_dir() else f"{near(directory, seen_from)} (not there yet)"


def _in_words(expression: str, next_ticks: Mapping[str, datetime | None], now: datetime) -> str:
    """With its next tick, if it has been planned; of a worker that could not be loaded, or without crons, none is."""
    told = words.explain(cron.parse(expression))
    if expression not in next_ticks:
        return told
    tick = next_ticks[expression]
    return f"{told}, never" if tick is None else f"{told}, next in {duration.words(tick - now)}"


def _consumer(consumer: Consumer) -> str:
    dead = consumer.dead_letter_queue
    return f"{consumer.queue} (dead letters to {dead})" if dead else consumer.queue
