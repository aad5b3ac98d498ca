"""
A thousand instances in a step, asleep and waiting, and then: kill -9, SIGTERM, a save, a save that changes the steps.

    python bench/resume.py [--count 1000] [--bell 4] [--only TEXT]

After each of these all instances go on with no touch: the first within two seconds of the moment from which they can,
all within ten. Steps that had finished do not run again, an inserted one does, and a save that cannot be imported
changes nothing. Prints one line of JSON; exit code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lives import Life

HERE = Path(__file__).parent
BATCH = 100
LINES = "lines.log"
FIRST_WITHIN, ALL_WITHIN, PATIENCE = 2.0, 10.0, 60.0

FIRST = '        await self.leg("first")\n'
SAVES = {
    "a save": lambda code: code + "\n",
    "a save that inserts a step": lambda code: code.replace(FIRST, f'        await self.leg("inserted")\n{FIRST}'),
    "a save that renames a step": lambda code: code.replace(FIRST, FIRST.replace("first", "renamed")),
    "a save that cannot be imported": lambda code: "import nothing_of_this_name\n" + code,
}
# How often each step runs in each instance; in the step that is cut off, once more.
RUNS = {
    "a save that inserts a step": {"inserted": 1, "first": 1},
    "a save that renames a step": {"renamed": 1, "first": 1},
}
ENDS: dict[str, Callable[[Life], Any]] = {"kill -9": Life.kill, "SIGTERM": Life.stop}
CASES = [*ENDS, *SAVES]


def case(folder: Path, name: str, count: int, bell: float) -> dict[str, Any]:
    """What came of it: the seconds until the first and the last one ended, and which promises were broken."""
    shutil.copytree(HERE / "resume_worker", folder, dirs_exist_ok=True)
    life = _live(folder)
    rings_at = time.time() + bell
    for first in range(0, count, BATCH):
        life.get(f"{round(rings_at * 1000)}/{first}/{min(BATCH, count - first)}", patience=PATIENCE)
    _until(lambda: _counts(folder)["ack first"] == count and _counts(folder)["exec middle"] == -(-count // 3))
    life = _disturb(life, folder, name)
    can_go_on, over = time.time(), _counts(folder)["end"]
    (folder / "go").touch()
    # Those in a step can go on at once; the others when the bell has rung.
    first = _until(lambda: _counts(folder)["end"] > 0) - can_go_on
    _until(lambda: _counts(folder)["end"] >= count)
    last = time.time() - max(can_go_on, rings_at)
    broken = _broken(folder, name, count, over)
    life.kill()
    late = [f"the first after {first:.1f} s"] * (first > FIRST_WITHIN) + [f"all after {last:.1f} s"] * (
        last > ALL_WITHIN
    )
    return {"first_seconds": round(first, 2), "all_seconds": round(max(last, 0.0), 2), "broken": broken + late}


def _live(folder: Path) -> Life:
    """A server that watches the folder; text files in it are code, as the platform has it, and lines are not."""
    return Life(folder, options=(), KILL_LOG=str(folder / LINES))


def _disturb(life: Life, folder: Path, name: str) -> Life:
    if name in ENDS:
        ENDS[name](life)
        return _live(folder)
    source = folder / "entry.py"
    source.write_text(SAVES[name](source.read_text()))
    _until(lambda: "RELOAD" in life.printed)
    return life


def _broken(folder: Path, name: str, count: int, over: int) -> list[str]:
    """On a slow machine the bell has rung for some, who are `over`, before the save came to them."""
    found, statuses = _counts(folder), _statuses(folder)
    broken = [] if statuses == {"complete": count} else [f"instances are {dict(statuses)}"]
    for step, times in {"first": 1, "last": 1, **RUNS.get(name, {})}.items():
        if not times * (count - over) <= found[f"exec {step}"] <= times * count:
            broken.append(f"{step} ran {found[f'exec {step}']} times")
    most = 2 if name in ENDS else 1
    if found["exec middle"] > most * -(-count // 3):
        broken.append(f"middle ran {found['exec middle']} times")
    return broken


def _counts(folder: Path) -> Counter[str]:
    """How often each kind of line is there, with its step; the instance left out."""
    try:
        lines = (folder / LINES).read_text().splitlines()
    except FileNotFoundError:
        return Counter()
    words = (line.split() for line in lines)
    return Counter(" ".join([kind, *step]) for kind, _, *step in words)


def _statuses(folder: Path) -> Counter[str]:
    """Straight from the file: asking the server might wake somebody."""
    db = sqlite3.connect(f"file:{folder / '.emulator' / 'state.db'}?mode=ro", uri=True)
    try:
        _until(lambda: not db.execute("select 1 from instances where status != 'complete'").fetchone(), seconds=5)
        return Counter(status for (status,) in db.execute("select status from instances"))
    finally:
        db.close()


def _until(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> float:
    """When it came to be so, or that it did not in all that time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return time.time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--bell", type=float, default=4.0, help="seconds until those asleep are to wake")
    parser.add_argument("--only", default="", help="cases that contain this text")
    options = parser.parse_args()
    found = {}
    for name in CASES:
        if options.only in name:
            with tempfile.TemporaryDirectory(prefix="resume-") as folder:
                found[name] = case(Path(folder), name, options.count, options.bell)
    broken = {name: each["broken"] for name, each in found.items() if each["broken"]}
    figures = {name: [each["first_seconds"], each["all_seconds"]] for name, each in found.items()}
    print(json.dumps({"instances": options.count, "first_and_all_seconds": figures, "broken": broken}))
    sys.exit(1 if broken or not found else 0)


if __name__ == "__main__":
    main()
