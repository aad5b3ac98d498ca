"""
Kill the emulator at each named boundary of what it records, start it again, and look for anything lost or done twice.

    python bench/boundaries.py [--passes 2] [--only TEXT]

Each case is a life that ends at one boundary, when it is come to for the n-th time, and a second life that finishes
what the first one took on. Prints one line of JSON; exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dying import POINTS
from lives import Life

HERE = Path(__file__).parent
DYING = (str(HERE / "dying.py"),)
INSTANCES = ("one", "two", "three")
PARCELS = ("red", "blue")
# What a client asks for, in this order. The third instance is begun anew, so its steps may run again.
REQUESTS = (
    "create/one",
    "create/two",
    "send/red",
    "event/one",
    "pause/one",
    "resume/one",
    "send/blue",
    "event/two",
    "create/three",
    "restart/three",
    "event/three",
)


def case(folder: Path, point: str, passes: int) -> tuple[bool, list[str]]:
    """Whether the point was reached, and which promises were broken."""
    shutil.copytree(HERE / "boundary_worker", folder, dirs_exist_ok=True)
    life = Life(folder, DYING, DIE_AT=point, DIE_AFTER=str(passes))
    taken_on = []
    for request in REQUESTS:
        # No answer is the end of that life, or a refusal: an instance that has ended cannot be paused any more.
        if life.get(request) is None and _until(lambda: life.is_over, seconds=0.5):
            break
        taken_on.append(request)
    reached = _until(lambda: life.is_over, seconds=0.4)
    if not reached:
        life.kill()
    broken = _second_life(folder, taken_on)
    return reached, broken + _what_the_lines_say(folder, taken_on)


def _second_life(folder: Path, taken_on: list[str]) -> list[str]:
    life = Life(folder)
    lost = [f"lost {id}" for id in INSTANCES if f"create/{id}" in taken_on and _status(life, id) == "missing"]
    for request in REQUESTS[len(taken_on) :]:
        life.get(request)
    done = _until(lambda: all(_status(life, id) == "complete" for id in INSTANCES), seconds=10)
    stuck = [] if done else [f"{id} is {_status(life, id)}" for id in INSTANCES]
    life.kill()
    return lost + stuck


def _status(life: Life, id: str) -> str:
    answer = life.get(f"status/{id}")
    return "missing" if answer is None else str(answer["status"])


def _until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _what_the_lines_say(folder: Path, taken_on: list[str]) -> list[str]:
    acked: set[tuple[str, str]] = set()
    delivered, broken = set(), []
    for line in (folder / "lines.txt").read_text().splitlines():
        kind, subject, detail = line.split()
        if kind == "exec" and (subject, detail) in acked and subject != "three":
            broken.append(f"{subject} {detail} ran again")
        if kind == "ack":
            acked.add((subject, detail))
        if kind == "parcel":
            delivered.add(subject)
    broken += [f"{each} never came" for each in PARCELS if f"send/{each}" in taken_on and each not in delivered]
    db = sqlite3.connect(folder / ".emulator" / "state.db")
    integrity = db.execute("pragma integrity_check").fetchone()[0]
    db.close()
    return broken if integrity == "ok" else [*broken, integrity]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=2, help="die when a point is reached for the 1st … n-th time")
    parser.add_argument("--only", default="", help="points that contain this text")
    options = parser.parse_args()
    points = [point for point in POINTS if options.only in point]
    began, kills, broken = time.monotonic(), 0, {}
    for point in points:
        for passes in range(1, options.passes + 1):
            with tempfile.TemporaryDirectory(prefix="boundary-") as name:
                reached, found = case(Path(name), point, passes)
            kills += reached
            if found:
                broken[f"{point}, time {passes}"] = found
    seconds = round(time.monotonic() - began)
    print(json.dumps({"points": len(points), "kills": kills, "seconds": seconds, "broken": broken}))
    sys.exit(1 if broken or not kills else 0)


if __name__ == "__main__":
    main()
