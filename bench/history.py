"""
Ten thousand finished instances: how long lists and details take over HTTP, and what reading them leaves in memory.

    python bench/history.py [--count 10000] [--asks 100] [--json]

Prints a table with the bars; exit code 1 if one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from client import Answer, Connection, get
from lives import Life
from sleepers import BATCH, _wait_for

HERE = Path(__file__).parent
MILLISECONDS = 10.0
MEGABYTES = 8.0
_FEW = 1_000
REST = "/cdn-cgi/client/v4/accounts/local/workflows"
EXPLORER = "/cdn-cgi/local/explorer/api/workflows"


def _made(server: Life, folder: Path, count: int, *, there: int = 0) -> float:
    """Seconds until so many instances are over, where some are there already."""
    began = time.monotonic()
    for first in range(there, count, BATCH):
        server.get(f"{first}/{min(BATCH, count - first)}", patience=60)
    _wait_for(folder, "complete", count)
    return time.monotonic() - began


def _questions(count: int, middle: str) -> Mapping[str, str]:
    """What is asked, by what it is called. `middle` is a time with half of the instances before it."""
    rest, explorer = f"{REST}/order/instances", f"{EXPLORER}/order/instances"
    last, last_of_explorer, one = -(-count // 50), -(-count // 25), count // 2
    return {
        "rest: first page": f"{rest}?per_page=50",
        "rest: 100 at once": f"{rest}?per_page=100",
        "rest: last page": f"{rest}?per_page=50&page={last}",
        "rest: oldest first, last page": f"{rest}?per_page=50&page={last}&direction=asc",
        "rest: complete, first page": f"{rest}?status=complete",
        "rest: complete, last page": f"{rest}?status=complete&page={last}",
        "rest: errored, none": f"{rest}?status=errored",
        "rest: the newer half": f"{rest}?date_start={middle}",
        "rest: the older half, complete": f"{rest}?date_end={middle}&status=complete",
        "rest: the workflow": f"{REST}/order",
        "rest: one instance": f"{rest}/{one}",
        "rest: one instance, simple": f"{rest}/{one}?simple=true",
        "rest: one step": f"{rest}/{one}/step?name=ship-1&type=step",
        "explorer: first page": explorer,
        "explorer: last page": f"{explorer}?page={last_of_explorer}",
        "explorer: complete, last page": f"{explorer}?status=complete&page={last_of_explorer}",
        "explorer: the newer half": f"{explorer}?date_start={middle}",
        "explorer: the workflow": f"{EXPLORER}/order",
        "explorer: one instance": f"{explorer}/{one}",
    }


async def _connected(server: Life) -> Connection:
    port = int(server.base.rpartition(":")[2])
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def _middle(connection: Connection, count: int) -> str:
    """When the instance in the middle was created."""
    answer: Answer = await connection.ask(get(f"{REST}/order/instances?per_page=1&page={max(1, count // 2)}"))
    return str(answer.json()["result"][0]["created_on"])


async def _asked(connection: Connection, path: str, asks: int) -> list[float]:
    """Milliseconds of each of so many times that a path is asked for."""
    request, took = get(path), []
    for _ in range(asks):
        began = time.perf_counter()
        answer = await connection.ask(request)
        took.append((time.perf_counter() - began) * 1000)
        answer.json()
    return took


async def _measure(server: Life, count: int, asks: int) -> dict[str, tuple[float, float]]:
    """p50 and p95 of each question, in ms."""
    connection = await _connected(server)
    figures = {}
    for name, path in _questions(count, await _middle(connection, count)).items():
        await _asked(connection, path, 3)
        took = sorted(await _asked(connection, path, asks))
        figures[name] = statistics.median(took), took[int(len(took) * 0.95)]
    connection.close()
    return figures


def measure(folder: Path, count: int, asks: int) -> tuple[float, dict[str, tuple[float, float]], list[float]]:
    """
    Seconds to make them, and the times of the questions.

    Then memory in MB: with a few instances, with all of them, and after all questions; each was asked before.
    """
    server = Life(folder)
    try:
        _made(server, folder, _FEW)
        asyncio.run(_measure(server, _FEW, 3))
        memory = [server.megabytes()]
        made = _made(server, folder, count, there=_FEW)
        memory.append(server.megabytes())
        figures = asyncio.run(_measure(server, count, asks))
        return made, figures, [*memory, server.megabytes()]
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--asks", type=int, default=100, help="how often each question is asked")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        folder = Path(name)
        shutil.copytree(HERE / "history_worker", folder, dirs_exist_ok=True)
        made, figures, (few, full, asked) = measure(folder, options.count, options.asks)
    broken = [name for name, (median, _) in figures.items() if median > MILLISECONDS]
    broken += ["memory"] if max(full, asked) - few > MEGABYTES else []
    if options.as_json:
        print(json.dumps({"made_seconds": made, "ms": figures, "mb": [few, full, asked], "broken": broken}))
    else:
        print(
            f"{options.count} instances made and finished in {made:.1f} s; each question asked {options.asks} times\n"
        )
        print(f"| question | p50 ms, at most {MILLISECONDS:.0f} | p95 ms |\n|---|---|---|")
        for name, (median, high) in figures.items():
            print(f"| {name} | {median:.2f}{' MISSED' if name in broken else ''} | {high:.2f} |")
        told = f"{few:.1f} MB with {_FEW} instances, {full:.1f} MB with all of them, {asked:.1f} MB after the questions"
        print(f"\nmemory {told}; at most {MEGABYTES:.0f} MB more")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
