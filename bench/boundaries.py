"""
Kill the emulator at each named boundary of what it records, start it again, and look for anything lost or done twice.

    python bench/boundaries.py [--passes 2] [--only TEXT] [--sample N --seed 1]

Each case is a life that ends at one boundary, when it is come to for the n-th time, and a second life that finishes
what the first one took on. Where only the worker's process dies, it is the first life that goes on. Prints one line of
JSON; exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dying import POINTS, WORKER_POINTS
from lives import Life

HERE = Path(__file__).parent
DYING = (str(HERE / "dying.py"),)
# How each instance is to end; the last one is deleted.
ENDS = {"one": "complete", "two": "complete", "three": "complete", "four": "terminated", "five": "missing"}
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
    "create/four",
    "undo/four",
    "create/five",
    "delete/five",
    "tick",
)


def case(folder: Path, point: str, passes: int) -> tuple[bool, list[str]]:
    """Whether the point was reached, and which promises were broken."""
    shutil.copytree(HERE / "boundary_worker", folder, dirs_exist_ok=True)
    life = Life(folder, DYING, DIE_AT=point, DIE_AFTER=str(passes))
    taken_on = []
    for request in REQUESTS:
        # No answer is the end of that life, or a refusal: an instance that has ended cannot be paused any more.
        if _ask(life, request) is not None:
            taken_on.append(request)
        elif _until(lambda: life.is_over, seconds=0.5):
            break
    if point.startswith("the worker"):
        broken = _finish(life, taken_on)
        reached = "the worker's process ended" in life.printed
    else:
        reached = _until(lambda: life.is_over, seconds=1.0)
        if not reached:
            life.kill()
        broken = _finish(Life(folder), taken_on)
    return reached, broken + _what_the_lines_say(folder, taken_on)


def _ask(life: Life, request: str) -> Any:
    """An answer, or None: the end of that life, or a refusal."""
    if request != "tick":
        return life.get(request)
    try:
        return life.advance("1 minute") or "moved"
    except OSError:
        return None


def _finish(life: Life, taken_on: list[str]) -> list[str]:
    """Ask for the rest, and see how everything ends."""
    made = [id for id, end in ENDS.items() if f"create/{id}" in taken_on and end != "missing"]
    lost = [f"lost {id}" for id in made if _status(life, id) == "missing"]
    for request in REQUESTS:
        if request not in taken_on:
            _ask(life, request)
    done = _until(lambda: all(_status(life, id) == end for id, end in ENDS.items()), seconds=30)
    stuck = [] if done else [f"{id} is {_status(life, id)}" for id in ENDS]
    # A minute of the machine's own may end at any moment.
    ticked = _until(lambda: _ticks(life.folder) in (["complete"], ["complete", "complete"]), seconds=10)
    life.kill()
    return lost + stuck + ([] if ticked else [f"ticks are {_ticks(life.folder)}"])


def _ticks(folder: Path) -> list[str]:
    """The statuses of the instances that the schedule has started."""
    db = sqlite3.connect(f"file:{folder / '.emulator' / 'state.db'}?mode=ro", uri=True)
    try:
        return [status for (status,) in db.execute("select status from instances where workflow = 'ticker'")]
    finally:
        db.close()


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
    parser.add_argument("--sample", type=int, help="only so many cases, taken at random")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    points = [point for point in [*POINTS, *WORKER_POINTS] if options.only in point]
    cases = [(point, passes) for point in points for passes in range(1, options.passes + 1)]
    if options.sample is not None:
        cases = random.Random(options.seed).sample(cases, min(options.sample, len(cases)))
    began, kills, broken = time.monotonic(), 0, {}
    for point, passes in cases:
        with tempfile.TemporaryDirectory(prefix="boundary-") as name:
            reached, found = case(Path(name), point, passes)
        kills += reached
        if found:
            broken[f"{point}, time {passes}"] = found
    seconds = round(time.monotonic() - began)
    told = {"points": len(points), "cases": len(cases), "seed": options.seed, "kills": kills, "seconds": seconds}
    print(json.dumps({**told, "broken": broken}))
    sys.exit(1 if broken or not kills else 0)


if __name__ == "__main__":
    main()
