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
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
BATCH = 100
BARS = {
    "asleep_seconds": 6.0,
    "memory_mb": 60.0,
    "ready_after_restart_seconds": 3.0,
    "awake_seconds": 10.0,
    "idle_cpu_percent": 1.0,
}


class Server:
    """One life of the emulator."""

    def __init__(self, folder: Path) -> None:
        began = time.monotonic()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "emulator",
                "dev",
                "-c",
                str(folder / "wrangler.toml"),
                "--port",
                "0",
                "--no-reload",
            ],
            stdout=(folder / "out.log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.base = self._ready(folder / "out.log")
        self.ready_after = time.monotonic() - began

    def _ready(self, log: Path) -> str:
        while "Ready on " not in (text := log.read_text()):
            if self.process.poll() is not None:
                raise RuntimeError(text)
            time.sleep(0.005)
        return text.partition("Ready on ")[2].split()[0]

    def get(self, path: str) -> Any:
        with urlopen(self.base + path, timeout=60) as answer:
            return json.loads(answer.read())

    def advance(self, by: str) -> None:
        body = json.dumps({"advance": by}).encode()
        request = Request(f"{self.base}/cdn-cgi/local/clock", body, {"content-type": "application/json"})
        urlopen(request, timeout=120).read()

    def memory(self) -> float:
        """MB of both processes, shared pages counted once."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sum(map(_proportional, [self.process.pid, *map(int, children)])) / 1024

    def cpu(self, seconds: float) -> float:
        """Percent of one core while nothing happens."""
        before = _ticks(self.process.pid)
        time.sleep(seconds)
        return (_ticks(self.process.pid) - before) / seconds

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def _proportional(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


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
    server = Server(folder)
    empty = server.memory()
    began = time.monotonic()
    bell = round((time.time() + 3600) * 1000)
    for first in range(0, count, BATCH):
        server.get(f"/{bell}/{first}/{min(BATCH, count - first)}")
    _wait_for(folder, "waiting", count)
    asleep = time.monotonic() - began
    time.sleep(2)
    figures = {"asleep_seconds": asleep, "memory_mb": server.memory() - empty, "idle_cpu_percent": server.cpu(5)}
    server.process.kill()
    server.process.wait()
    server = Server(folder)
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
