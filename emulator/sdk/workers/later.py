"""Import a part of the sdk when it is first needed: a worker that only answers requests should start at once."""

import importlib
from typing import Any


def part(name: str) -> Any:
    """The module `emulator.sdk.<name>`."""
    return importlib.import_module(f"emulator.sdk.{name}")
