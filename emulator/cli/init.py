"""`emulator init`: a new project."""

from __future__ import annotations

from pathlib import Path

import click

from emulator.cli.options import module


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """
    Write a small working worker project.

    Example: emulator init my-worker
    """
    for path in module("emulator.template").write(folder):
        click.echo(f"wrote {path}")
    click.echo(f"next: cd {folder} && emulator dev")
