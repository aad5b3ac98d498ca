"""Values that stay out of the config: which of `.dev.vars`, `.env` and the command line gives a name its value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emulator.config import dotenv
from emulator.config.model import Config
from emulator.config.source import read_text
from emulator.errors import Problem

PROCESS = "the process environment"
COMMAND_LINE = "--var"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """
    What decides where secrets come from.

    `env` is the environment that the command line names. One that CLOUDFLARE_ENV names (`unread_env`) has no files of
    its own.
    """

    env: str = ""
    unread_env: str = ""
    env_files: Sequence[Path] = ()
    reads_dot_env: bool = True
    process: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Names with values, which file gave each, and every file that had a say or would have one."""

    values: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read(folder: Path, settings: Settings) -> Secrets:
    """The secrets of a folder: one `.dev.vars` file if there is any, otherwise the `.env` files, later ones winning."""
    dev_vars = [] if settings.env_files else _dev_vars(folder, settings.env)
    dot_env = _dot_env(folder, settings) if settings.reads_dot_env else []
    chosen = list(filter(_is_there, dev_vars))[:1]
    found = _merged(chosen or list(filter(_is_there, dot_env)))
    if not chosen and settings.reads_dot_env:
        found = _with_process(found, settings.process)
    warnings = (*found.warnings, *_lacking(folder, settings), *_hidden(folder, settings, chosen, found))
    return replace(found, files=(*dev_vars, *dot_env), warnings=warnings)


def apply(config: Config, secrets: Secrets, taken: Collection[str], *, declared: bool) -> Config:
    """
    The config with secrets in its variables. `declared`: it lists what it needs, and nothing else is let in.

    A secret never stands in for a binding of its name (`taken`).
    """
    allowed = {*config.vars, *config.required_secrets} if declared else secrets.values.keys()
    values = {name: value for name, value in secrets.values.items() if name in allowed and name not in taken}
    config = replace(config, warnings=(*config.warnings, *secrets.warnings, *_unset(config, secrets)))
    return _with(config, values, {name: secrets.sources[name] for name in values})


def override(config: Config, variables: Mapping[str, str], taken: Collection[str]) -> Config:
    """The config with the variables of the command line, which win over all others."""
    values = {name: value for name, value in variables.items() if name not in taken}
    return _with(config, values, dict.fromkeys(values, COMMAND_LINE))


def dot_env_files(folder: Path, env: str) -> list[Path]:
    """The `.env` files of a folder; the later ones win."""
    names = [".env", ".env.local"]
    if env:
        names += [f".env.{env}", f".env.{env}.local"]
    return [folder / name for name in names]


def dot_env(files: Sequence[Path]) -> Mapping[str, str]:
    """What these `.env` files say together."""
    return dotenv.expand(_merged(list(filter(_is_there, files))).values)


def _with(config: Config, values: Mapping[str, Any], sources: Mapping[str, str]) -> Config:
    return replace(config, vars={**config.vars, **values}, sources={**config.sources, **sources})


def _dev_vars(folder: Path, env: str) -> list[Path]:
    return [folder / f".dev.vars.{env}", folder / ".dev.vars"] if env else [folder / ".dev.vars"]


def _dot_env(folder: Path, settings: Settings) -> list[Path]:
    if settings.env_files:
        return [folder / each for each in settings.env_files]
    return dot_env_files(folder, settings.env)


def _is_there(path: Path) -> bool:
    # Not is_file(): password managers put a pipe there. A folder called .env is a virtual environment.
    return path.exists() and not path.is_dir()


def _merged(files: Sequence[Path]) -> Secrets:
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    warnings: list[Problem] = []
    for file in files:
        for line in dotenv.parse(read_text(file)):
            if line.name:
                values[line.name], sources[line.name] = line.value, file.name
            else:
                warnings.append(_problem(file, "not NAME=value, and so ignored", line.number))
    return Secrets(values=values, sources=sources, warnings=tuple(warnings))


def _with_process(found: Secrets, process: Mapping[str, str]) -> Secrets:
    """`.env` values with their references put in; where the process environment is let in, it wins."""
    values = {**dotenv.expand({**found.values, **process}), **process}
    return replace(found, values=values, sources={**found.sources, **dict.fromkeys(process, PROCESS)})


def _unset(config: Config, secrets: Secrets) -> list[Problem]:
    """One warning for all secrets without a value."""
    names = ", ".join(name for name in config.required_secrets if name not in secrets.values)
    message = f"no value for {names}; set what is missing in .dev.vars"
    return [Problem(path="secrets.required", message=message, file=config.path.name)] if names else []


def _lacking(folder: Path, settings: Settings) -> list[Problem]:
    return [_problem(each, "there is no such file") for each in settings.env_files if not _is_there(folder / each)]


def _hidden(folder: Path, settings: Settings, chosen: Sequence[Path], found: Secrets) -> list[Problem]:
    """Warn of files that people expect to be read and that are not."""
    base, env = folder / ".dev.vars", settings.unread_env
    names = (f".dev.vars.{env}", f".env.{env}", f".env.{env}.local") if env else ()
    why = f"not read, since the environment comes from CLOUDFLARE_ENV; say --env {env}"
    problems = [_problem(folder / name, why) for name in names if _is_there(folder / name)]
    if chosen and chosen[0] != base and _is_there(base):
        only_there = ", ".join(sorted(_merged([base]).values.keys() - found.values.keys()))
        why = f"not read, since {chosen[0].name} takes its place and has no {only_there}"
        problems += [_problem(base, why)] if only_there else []
    return problems


def _problem(file: Path, message: str, line: int | None = None) -> Problem:
    return Problem(path="", message=message, file=file.name, line=line)
