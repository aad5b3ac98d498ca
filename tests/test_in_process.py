"""`emulator dev --in-process`: what is as it is with a process of the worker's own, and what is said to be not."""

import os
import sys
import time
import venv

import pytest
from dev import Dev, command
from support import HELLO

from emulator.launch import passed_over


@pytest.mark.parametrize(
    "option",
    [("--python", "python3"), ("--memory-limit", "1GiB"), ("--block-limit", "5")],
    ids=lambda option: option[0],
)
def test_an_option_without_effect_is_refused(tmp_path, option):
    """
    What is for a process of the worker's own is not ignored without a word.
    """
    (tmp_path / "wrangler.toml").write_text("")
    code, _, err = command(tmp_path, "dev", "--in-process", *option)

    assert 2 == code
    assert f"{option[0]} is for a worker in a process of its own; leave it or --in-process out" in err


@pytest.mark.slow
def test_a_virtual_environment_that_is_passed_over_is_named(tmp_path):
    """
    The worker runs beside the emulator's packages; that the project has others is said once, in one line.
    """
    venv.create(tmp_path / ".venv", with_pip=False)
    with Dev(tmp_path, "--in-process", code=HELLO) as dev:
        line = dev.wait_for("in process")

    assert ".venv" in line
    assert sys.prefix in line


def test_the_emulators_own_environment_is_not_passed_over(tmp_path):
    """
    Nothing is to be said where the emulator is installed in the project's environment, or where there is none.
    """
    assert passed_over(tmp_path) is None

    (tmp_path / ".venv").symlink_to(sys.prefix)

    assert passed_over(tmp_path) is None


def test_another_environment_is_passed_over(tmp_path):
    """
    Also one that was made by the very same Python.
    """
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)

    assert folder == passed_over(tmp_path)


@pytest.mark.slow
def test_keys_count_in_process_too(tmp_path):
    """
    On a terminal a key does what it does elsewhere, and at breakpoint() it is the debugger's.
    """
    debugging = pytest.importorskip("test_debugging")
    with debugging.Terminal(
        tmp_path, "--in-process", "--no-reload", code=debugging.WORKER, config=debugging.WORKFLOW
    ) as terminal:
        terminal.see("keys: ")
        os.write(terminal._ours, b"r")
        terminal.see("RELOAD")
        answer = terminal.later("GET", "/stop")
        terminal.see_prompt()
        terminal.type("secret = 'rrr'")
        terminal.see_prompt(2)
        terminal.type("c")

        assert "rrr" == answer().text
        assert 1 == terminal.screen.count("RELOAD")

        time.sleep(1.1)
        os.write(terminal._ours, b"l")
        terminal.see("\x1b[2J")
