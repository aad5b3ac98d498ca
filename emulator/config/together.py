"""What several workers that are served together must not both claim. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emulator.config.model import Config
from emulator.errors import Problem


def conflicts(configs: Sequence[Config]) -> list[Problem]:
    """One complaint for each name, workflow and queue that two of the configs claim."""
    claims = [(config, claim) for config in configs for claim in _claims(config)]
    first: dict[str, Config] = {}
    found = []
    for config, (path, what) in claims:
        holder = first.setdefault(what, config)
        if holder is not config:
            found.append(Problem(path, f"{what}, as {holder.path} does already", file=str(config.path)))
    return found


def _claims(config: Config) -> Iterator[tuple[str, str]]:
    yield "name", f'it calls the worker "{config.name}"'
    for workflow in config.own_workflows:
        yield "workflows", f'it defines the workflow "{workflow.name}"'
    for consumer in config.consumers:
        yield "queues.consumers", f'it consumes the queue "{consumer.queue}"'
