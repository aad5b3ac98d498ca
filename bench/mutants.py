"""
Plant bugs in the emulator, one at a time, and see that the programme notices each: a green one proves little otherwise.

    python bench/mutants.py [--only TEXT]

Prints one line of JSON; exit code 1 if a bug went unnoticed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from planted import BUGS

HERE = Path(__file__).parent
KILLS = [str(HERE / "kill.py"), "--kills", "12", "--planted"]
# Where a bug is to be noticed: by pages of tests, or by the kills.
NOTICED_BY = {
    "ack_before_commit": ["disk_full", "store"],
    "no_sync": ["store"],
    "no_fence": ["control_races"],
    "event_not_marked": ["events"],
    "batch_not_settled": ["queues"],
    "timer_lost": ["hibernation", "workflows"],
    "attempt_not_stored": ["grants", "steps"],
}


def is_noticed(bug: str) -> bool:
    """Whether what runs on the bug fails."""
    pages = NOTICED_BY.get(bug)
    pytest = ["-m", "pytest", "-q", "-x", "-p", "planted", *(f"tests/test_{page}.py" for page in pages or ())]
    variables = {**os.environ, "PLANTED": bug, "PYTHONPATH": str(HERE)}
    command = [sys.executable, *(KILLS if pages is None else pytest)]
    ended = subprocess.run(command, cwd=HERE.parent, env=variables, capture_output=True, text=True, check=False)
    if pages is not None and ended.returncode not in (0, 1):
        raise RuntimeError(ended.stdout + ended.stderr)
    return ended.returncode == 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="bugs that contain this text")
    options = parser.parse_args()
    began = time.monotonic()
    bugs = [bug for bug in BUGS if options.only in bug]
    missed = [bug for bug in bugs if not is_noticed(bug)]
    told = {"planted": len(bugs), "noticed": len(bugs) - len(missed), "broken": missed}
    print(json.dumps({**told, "seconds": round(time.monotonic() - began)}))
    sys.exit(1 if missed or not bugs else 0)


if __name__ == "__main__":
    main()
