"""`emulator check`: the config and the code, without serving."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from emulator.cli.options import config_option, env_option, found_configs, json_option, module
from emulator.errors import Problem


@click.command()
@config_option
@env_option
@click.option("--production", is_flag=True, help="Warn of what works here and not on the platform.")
@json_option
def check(configs: tuple[Path, ...], env: str | None, production: bool, as_json: bool) -> None:
    """
    Validate the config and load the worker, without serving.

    Example: emulator check --json
    """
    errors, warnings = module("emulator.check").check(found_configs(configs), env, production=production)
    if as_json:
        told = {"ok": not errors, "errors": list(map(_problem, errors)), "warnings": list(map(_problem, warnings))}
        click.echo(json.dumps(told, indent=2))
    else:
        for warning in warnings:
            click.echo(f"warning: {warning}", err=True)
        for error in errors:
            click.echo(f"error: {error}", err=True)
        if not errors:
            click.echo("ok")
    if errors:
        sys.exit(1)


def _problem(problem: Problem) -> Mapping[str, object]:
    return {"path": problem.path or problem.file, "message": problem.message, "line": problem.line}
