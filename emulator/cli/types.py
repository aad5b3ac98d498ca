"""`emulator types`: tell the editor what is in env."""

from __future__ import annotations

from pathlib import Path

import click

from emulator.cli.options import config_option, env_option, found_configs, module
from emulator.errors import EmulatorError

_NAME = "worker_env.pyi"


@click.command()
@config_option
@env_option
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help=f"The file; {_NAME} beside the main module."
)
@click.option("--check", is_flag=True, help="Write nothing; fail if the file is not up to date.")
def types(configs: tuple[Path, ...], env: str | None, output: Path | None, check: bool) -> None:
    """
    Write a stub that tells the editor what is in env.

    Example: emulator types
    """
    found = found_configs(configs)
    if output is not None and len(found) > 1:
        raise click.UsageError("--output is for one config; without it each worker gets its own file")
    for path in found:
        config = module("emulator.config").load(path, env=env)
        root = config.module_root if config.has_code else config.root
        _write(output or root / _NAME, module("emulator.env_stub").stub(config), check=check)


def _write(path: Path, text: str, *, check: bool) -> None:
    before = path.read_text("utf-8") if path.exists() else None
    if before == text:
        click.echo(f"{path} is up to date")
        return
    if check:
        raise EmulatorError(f"{path} is {'missing' if before is None else 'not up to date'}; run `emulator types`")
    first_line = module("emulator.env_stub").FIRST_LINE
    if before is not None and not before.startswith(first_line):
        raise EmulatorError(f"{path} was not written by `emulator types`; give another file with --output")
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise EmulatorError(f"{path} cannot be written: {error.strerror}; give another file with --output") from error
    click.echo(f"wrote {path}; use it with: from {path.stem} import Env (under TYPE_CHECKING)")
