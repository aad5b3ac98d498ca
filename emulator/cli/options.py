"""What several commands take: the config, the environment, the port, JSON or words; and how their values are read."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from emulator.cli.whole import Whole
from emulator.errors import ConfigError, EmulatorError, Problem

TOKEN = "EMULATOR_API_TOKEN"

config_option = click.option(
    "-c",
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The config file, or its folder; found if left out.",
)
env_option = click.option("-e", "--env", default=None, help="The named environment; CLOUDFLARE_ENV if left out.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
port_option = click.option(
    "--port",
    default=None,
    type=Whole(1, 65535),
    help="The emulator's port; that of the one that serves this project, or 8787 outside of any, if left out.",
)
persist_option = click.option(
    "--persist-to", type=click.Path(path_type=Path), help="The state folder; .emulator beside the first config."
)


def found_configs(asked: tuple[Path, ...]) -> tuple[Path, ...]:
    """The configs that were named, or the one that is found. Raises EmulatorError where there is none."""
    if not asked:
        found = module("emulator.config").find(Path.cwd())
        if found is None:
            raise EmulatorError(
                f"no wrangler.toml, wrangler.json or wrangler.jsonc in {Path.cwd()} or above;"
                " give one with -c, or write a project with `emulator init DIR`"
            )
        return (found,)
    return tuple(_named(path).resolve() for path in asked)


def _named(path: Path) -> Path:
    """The config that was named, by itself or by its folder. Raises ConfigError where it is not there."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ConfigError([Problem(path="", message="there is no such file", file=str(path))])
    names = module("emulator.config.find").NAMES
    for each in map(path.joinpath, names):
        if each.is_file():
            return each
    raise ConfigError([Problem(path="", message=f"this folder has no {', '.join(names)}", file=str(path))])


def api_token(file: Path | None) -> str | None:
    """
    The token that /cdn-cgi/ asks for, or None. No option takes it: everybody on the machine can read a command line.

    It leaves the environment, which processes of the worker inherit.
    """
    token = os.environ.pop(TOKEN, None)
    if file is None:
        return token.strip() if token else None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise EmulatorError(f"{file}: the token cannot be read: {error}") from error


def time_of(text: str) -> datetime:
    """A time on the command line. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"a time looks like 2030-01-31T12:00:00Z, got {text!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def json_of(text: str, rule: str) -> Any:
    """JSON on the command line. Raises UsageError, which begins with the rule that was broken."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{rule}: {error}") from error


def confirmed(question: str, *, unasked: str) -> bool:
    """Whether somebody agrees. Raises UsageError where nobody can, with the option that asks nobody; not for Ctrl-C."""
    try:
        return click.confirm(question)
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        click.echo()
        raise click.UsageError(f"nobody answers: standard input has ended; say {unasked}") from error


@contextmanager
def in_options(words: Mapping[str, str]) -> Iterator[None]:
    """What the API says of its fields is said of a command's options: who typed `--id` knows no `body.instance_id:`."""
    try:
        yield
    except EmulatorError as error:
        text = str(error)
        for field, option in words.items():
            text = text.replace(field, option)
        error.args = (text,)
        raise


def module(name: str) -> Any:
    """A module that only some commands need, and that would make all others slower."""
    return importlib.import_module(name)
