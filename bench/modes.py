"""
The tests of workflows in three modes: passes parked in memory, given up at every wait, cut after every record.

    python bench/modes.py [--only replayed]

The results and the number of times that each step runs must be the same in all of them. Prints one line of JSON; exit
code 1 if a test failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
MODES = ("parked", "replayed", "cut")
PAGES = ("workflows", "steps", "events", "lifecycle", "rollback", "replay", "streams", "schedules", "control_races")


def passed_and_failed(mode: str) -> dict[str, object]:
    """How many tests went well, and which did not."""
    pages = [str(TESTS / f"test_{page}.py") for page in PAGES]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--passes", mode, *pages]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent).stdout
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|skipped)", told)}
    return {**counts, "failed": re.findall(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MODES, help="one of the modes")
    options = parser.parse_args()
    began = time.monotonic()
    found = {mode: passed_and_failed(mode) for mode in MODES if options.only in (None, mode)}
    broken = sum(bool(each["failed"]) or not each.get("passed") for each in found.values())
    print(json.dumps({"modes": found, "seconds": round(time.monotonic() - began), "broken": broken}))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
