"""
kill -9 at random moments, of the emulator and of the worker's process at once, while a queue drains.

    python bench/queue_kills.py [--messages 20000] [--kills 20] [--seed 1]

One message in a hundred is poison: its handler asks for it again and again. Checks from outside, by the lines that
the handler writes itself and by what is left in the store: every message is handled, or in the dead letter queue, and
not in both; poison gets there after exactly `max_retries` and one deliveries, not counting those that a kill cut
short; without kills nothing is delivered twice.
Prints one JSON line; exit code 0 when all promises held.
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
from collections import Counter
from pathlib import Path
from typing import Any

from lives import Life

HERE = Path(__file__).parent
BATCH_SECONDS = 0.02
MAX_RETRIES = 3
POISON_EVERY = 100
SENT_AT_ONCE = 1_000
PATIENCE = 60


def drain(folder: Path, options: argparse.Namespace) -> tuple[int, float]:
    """Send all, kill while they drain, then let them drain undisturbed: the kills that hit, and the last exit code."""
    chance = random.Random(options.seed)
    life = live(folder)
    for first in range(1, options.messages + 1, SENT_AT_ONCE):
        if life.get(f"send/{first}-{min(first + SENT_AT_ONCE, options.messages + 1)}", patience=PATIENCE) is None:
            raise RuntimeError("a send was refused")
    kills = 0
    while kills < options.kills and left(folder):
        time.sleep(chance.uniform(0.02, 0.2))
        life.kill()
        kills += 1
        life = live(folder)
    deadline = time.monotonic() + PATIENCE
    while left(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return kills, life.stop()


def live(folder: Path) -> Life:
    return Life(folder, BATCH_SECONDS=str(BATCH_SECONDS))


def left(folder: Path) -> int:
    """Straight from the file: asking the server might wake somebody."""
    return int(_rows(folder, "select count(*) from messages where queue = 'parcels'")[0][0])


def verdict(folder: Path, messages: int) -> tuple[dict[str, Any], dict[str, int]]:
    """What the lines and the store say: (figures, broken promises)."""
    got: Counter[tuple[int, int]] = Counter()
    done: set[int] = set()
    for line in (folder / "lines.txt").read_text().splitlines():
        kind, number, attempt = line.split()
        if kind == "got":
            got[int(number), int(attempt)] += 1
        else:
            done.add(int(number))
    dead = [json.loads(body) for (body,) in _rows(folder, "select body from messages where queue = 'dead'")]
    sent = set(range(1, messages + 1))
    poison = {number for number in sent if number % POISON_EVERY == 0}
    wanted = {(number, attempt) for number in poison for attempt in range(1, MAX_RETRIES + 2)}
    broken = {
        "lost": len(sent - done - set(dead)),
        "in_both": len(done & set(dead)),
        "not_poison_but_dead": len(set(dead) - poison),
        "dead_twice": len(dead) - len(set(dead)),
        "poison_with_other_deliveries": len(wanted ^ {each for each in got if each[0] in poison}),
        "left": left(folder),
        "integrity": int(_rows(folder, "pragma integrity_check") != [("ok",)]),
    }
    figures = {
        "messages": messages,
        "dead": len(dead),
        "deliveries": sum(got.values()),
        "again": got.total() - len(got),
    }
    return figures, broken


def _rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{folder / '.emulator' / 'state.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="queue-kills-"))
    shutil.copytree(HERE / "queue_worker", folder, dirs_exist_ok=True)
    began = time.monotonic()
    kills, stopped = drain(folder, options)
    figures, broken = verdict(folder, options.messages)
    # A kill cuts at most one batch short.
    broken["delivered_again_without_a_kill"] = max(0, figures["again"] - kills * 100)
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"kills": kills, "seed": options.seed, "seconds": seconds, **figures, "broken": broken}))
    if not options.keep:
        shutil.rmtree(folder)
    sys.exit(1 if any(broken.values()) or kills < options.kills or stopped != 0 else 0)


if __name__ == "__main__":
    main()
