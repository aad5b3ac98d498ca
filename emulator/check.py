"""`emulator check`: the config is valid, the worker loads, nothing it names is missing."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from emulator import config, leftovers, portability
from emulator.calls import Answer
from emulator.config import Config
from emulator.errors import ConfigError, EmulatorError, Problem, WorkerError
from emulator.generation import Generation, Hooks
from emulator.loaded import Loaded, LoadFailed
from emulator.places import near
from emulator.processes import Processes
from emulator.wire import Frame
from emulator.worker import MissingWorkflow, Worker

_EMULATOR = Path(__file__).parent


def check(paths: Sequence[Path], env: str | None, *, production: bool = False) -> tuple[list[Problem], list[Problem]]:
    """
    Errors and warnings of these configs and the workers they name; each names its file as seen from the current folder.

    For production there are warnings of what works here and not on the platform.
    """
    errors: list[Problem] = []
    warnings: list[Problem] = []
    valid: list[Config] = []
    for path in paths:
        wrong, doubtful = _check(path, env, valid, production=production)
        errors += _seen_from_here(wrong, path.parent)
        warnings += _seen_from_here(doubtful, path.parent)
    errors += _seen_from_here(config.conflicts(valid), Path.cwd())
    return errors, warnings


def _check(
    path: Path, env: str | None, valid: list[Config], *, production: bool
) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """Errors and warnings of one config, which joins the valid ones if it is, and of its worker."""
    try:
        found = config.load(path, env=env)
    except ConfigError as error:
        return error.problems, error.warnings
    valid.append(found)
    loaded, errors = asyncio.run(_load(found))
    told = [
        Problem(path="", message=text, file=near(file, found.root), line=line) for text, file, line in loaded.warnings
    ]
    there = _for_production(found, loaded) if production else ()
    return errors, [*found.warnings, *told, *there]


def _seen_from_here(problems: Iterable[Problem], root: Path) -> list[Problem]:
    """Those that name a file from a folder on, with the way from the current one."""
    return [replace(each, file=_way(root / each.file)) if each.file else each for each in problems]


def _way(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        # On Windows no way leads to another drive.
        return str(path)


def _for_production(found: Config, loaded: Loaded) -> Iterator[Problem]:
    if not found.has_code:
        return
    has_sockets = found.has_flag("python_workers_314") or found.has_flag("python_workers_20260610")
    files = tuple(_of_the_worker(found, loaded.files))
    for file in files:
        source = file.read_text("utf-8")
        left_behind = functools.partial(leftovers.left_behind, found, file.parent)
        yield from portability.findings(
            source, near(file, found.root), has_sockets=has_sockets, left_behind=left_behind
        )
        if file == found.main:
            classes_only = found.has_flag("python_no_global_handlers")
            yield from portability.handlers(source, near(file, found.root), classes_only=classes_only)
    yield from leftovers.modules(found, files)
    yield from leftovers.module_root(found)
    yield from portability.native(loaded.native)


def _of_the_worker(found: Config, files: Iterable[Path]) -> Iterator[Path]:
    """Without the emulator's own modules, which are among them where it lies in the project's folder."""
    for file in files:
        if file.is_relative_to(found.module_root) or not file.is_relative_to(_EMULATOR):
            yield file


async def _load(found: Config) -> tuple[Loaded, list[Problem]]:
    """What a worker offers, and what goes wrong when it is loaded as `emulator dev` would."""
    nothing = Loaded()
    worker = Worker(found, Processes().start, _HOOKS, on_swap=lambda worker: None)
    try:
        await worker.load(found)
    except LoadFailed as error:
        return nothing, [_where_it_failed(error, found)]
    except MissingWorkflow as error:
        return nothing, list(error.problems)
    except WorkerError as error:
        return nothing, [Problem(path="main", message=error.message, file=found.path.name)]
    except EmulatorError as error:
        return nothing, [Problem(path="", message=str(error), file=found.path.name)]
    finally:
        await worker.stop()
    return nothing if worker.current is None else worker.current.loaded, []


def _where_it_failed(error: LoadFailed, found: Config) -> Problem:
    """The line of the code that failed; where there is none, the key that names the code."""
    if error.place is None:
        return Problem(path="main", message=str(error), file=found.path.name)
    file, line = error.place
    return Problem(path="", message=str(error), file=near(file, found.root), line=line)


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
