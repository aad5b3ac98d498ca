"""`emulator dev`: the dev server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from emulator.cli import BEGAN
from emulator.cli.limits import block_option, memory_option
from emulator.cli.options import api_token, config_option, env_option, found_configs, module, persist_option
from emulator.cli.whereabouts import signposts
from emulator.cli.whole import Whole

_FOR_A_PROCESS = ("python", "memory", "seconds")


@click.command()
@config_option
@env_option
@click.option("--ip", default=None, help="The address to listen on; 127.0.0.1 if left out.")
@click.option("--port", default=None, type=Whole(0, 65535), help="The port; 8787 if left out, 0 for a free one.")
@persist_option
@click.option("--var", "variables", multiple=True, metavar="KEY:VALUE", help="Set a variable; may be repeated.")
@click.option("--no-crons", is_flag=True, help="Do not fire crons by themselves.")
@click.option("--always-replay", is_flag=True, help="Run workflows again from their records at every wait.")
@click.option("--workflow-concurrency", type=Whole(1), help="How many instances run at once; the rest queues.")
@click.option("--no-reload", is_flag=True, help="Do not watch for saved files.")
@click.option("--python", default=None, help="The interpreter for the worker; its .venv-workers or .venv if left out.")
@memory_option
@block_option
@click.option("--in-process", is_flag=True, help="Run the worker in the emulator's own process.")
@click.option(
    "--strict-host", is_flag=True, help="Serve the worker's routes for local names and configured routes only."
)
@click.option(
    "--api-token-file",
    "token_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Where the token stands that /cdn-cgi/ asks for; EMULATOR_API_TOKEN if left out.",
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="How to print events.")
@click.option("--full-tracebacks", is_flag=True, help="Show all frames of a traceback, not only the worker's own.")
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
    memory: int | None,
    seconds: float | None,
    in_process: bool,
    strict_host: bool,
    token_file: Path | None,
    log_format: str,
    full_tracebacks: bool,
) -> None:
    """
    Serve a worker, with its crons, queues and workflows. A saved file is loaded at once.

    Example: emulator dev --port 8787
    """
    if in_process:
        _refuse_what_needs_a_process()
    token = api_token(token_file)
    found = found_configs(configs)
    launch = module("emulator.launch")
    allowance = launch.Allowance(memory=memory, seconds=seconds)
    # Before the emulator's own imports: the two start-ups then share their time.
    ahead = [] if in_process else [launch.launch_for(found[0].parent, python, allowance)]
    with _ended_on_error(ahead):
        server, serving = module("emulator.server"), module("emulator.serve")
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
            whole_tracebacks=full_tracebacks,
            strict_host=strict_host,
            token=token,
            ahead=ahead,
            allowance=allowance,
            began=BEGAN,
        )
        # Whoever says where the state is wants nothing beside the config.
        projects = {config.parent for config in found} if persist_to is None else set()
        with signposts(projects, options.state):
            serving.serve(options, how)


def _refuse_what_needs_a_process() -> None:
    """Raises UsageError for an option that has no effect with --in-process."""
    context = click.get_current_context()
    for param in context.command.params:
        given = context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        if param.name in _FOR_A_PROCESS and given:
            raise click.UsageError(
                f"{param.opts[0]} is for a worker in a process of its own; leave it or --in-process out"
            )


@contextmanager
def _ended_on_error(launched: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for each in launched:
            each.kill("the emulator has stopped")
            each.epitaph()
            each.socket.close()


def _variable(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise click.UsageError(f"--var takes KEY:VALUE, got {text!r}")
    return name, value
