"""`emulator check`: the config is valid, the worker loads, nothing it names is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from emulator import config
from emulator.config import Config
from emulator.errors import ConfigError, EmulatorError, Problem, WorkerError
from emulator.generation import Answer, Generation, Hooks, LoadFailed
from emulator.places import near
from emulator.processes import Processes
from emulator.wire import Frame
from emulator.worker import Worker


def check(paths: Sequence[Path], env: str | None) -> tuple[list[Problem], list[Problem]]:
    """Errors and warnings of these configs and the workers they name."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    valid: list[Config] = []
    for path in paths:
        try:
            found = config.load(path, env=env)
        except ConfigError as error:
            errors += error.problems
            continue
        valid.append(found)
        warnings += found.warnings
        errors += asyncio.run(_load(found))
    return errors + config.conflicts(valid), warnings


async def _load(found: Config) -> list[Problem]:
    """What goes wrong when the worker is loaded as `emulator dev` would."""
    worker = Worker(found, Processes().start, _HOOKS, on_swap=lambda worker: None)
    try:
        await worker.load(found)
    except LoadFailed as error:
        file, line = error.place or ("", None)
        return [Problem(path="main", message=str(error), file=near(file, found.root), line=line)]
    except WorkerError as error:
        return [Problem(path="main", message=error.message, file=found.path.name)]
    except EmulatorError as error:
        return [Problem(path="", message=str(error), file=found.path.name)]
    finally:
        await worker.stop()
    return []


async def _answer(generation: Generation, frame: Frame) -> Answer:
    return {
        "error": {"kind": "RuntimeError", "message": "bindings cannot be called while a worker is being checked"}
    }, b""


_HOOKS = Hooks(
    answer=_answer,
    printed=lambda generation, by, stream, text: None,
    died=lambda generation, why: None,
    blocked=lambda generation, stack: None,
)
