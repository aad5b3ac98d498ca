"""A queue that drains under kill -9, on a small scale; bench/queue_kills.py does it on a large one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parent.parent / "bench" / "queue_kills.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it kills groups of processes")
@pytest.mark.parametrize("kills", [0, 3])
def test_a_queue_survives_kills(kills):
    """
    Nothing is lost, poison is delivered as often as the config says, and without kills nothing comes twice.
    """
    command = [sys.executable, HARNESS, "--messages", "1500", "--kills", str(kills)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    told = json.loads(ended.stdout)

    assert {} == {promise: count for promise, count in told["broken"].items() if count}
    assert (0, kills, 15) == (ended.returncode, told["kills"], told["dead"])
