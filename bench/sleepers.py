"""
Ten thousand instances asleep: how long they take to fall asleep, what they cost, and whether all wake in time.

    python bench/sleepers.py [--count 10000]

Prints one line of JSON with the figures and the promises broken; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from lives import Life

HERE = Path(__file__).parent
BATCH = 100
BARS = {
    "asleep_seconds": 6.0,
    "memory_mb": 60.0,
    "ready_after_restart_seconds": 3.0,
    "awake_seconds": 10.0,
    "idle_cpu_percent": 1.0,
}


def _wait_for(folder: Path, status: str, count: int) -> float:
    """Seconds until so many instances have a status, straight from the file."""
    began = time.monotonic()
    db = sqlite3.connect(f"file:{folder / '.emulator' / 'state.db'}?mode=ro", uri=True)
    try:
        while db.execute("select count(*) from instances where status = ?", (status,)).fetchone()[0] < count:
            if time.monotonic() - began > 60:
                raise RuntimeError(f"not {count} are {status} after a minute")
            time.sleep(0.05)
        return time.monotonic() - began
    finally:
        db.close()


def measure(folder: Path, count: int) -> dict[str, float]:
    server = Life(folder)
    empty = server.megabytes()
    began = time.monotonic()
    bell = round((time.time() + 3600) * 1000)
    for first in range(0, count, BATCH):
        server.get(f"{bell}/{first}/{min(BATCH, count - first)}", patience=60)
    _wait_for(folder, "waiting", count)
    asleep = time.monotonic() - began
    time.sleep(2)
    figures = {
        "asleep_seconds": asleep,
        "memory_mb": server.megabytes() - empty,
        "idle_cpu_percent": server.cpu_percent(5),
    }
    server.kill()
    server = Life(folder)
    began = time.monotonic()
    server.advance("1 hour")
    _wait_for(folder, "complete", count)
    figures |= {"ready_after_restart_seconds": server.ready_after, "awake_seconds": time.monotonic() - began}
    server.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sleepers-") as name:
        folder = Path(name)
        shutil.copytree(HERE / "sleep_worker", folder, dirs_exist_ok=True)
        figures = measure(folder, options.count)
        size = (folder / ".emulator" / "state.db").stat().st_size / (1 << 20)
    broken = [name for name, bar in BARS.items() if figures[name] > bar]
    shown = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({"instances": options.count, **shown, "disk_mb": round(size, 1), "broken": broken}))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
