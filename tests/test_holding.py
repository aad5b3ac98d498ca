"""What stands still while a debugger holds the worker, and how it is known that one does."""

import asyncio
import io
import os
import pdb
import sys
import threading
import time
import types
from datetime import timedelta

import pytest

from emulator.runtime.process import breakpoint_hook, is_pythons_own
from emulator.runtime.standing import is_held, tells_of_debugger

WORKER = """
import asyncio
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Slow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("wait", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}})
        async def wait():
            await asyncio.Event().wait()
        await wait()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await asyncio.sleep(0.1)
        return Response("ok")
"""

WORKFLOW = '[[workflows]]\nname = "slow"\nbinding = "SLOW"\nclass_name = "Slow"\n'


@pytest.fixture
async def held(emu):
    emu.options["settle_seconds"] = 0.05
    return await emu.start(WORKER, config=WORKFLOW)


def generation_of(emu):
    return emu.emulator.workers[0].current


async def test_a_step_has_as_much_longer_as_it_was_held(held):
    """
    The time that a debugger took is added to a step's time-out, which comes nevertheless.
    """
    instance = await held.create("slow")
    generation_of(held).hold(True)
    await asyncio.sleep(0.2)
    generation_of(held).hold(False)
    await held.advance(seconds=60)

    assert "running" == instance.status

    await held.advance(seconds=30)
    async with asyncio.timeout(5):
        while instance.status == "running":  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)

    assert "errored" == instance.status


async def test_a_step_is_not_late_while_it_is_held(held):
    """
    When its time is over, it is let go first; nobody can end what does not run.
    """
    instance = await held.create("slow")
    generation_of(held).hold(True)
    generation_of(held).channel.send = lambda *_: None
    await held.advance(hours=1)

    assert "running" == instance.status


async def test_a_save_waits_until_the_debugger_lets_go(held):
    """
    It is said that somebody waits; the reload comes after.
    """
    worker = held.emulator.workers[0]
    await held.emulator.wait_for_debugger(worker)

    assert "waits until" not in held.lines

    _stop_answering(worker.current)
    waiting = asyncio.create_task(held.emulator.wait_for_debugger(worker, ["helper.py"]))
    await asyncio.sleep(0.01)

    assert not waiting.done()
    assert "RELOAD helper.py" in held.lines
    assert "waits until the debugger lets go" in held.lines

    _answer_again(worker.current)
    await asyncio.wait_for(waiting, 1)


async def test_an_old_version_that_is_held_is_not_ended(held):
    """
    A debugger that stopped just before the save keeps its process; the time to finish begins when it lets go.
    """
    old = generation_of(held)
    answer = asyncio.create_task(held.get("/"))
    await asyncio.sleep(0.01)
    old.hold(True)
    leaving = asyncio.create_task(old.drain(0.02))
    await asyncio.sleep(0.05)

    assert old.alive

    old.hold(False)
    await asyncio.wait_for(leaving, 1)
    await answer

    assert not old.alive


async def test_in_process_the_time_that_is_missing_was_the_debuggers(emu, monkeypatch):
    """
    Under an editor's debugger a loop that stood still was stopped; without one it was blocked, which counts.
    """
    await emu.start(WORKER, config=WORKFLOW)
    monkeypatch.setitem(sys.modules, "pydevd", types.ModuleType("pydevd"))
    await emu.reload()
    await asyncio.sleep(0)
    time.sleep(0.6)  # noqa: ASYNC251 - as a debugger does
    await asyncio.sleep(0.01)

    assert generation_of(emu).held_for >= timedelta(seconds=0.3)


# How it is known


def dump(*frames):
    """What faulthandler writes of one thread, innermost first."""
    lines = [f'  File "{file}", line 12 in {function}' for file, function in frames]
    return "\n".join(["Thread 0x00007f (most recent call first):", *lines, ""])


LAUNCHED = (("/x/pydevd.py", "_exec"), ("/x/pydevd.py", "run"), ("/x/pydevd.py", "main"), ("/x/pydevd.py", "<module>"))


@pytest.mark.parametrize(
    ("text", "held"),
    [
        pytest.param(dump(("/a/entry.py", "look"), *LAUNCHED), False, id="blocked, and started by a debugger"),
        pytest.param(
            dump(("/x/pydevd.py", "_do_wait_suspend"), ("/x/pydevd.py", "do_wait_suspend"), ("/a/entry.py", "look")),
            True,
            id="stopped by an editor",
        ),
        pytest.param(
            dump((r"C:\x\pydevd.py", "do_wait_suspend"), (r"C:\a\entry.py", "look")), True, id="by an editor on Windows"
        ),
        pytest.param(
            dump(("/p/pdb.py", "interaction"), ("/p/bdb.py", "dispatch_line"), ("/a/entry.py", "look")), True, id="pdb"
        ),
        pytest.param(dump(("/x/pydevd_comm.py", "_read"), ("/t/threading.py", "run")), False, id="a debugger's thread"),
        pytest.param(dump(("/a/my_bdb.py", "dispatch_line")), False, id="a file of a similar name"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_where_it_stands_tells_who_holds_it(text, held):
    """
    A thread that stands in the waiting of a debugger is held; a debugger that is only there holds nobody.
    """
    assert held is tells_of_debugger(text)


def test_a_thread_at_a_prompt_is_seen_from_another():
    """
    The process can say it itself while its loop runs.
    """
    reading, writing = os.pipe()
    at_prompt, out = threading.Event(), io.StringIO()

    class Prompt(pdb.Pdb):
        def preloop(self):
            at_prompt.set()

    def stop():
        with os.fdopen(reading) as typed:
            Prompt(stdin=typed, stdout=out).set_trace()

    thread = threading.Thread(target=stop)

    assert not is_held()

    thread.start()

    assert at_prompt.wait(5)
    assert is_held()

    os.write(writing, b"c\n")
    os.close(writing)
    thread.join(5)

    assert not is_held()


# breakpoint() under an editor's debugger


@pytest.fixture
def pydevd(monkeypatch):
    found = types.ModuleType("pydevd")
    found.stops = []
    found.settrace = lambda **options: found.stops.append(options["stop_at_frame"].f_code.co_name)
    monkeypatch.setitem(sys.modules, "pydevd", found)
    return found


@pytest.mark.parametrize(
    ("attached", "stops", "passed_on"),
    [
        pytest.param(lambda: True, ["handler"], [], id="attached"),
        pytest.param(lambda: False, [], [()], id="gone again"),
    ],
)
def test_a_breakpoint_stops_in_the_editor(pydevd, attached, stops, passed_on):
    """
    In the very frame that says breakpoint().
    """
    pydevd._is_attached = attached
    theirs = []
    hook = breakpoint_hook(lambda *arguments: theirs.append(arguments), print)

    def handler():
        hook()

    handler()

    assert stops == pydevd.stops
    assert passed_on == theirs


def test_a_hook_that_works_is_left(pydevd):
    """
    A debugger that is not debugpy has one of its own, which must be called by the worker's code itself.
    """

    def theirs(): ...

    assert theirs is breakpoint_hook(theirs, print)


def test_a_hook_of_somebody_elses_is_known():
    """
    Python's own is built in, whatever sys.__breakpointhook__ has been made.
    """
    assert is_pythons_own(sys.__breakpointhook__)
    assert not is_pythons_own(lambda: None)


def _stop_answering(generation):
    """As a process whose threads are all stopped."""
    generation.hold(True)
    generation.unsent, generation.really = [], generation.channel.send
    generation.channel.send = lambda *frame: generation.unsent.append(frame)


def _answer_again(generation):
    generation.channel.send = generation.really
    for frame in generation.unsent:
        generation.channel.send(*frame)
