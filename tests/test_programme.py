"""The programme of kills on a small scale; bench/ does it on a large one."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "bench"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="it kills groups of processes"),
]


def told(script, *options):
    """What a script's last line says, and its exit code."""
    command = [sys.executable, BENCH / script, *map(str, options)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert ended.stdout, ended.stderr

    return json.loads(ended.stdout.splitlines()[-1]), ended.returncode


def test_every_boundary_is_there():
    """
    A method that has got another name is no boundary that is never reached, but an error.
    """
    sys.path.insert(0, str(BENCH))
    try:
        spec = importlib.util.spec_from_file_location("dying", BENCH / "dying.py")
        dying = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(dying)
    finally:
        sys.path.remove(str(BENCH))

    assert all(callable(getattr(owner, name)) for owner, name in dying._METHODS.values())
    assert len(dying.POINTS) > 60


@pytest.mark.parametrize("boundary", ["after an attempt is ended", "the worker in ack"])
def test_nothing_is_lost_at_a_boundary(boundary):
    """
    Killed there, and started again: everything that was taken on ends as it should, and no finished step runs again.
    """
    found, code = told("boundaries.py", "--only", boundary, "--passes", 1)

    assert {} == found["broken"]
    assert (0, 1, 1) == (code, found["cases"], found["kills"])


@pytest.mark.parametrize("name", ["kill -9", "inserts a step", "cannot be imported"])
def test_all_go_on_with_no_touch(name):
    """
    Those in a step, those asleep and those that wait: after a kill, a save of another shape and a broken one.
    """
    found, code = told("resume.py", "--only", name, "--count", 30, "--bell", 1)

    assert {} == found["broken"]
    assert (0, 1) == (code, len(found["first_and_all_seconds"]))
