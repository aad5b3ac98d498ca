"""Read a config: the file, the environment, the files of secrets, the command line, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from emulator.config import environments, secrets, worker
from emulator.config.environments import Scope
from emulator.config.find import NAMES
from emulator.config.model import Config
from emulator.config.node import Node
from emulator.config.report import Report
from emulator.config.secrets import Settings
from emulator.config.source import Source, read
from emulator.errors import ConfigError, Problem

_NOTHING: Mapping[str, str] = MappingProxyType({})


def load(
    path: Path, *, env: str | None = None, variables: Mapping[str, str] = _NOTHING, env_files: Sequence[Path] = ()
) -> Config:
    """
    The config of a file. `env` is the named environment; without one CLOUDFLARE_ENV counts, and "" is the top level.

    `variables` win over what the files say; `env_files` are read in the place of `.dev.vars` and `.env`. Raises
    ConfigError with everything that is wrong.
    """
    path = path.parent.resolve() / path.name
    switches = _switches(env)
    source = read(path)
    top = Node(source.data, (), Report(source.data, tables_swallow=source.is_toml))
    scope = environments.named(top, switches.get("CLOUDFLARE_ENV") if env is None else env)
    config, names = _parsed(scope, source)
    warnings = (*_beside(path), *source.problems(top.report.warnings))
    if top.report.errors:
        raise ConfigError(source.problems(top.report.errors), warnings)
    try:
        found = secrets.read(path.parent, _settings(scope, env, env_files, switches))
    except ConfigError as error:
        raise ConfigError(error.problems, warnings) from error
    config = replace(config, warnings=warnings, files=(path, *found.files))
    config = secrets.apply(config, found, names, declared="secrets" in scope.own)
    return secrets.override(config, variables, names)


def _parsed(scope: Scope, source: Source) -> tuple[Config, set[str]]:
    """The environment asked for, with the names of its bindings. All others are checked too."""
    config, names = worker.parse(scope, source.path)
    if not scope.is_top:
        top, there = worker.parse(Scope(scope.top, scope.top, is_served=False), source.path)
        environments.warn_of_lacking(scope)
        lacking = {*there, *top.vars} - {*names, *config.vars}
        config = replace(config, not_inherited=tuple(sorted(lacking)))
    _check_others(scope, source)
    return config, names


def _check_others(scope: Scope, source: Source) -> None:
    ours = scope.top.report
    aside = Report(ours.root, ours.tables_swallow)
    for other in environments.others(Node(source.data, (), aside), scope.env):
        worker.parse(other, source.path)
    for complaint in (*aside.errors, *aside.warnings):
        # What the top level has is known already.
        if complaint.way[:1] == ("env",) and len(complaint.way) > 1:
            ours.warn(complaint.way, complaint.message)


def _settings(scope: Scope, env: str | None, env_files: Sequence[Path], switches: Mapping[str, str]) -> Settings:
    lets_process_in = switches.get("CLOUDFLARE_INCLUDE_PROCESS_ENV") == "true" or "secrets" in scope.own
    return Settings(
        env=env or "",
        unread_env="" if env else scope.env or "",
        env_files=env_files,
        reads_dot_env=switches.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV") != "false",
        process=os.environ if lets_process_in else {},
    )


def _switches(env: str | None) -> Mapping[str, str]:
    """The process environment; what it lacks may stand in the `.env` files of the folder one works in."""
    return {**secrets.dot_env(secrets.dot_env_files(Path.cwd(), env or "")), **os.environ}


def _beside(path: Path) -> list[Problem]:
    """A second config in the folder is read by nobody."""
    return [
        Problem(path="", message=f"not read, since {path.name} is", file=name)
        for name in NAMES
        if name != path.name and path.name in NAMES and (path.parent / name).is_file()
    ]
