"""`emulator reset`: forget all local state."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from emulator.cli.options import config_option, confirmed, found_configs, module, persist_option


@click.command()
@config_option
@persist_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(configs: tuple[Path, ...], persist_to: Path | None, yes: bool) -> None:
    """
    Forget all local state: instances, events and queued messages.

    Example: emulator reset --yes
    """
    folder = persist_to or found_configs(configs)[0].parent / ".emulator"
    if not (folder / "state.db").exists():
        click.echo(f"{folder} holds no state")
        return
    # Held while the question stands: nobody begins to use what is about to go.
    with ExitStack() as held:
        held.callback(module("emulator.store.lock").FolderLock(folder).release)
        if yes or confirmed(f"forget everything in {folder}?", unasked="--yes"):
            for path in (*folder.glob("state.db*"), *folder.glob("attendance.*")):
                path.unlink()
            click.echo(f"{folder} is empty")
