"""The command line. Each command is one call; a noun's file is imported when it is named, so that each starts fast."""

from __future__ import annotations

import importlib
import sys
import time
from collections import UserDict

import click

from emulator import __version__
from emulator.errors import EmulatorError, TokenNeeded

BEGAN = time.monotonic()


class OnDemand(UserDict[str, click.Command]):
    """The commands by name; the module of each is imported when somebody asks for the command."""

    def __init__(self, places: dict[str, str]) -> None:
        super().__init__()
        self._places = places
        self.data = dict.fromkeys(sorted(places), click.Command(None))

    def __getitem__(self, name: str) -> click.Command:
        if name in self._places:
            module, _, attribute = self._places.pop(name).partition(":")
            self.data[name] = getattr(importlib.import_module(module), attribute)
        return super().__getitem__(name)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    commands=OnDemand(
        {
            "check": "emulator.cli.check:check",
            "clock": "emulator.cli.clock:clock",
            "cron": "emulator.cli.cron:cron",
            "dev": "emulator.cli.dev:dev",
            "init": "emulator.cli.init:init",
            "queues": "emulator.cli.queues:queues",
            "reset": "emulator.cli.reset:reset",
            "types": "emulator.cli.types:types",
            "workflows": "emulator.cli.workflows:workflows",
        }
    ),
)
@click.version_option(__version__)
def group() -> None:
    """Run Python Workers and durable Workflows locally, on plain CPython."""


def main() -> None:
    """The console script: expected errors are one line and exit code 1, unexpected ones keep their traceback."""
    try:
        group(standalone_mode=False)
    except EmulatorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, TokenNeeded) else 1)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
