"""
How fast: each figure beside bare uvicorn or `wrangler dev`, taken by turns on this machine, now.

    python bench/run.py [--quick] [--only NAME] [--wrangler PATH] [--json]

Exit code 0 unless something could not be measured; a missed bar says so in the table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from large import large, slow
from report import Row, table
from servers import Stage
from serving import bodies, hello, memory, ready, reload
from turns import FULL, QUICK, Size
from working import instances, many_steps, queue, three_steps

Measure = Callable[[Stage, Size], Awaitable[list[Row]]]

MEASURES: dict[str, Measure] = {
    "ready": ready,
    "reload": reload,
    "hello": hello,
    "bodies": bodies,
    "large": large,
    "slow": slow,
    "three-steps": three_steps,
    "many-steps": many_steps,
    "memory": memory,
    "instances": instances,
    "queue": queue,
}


def main() -> None:
    options = _options()
    wrangler = options.wrangler or shutil.which("wrangler")
    names = [options.only] if options.only else list(MEASURES)
    machine = _machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, asyncio.Runner(loop_factory=_loop()) as runner:
        stage = Stage(Path(folder), wrangler and str(Path(wrangler).resolve()))
        rows, failures = runner.run(_measure(stage, QUICK if options.quick else FULL, names))
    if options.json:
        print(json.dumps({"machine": machine, "rows": [row.plain() for row in rows], "failures": failures}, indent=2))
    else:
        _show(machine, rows, failures, wrangler)
    sys.exit(1 if failures else 0)


async def _measure(stage: Stage, size: Size, names: list[str]) -> tuple[list[Row], dict[str, str]]:
    """All rows, and why some are missing."""
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        try:
            rows += await MEASURES[name](stage, size)
        except Exception as error:
            # Whatever it was, the other figures are still wanted.
            failures[name] = f"{type(error).__name__}: {error}"
    return rows, failures


def _show(machine: str, rows: list[Row], failures: dict[str, str], wrangler: str | None) -> None:
    print(machine)
    if wrangler is None:
        print("wrangler was not found, so there are no figures of it; put it on PATH or give --wrangler PATH")
    print()
    print(table(rows))
    for name, why in failures.items():
        print(f"\n{name} could not be measured: {why}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything: a minute, rougher figures")
    parser.add_argument("--only", choices=MEASURES, metavar="NAME", help=f"one of {', '.join(MEASURES)}")
    parser.add_argument(
        "--wrangler", metavar="PATH", help="the wrangler to measure beside; the one on PATH if left out"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _machine() -> str:
    """What it runs on, and how busy that was before: a load near 0 is a quiet machine."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    loop = "uvloop" if find_spec("uvloop") else "asyncio"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{python}, {loop}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {load:.1f} before"


def _loop() -> Any:
    """The client uses uvloop where it is installed, so that it costs as little as it can."""
    return import_module("uvloop").new_event_loop if find_spec("uvloop") else None


if __name__ == "__main__":
    main()
