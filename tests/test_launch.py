"""The user's process at its start and its end: signals, memory, what is left behind, and what is said of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from dev import Dev
from support import HELLO

from emulator import launch
from emulator.bindings import env
from emulator.cli import group
from emulator.cli.limits import memory_option
from emulator.launch import Allowance
from emulator.processes import Processes

MEMORY = """
import resource
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(resource.getrlimit(resource.RLIMIT_DATA)[0]))
"""


@pytest.fixture
def launched(tmp_path):
    """A process that waits for `load`."""
    found = launch.launch_for(tmp_path, sys.executable)
    yield found
    found.kill()
    found.epitaph()
    found.socket.close()


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    """
    Whoever is killed cannot clean up, so there is nothing to be cleaned up.
    """
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    launched = launch.launch_for(tmp_path, sys.executable)

    assert [] == list(temporary.iterdir())

    launched.kill()
    launched.epitaph()
    launched.socket.close()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system does not list what is open")
@pytest.mark.parametrize("broken", ["os.pipe", "tempfile.TemporaryFile", "subprocess.Popen"])
@pytest.mark.parametrize(
    "error", [OSError(24, "Too many open files"), ValueError("odd"), KeyboardInterrupt()], ids=repr
)
def test_nothing_stays_open_when_a_process_cannot_be_started(tmp_path, monkeypatch, broken, error):
    """
    Each save tries again; a place that is lost each time is missing one day.
    """

    def breaks(*arguments, **options):
        raise error

    before = len(list(Path("/dev/fd").iterdir()))
    monkeypatch.setattr(broken, breaks)
    with pytest.raises(type(error)):
        launch.launch(sys.executable, tmp_path, Allowance())
    monkeypatch.undo()

    assert before == len(list(Path("/dev/fd").iterdir()))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_an_interpreter_is_looked_for_where_the_command_was_given(tmp_path, monkeypatch):
    """
    Not in the worker's folder. A link stays one: it is by its place that a virtual environment's Python knows it.
    """
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "worker").mkdir()
    monkeypatch.chdir(tmp_path)
    launched = launch.launch_for(tmp_path / "worker", "venv/bin/python")
    launched.kill()
    launched.epitaph()
    launched.socket.close()

    assert str(tmp_path / "venv" / "bin" / "python") == launched.process.args[0]
    assert str(tmp_path / "python3") == launch.interpreter_for(tmp_path, "./python3")
    assert "python3" == launch.interpreter_for(tmp_path, "python3")


@pytest.mark.parametrize(
    ("number", "reason", "expected"),
    [
        (signal.SIGKILL, "", "killed by SIGKILL; the machine may have run out of memory"),
        (signal.SIGKILL, "it did not answer for 30 s", "it did not answer for 30 s"),
        (signal.SIGSEGV, "", "killed by SIGSEGV"),
    ],
    ids=["somebody", "the emulator", "a crash"],
)
def test_how_a_process_ended(launched, number, reason, expected):
    """
    What kills without a word is most often the system, for want of memory.
    """
    launched.reason = reason
    launched.process.send_signal(number)

    assert expected == launched.epitaph()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
async def test_a_process_that_starts_does_not_hear_ctrl_c(emu_processes, tmp_path, monkeypatch):
    """
    Ctrl-C in the terminal reaches both processes; an interpreter that is starting would die of it, with a traceback.
    """
    real = launch.launch_for

    def interrupted(*arguments):
        launched = real(*arguments)
        launched.process.send_signal(signal.SIGINT)
        return launched

    monkeypatch.setattr("emulator.processes.launch_for", interrupted)
    await emu_processes.start(HELLO)

    assert "hello" == (await emu_processes.get("/")).text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_ctrl_c_before_the_commands_are_there_is_no_traceback():
    """
    Whoever presses it while the emulator is being imported ends it, as any other program.
    """
    interrupt = (
        "import importlib, os, signal, time\n"
        "from emulator.__main__ import main\n"
        "importlib.import_module = lambda name: (os.kill(os.getpid(), signal.SIGINT), time.sleep(10))\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", interrupt], capture_output=True, text=True, check=False)

    assert (-signal.SIGINT, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such limit")
@pytest.mark.parametrize(("memory", "expected"), [(4 << 30, 4 << 30), (512 << 20, 512 << 20), (None, -1)])
async def test_the_memory_of_the_process_is_limited(emu_processes, memory, expected):
    """
    4 GiB unless it is said otherwise, or that there is to be no limit.
    """
    emu_processes.allowance = Allowance() if memory == 4 << 30 else Allowance(memory=memory)
    await emu_processes.start(MEMORY)

    assert str(expected) == (await emu_processes.get("/")).text


@pytest.mark.slow
def test_an_import_that_does_not_end_is_named(tmp_path):
    """
    Two seconds after the start, or after a save, file and line say where it hangs; putting it right helps.
    """
    hangs = HELLO + "\nimport time\ntime.sleep(60)\n"
    line = hangs.splitlines().index("time.sleep(60)") + 1
    with Dev(tmp_path, code=hangs, ready=False) as dev:
        told = dev.wait_for("still being imported")
        code, took, left = dev.stop()

        assert f"entry.py:{line}" in told
        assert (0, []) == (code, left)
        assert took < 5


@pytest.mark.parametrize(("held", "expected"), [(False, 1), (True, 0)], ids=["by itself", "in a debugger"])
async def test_a_process_that_is_held_is_not_called_slow(emu_processes, monkeypatch, held, expected):
    """
    A debugger in a module's body takes as long as it takes.
    """
    monkeypatch.setattr("emulator.generation._SLOW_TO_LOAD", 0.01)
    await emu_processes.start(HELLO)
    emu_processes.save("entry.py", f"import time\ntime.sleep(0.2)\n{HELLO}")
    worker = emu_processes.emulator.workers[0]
    generation = await Processes().start(worker.config, 9, worker.current.hooks)
    generation.hold(held)
    before = emu_processes.lines.count("still being imported")
    await generation.load({**env.load_head(worker.config), "number": 9})
    after = emu_processes.lines.count("still being imported")
    await generation.stop()

    assert expected == after - before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--memory-limit", "much"], 'expected a size such as 4GiB or 512MB, or off; got "much"'),
        (["--memory-limit", "1MB"], "1MB is less than the 64MiB that a worker needs to start"),
        (["--block-limit", "0"], 'expected seconds, more than 0, or off; got "0"'),
        (["--block-limit", "nan"], 'expected seconds, more than 0, or off; got "nan"'),
        (["--block-limit", "long"], 'expected seconds, more than 0, or off; got "long"'),
    ],
    ids=" ".join,
)
def test_a_limit_that_makes_no_sense_is_refused(arguments, words):
    """
    Before anything starts, and with the form that is taken.
    """
    result = CliRunner().invoke(group, ["dev", *arguments])

    assert 2 == result.exit_code
    assert words in result.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4GiB", 4 << 30), ("512 MB", 512_000_000), ("1.5gib", 3 << 29), ("off", None), ("OFF", None)],
)
def test_sizes(text, expected):
    """
    Decimal and binary units, in any case.
    """
    assert expected == memory_option(lambda memory: memory).__click_params__[0].type.convert(text, None, None)
