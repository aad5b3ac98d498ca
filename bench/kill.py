"""
kill -9 at random moments, of the emulator and of the worker's process in turn, over running instances.

    python bench/kill.py [--kills 200] [--seed 1] [--live 8] [--planted]

Checks from outside, by lines the steps write themselves: no instance is lost, every one completes by itself, no step
whose result was handed over begins again, no event is taken twice. `--planted` runs an emulator with a bug in it and
must fail.
Prints one JSON line; exit code 0 when all promises held.
"""

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

from lives import EMULATOR, Life

HERE = Path(__file__).parent
PLANTED = (str(HERE / "planted.py"),)
STEPS = 20


def journeys(folder, options):
    """Kill until enough; then let everything finish undisturbed. Returns the ids of all accepted instances."""
    chance = random.Random(options.seed)
    made, kills = [], 0
    while kills < options.kills:
        server = live(folder, options)
        if kills % 2:
            made += keep_busy(server, folder, options.live, chance.uniform(0.05, 0.4))
            server.kill_worker()
            kills += 1
        made += keep_busy(server, folder, options.live, chance.uniform(0.05, 0.5))
        server.kill()
        kills += 1
    server = live(folder, options)
    deadline = time.monotonic() + 30
    while count_unfinished(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    statuses = Counter((server.get(id) or {"status": "missing"})["status"] for id in made)
    return made, statuses, server.stop()


def live(folder, options):
    return Life(folder, PLANTED if options.planted else EMULATOR)


def keep_busy(server, folder, live, seconds):
    """So many instances under way for so long: a kill that hits an idle server proves nothing. Returns new ids."""
    made, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        answers = [server.get("create") for _ in range(live - count_unfinished(folder))]
        made += [answer["id"] for answer in answers if answer is not None]
        time.sleep(0.01)
    return made


def count_unfinished(folder):
    """Straight from the file: asking the server might wake somebody."""
    db = sqlite3.connect(f"file:{folder / '.emulator' / 'state.db'}?mode=ro", uri=True)
    try:
        return db.execute("select count(*) from instances where status not in ('complete', 'errored')").fetchone()[0]
    finally:
        db.close()


def verdict(folder, made, statuses):
    """What the lines say: (figures, broken promises)."""
    executions, acked, events = Counter(), set(), Counter()
    run_again = 0
    for line in (folder / "lines.txt").read_text().splitlines():
        kind, instance, step, _ = line.split()
        match kind:
            case "exec":
                executions[instance, step] += 1
                run_again += (instance, step) in acked
            case "ack":
                acked.add((instance, step))
            case "event":
                events[instance] += 1
    db = sqlite3.connect(folder / ".emulator" / "state.db")
    integrity = db.execute("pragma integrity_check").fetchone()[0]
    lost = [id for id in made if any((id, str(step)) not in acked for step in range(STEPS))]
    broken = {
        "lost": len(lost),
        "run_again_after_ack": run_again,
        "not_complete": len(made) - statuses["complete"],
        "integrity": 0 if integrity == "ok" else 1,
    }
    figures = {
        "instances": len(made),
        "steps": len(executions),
        "executions": sum(executions.values()),
        "most_executions_of_a_step": max(executions.values(), default=0),
        "statuses": dict(statuses),
    }
    return figures, broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", type=int, default=8)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    shutil.copytree(HERE / "kill_worker", folder, dirs_exist_ok=True)
    began = time.monotonic()
    made, statuses, stopped = journeys(folder, options)
    figures, broken = verdict(folder, made, statuses)
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"kills": options.kills, "seed": options.seed, "seconds": seconds, **figures, "broken": broken}))
    if not options.keep:
        shutil.rmtree(folder)
    sys.exit(1 if any(broken.values()) or stopped != 0 else 0)


if __name__ == "__main__":
    main()
