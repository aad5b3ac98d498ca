"""The processes below a process: which are seen, and which can be ended."""

import os
import subprocess
import sys

import pytest

from emulator.offspring import offspring

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")


@pytest.fixture
def child():
    """A process of ours that waits."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as found:
        yield found


def seen(child):
    (found,) = [each for each in offspring(os.getpid()) if each.pid == child.pid]
    return found


def test_a_child_is_ended(child):
    """
    It is said of it, once, that it was there.
    """
    found = seen(child)

    assert "/bin/cat" == found.command
    assert found.kill()

    child.wait()

    assert not found.kill()


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError], ids=["over meanwhile", "of another user now"])
def test_a_child_that_cannot_be_ended_is_left(child, monkeypatch, error):
    """
    Neither is the end of the worker's own process an error then, nor is it said that the child was ended.
    """
    found = seen(child)

    def refused(pid, number):
        raise error

    monkeypatch.setattr("os.kill", refused)

    assert not found.kill()
