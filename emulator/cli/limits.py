"""What the worker's process may take, as options say it: memory, and seconds without an answer."""

from __future__ import annotations

import re

import click

_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]i?b)", re.IGNORECASE)
# Below this an interpreter with a worker of some size cannot start.
_LEAST = 64 << 20
_OFF = "off"


class _Memory(click.ParamType[int | None]):
    """`4GiB`, `512MB`, or `off`."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value.lower() == _OFF:
            return None
        found = _SIZE.fullmatch(value.strip())
        if found is None:
            self.fail(f'expected a size such as 4GiB or 512MB, or off; got "{value}"', param, ctx)
        size = int(float(found[1]) * _UNITS[found[2].lower()])
        if size < _LEAST:
            self.fail(f"{value} is less than the 64MiB that a worker needs to start", param, ctx)
        return size


class _Seconds(click.ParamType[float | None]):
    """`30`, or `off`."""

    name = "seconds"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value.lower() == _OFF:
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            self.fail(f'expected seconds, more than 0, or off; got "{value}"', param, ctx)
        return seconds


memory_option = click.option(
    "--memory-limit",
    "memory",
    default="4GiB",
    type=_Memory(),
    metavar="SIZE",
    help="How much memory the worker may take, or off; 4GiB if left out.",
)
block_option = click.option(
    "--block-limit",
    "seconds",
    default="30",
    type=_Seconds(),
    metavar="SECONDS",
    help="How long a handler may block the worker before its process is ended, or off; 30 if left out.",
)
