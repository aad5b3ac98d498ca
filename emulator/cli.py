"""The command line. Each command is one call, and imports what it needs when it runs, so that each starts fast."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from emulator import __version__
from emulator.errors import ConfigError, EmulatorError, Problem

_BEGAN = time.monotonic()

_config_option = click.option(
    "-c",
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The config file; found if left out.",
)
_env_option = click.option("-e", "--env", default=None, help="The named environment; CLOUDFLARE_ENV if left out.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def group() -> None:
    """Run Python Workers and durable Workflows locally, on plain CPython."""


def main() -> None:
    """The console script: expected errors are one line and exit code 1, unexpected ones keep their traceback."""
    try:
        group(standalone_mode=False)
    except EmulatorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)


@group.command()
@_config_option
@_env_option
@click.option("--ip", default=None, help="The address to listen on; 127.0.0.1 if left out.")
@click.option(
    "--port", default=None, type=click.IntRange(0, 65535), help="The port; 8787 if left out, 0 for a free one."
)
@click.option("--persist-to", type=click.Path(path_type=Path), help="The state folder; .emulator beside the config.")
@click.option("--var", "variables", multiple=True, metavar="KEY:VALUE", help="Set a variable; may be repeated.")
@click.option("--no-crons", is_flag=True, help="Do not fire crons by themselves.")
@click.option("--always-replay", is_flag=True, help="Run workflows again from their records at every wait.")
@click.option("--workflow-concurrency", type=click.IntRange(1), help="How many instances run at once; the rest queues.")
@click.option("--no-reload", is_flag=True, help="Do not watch for saved files.")
@click.option("--python", default=None, help="The interpreter for the worker; its .venv-workers or .venv if left out.")
@click.option("--in-process", is_flag=True, help="Run the worker in the emulator's own process.")
@click.option(
    "--strict-host", is_flag=True, help="Serve the worker's routes for local names and configured routes only."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="How to print events.")
def dev(
    configs: tuple[Path, ...],
    env: str | None,
    ip: str | None,
    port: int | None,
    persist_to: Path | None,
    variables: tuple[str, ...],
    no_crons: bool,
    always_replay: bool,
    workflow_concurrency: int | None,
    no_reload: bool,
    python: str | None,
    in_process: bool,
    strict_host: bool,
    log_format: str,
) -> None:
    """
    Serve a worker: fetch in the browser, crons, queues, workflows, reload on save.

    Example: emulator dev --port 8787
    """
    found = _configs(configs)
    ahead = [] if in_process else [_launch_ahead(found[0].parent, python)]
    with _ended_on_error(ahead):
        server, serving = _module("emulator.server"), _module("emulator.serve")
        options = server.Options(
            configs=found,
            env=env,
            persist_to=persist_to,
            variables=dict(map(_variable, variables)),
            crons=not no_crons,
            limits=server.limits(always_replay=always_replay, most_running=workflow_concurrency),
        )
        how = serving.Serving(
            ip=ip,
            port=port,
            reload=not no_reload,
            in_process=in_process,
            python=python,
            json_log=log_format == "json",
            strict_host=strict_host,
            ahead=ahead,
            began=_BEGAN,
        )
        serving.serve(options, how)


@group.command()
@_config_option
@_env_option
@_json_option
def check(configs: tuple[Path, ...], env: str | None, as_json: bool) -> None:
    """
    Validate the config and load the worker, without serving.

    Example: emulator check --json
    """
    errors, warnings = _module("emulator.check").check(_configs(configs), env)
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


@group.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """
    Write a small working worker project.

    Example: emulator init my-worker
    """
    for path in _module("emulator.template").write(folder):
        click.echo(f"wrote {path}")
    click.echo(f"next: cd {folder} && emulator dev")


@group.group()
def cron() -> None:
    """Cron expressions, in the platform's dialect."""


@cron.command("next")
@click.argument("expression")
@click.option("--from", "start", default=None, metavar="ISO", help="Count from this time; now if left out.")
@click.option("--count", default=5, type=click.IntRange(1, 1000), help="How many times.")
@_json_option
def cron_next(expression: str, start: str | None, count: int, as_json: bool) -> None:
    """
    The next times of an expression, UTC.

    Example: emulator cron next "*/15 9-17 * * MON-FRI" --count 3
    """
    parsed = _module("emulator.cron").parse(expression)
    after = _time(start) if start is not None else datetime.now(UTC)
    times = [_iso(each) for each in _module("emulator.cron.times").upcoming(parsed, after, count)]
    words = _module("emulator.cron.words")
    if as_json:
        told = {"expression": expression, "words": words.explain(parsed), "times": times}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(words.explain(parsed))
    for warning in words.warnings(parsed):
        click.echo(f"warning: {warning}", err=True)
    for each in times or ["never"]:
        click.echo(each)


@group.command()
@_config_option
@click.option("--persist-to", type=click.Path(path_type=Path), help="The state folder; .emulator beside the config.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(configs: tuple[Path, ...], persist_to: Path | None, yes: bool) -> None:
    """
    Forget all local state: workflow instances with their events, and queued messages.

    Example: emulator reset --yes
    """
    folder = persist_to or _configs(configs)[0].parent / ".emulator"
    if not (folder / "state.db").exists():
        click.echo(f"{folder} holds no state")
        return
    if not yes and not click.confirm(f"forget everything in {folder}?"):
        return
    lock = _module("emulator.store.lock").FolderLock(folder)
    for path in folder.glob("state.db*"):
        path.unlink()
    lock.release()
    click.echo(f"{folder} is empty")


def _configs(asked: tuple[Path, ...]) -> tuple[Path, ...]:
    if not asked:
        found = _module("emulator.config").find(Path.cwd())
        if found is None:
            raise EmulatorError(
                f"no wrangler.toml, wrangler.json or wrangler.jsonc in {Path.cwd()} or above;"
                " give one with -c, or write a project with `emulator init DIR`"
            )
        return (found,)
    for path in asked:
        if not path.is_file():
            raise ConfigError([Problem(path="", message="there is no such file", file=str(path))])
    return tuple(path.resolve() for path in asked)


def _launch_ahead(project: Path, python: str | None) -> Any:
    """Start the user's process before the emulator's own imports: the two start-ups then share their time."""
    launch = _module("emulator.launch")
    interpreter = launch.interpreter_for(project, python)
    try:
        return launch.launch(interpreter, project)
    except OSError as error:
        raise EmulatorError(f"{interpreter} cannot be started: {error.strerror}; give another with --python") from error


@contextmanager
def _ended_on_error(launched: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for each in launched:
            each.kill("the emulator has stopped")
            each.epitaph()


def _variable(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise click.UsageError(f"--var takes KEY:VALUE, got {text!r}")
    return name, value


def _problem(problem: Problem) -> Mapping[str, object]:
    return {"path": problem.path, "message": problem.message, "line": problem.line}


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"a time looks like 2030-01-31T12:00:00Z, got {text!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _module(name: str) -> Any:
    return importlib.import_module(name)
