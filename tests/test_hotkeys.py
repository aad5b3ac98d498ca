"""Single keys on the terminal of `emulator dev`: what they do, and whose the terminal is."""

import os
import re
import signal
import sys
import time
import webbrowser

import pytest
from support import HELLO

pytest.importorskip("termios")

from test_debugging import WORKER, Terminal

from emulator.hotkeys import HELP, Hotkeys

CRONS = """
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        print("ran", controller.cron)
"""


class Keyboard:
    """Only says whether it listens."""

    def __init__(self, press):
        self.press = press
        self.listens = False

    def listen(self):
        self.listens = True

    def let_go(self):
        self.listens = False

    def close(self):
        self.listens = False


@pytest.fixture
async def keys(emu):
    """Gives a function that starts a worker and its keys."""
    made = []

    async def start(code=HELLO, config=""):
        await emu.start(code, config=config)
        made.append(Hotkeys(emu.emulator, "http://here", Keyboard))
        return made[0]

    yield start
    for each in made:
        each.close()


async def pressed(emu, keys, key):
    keys.press(key)
    while keys._tasks:
        await next(iter(keys._tasks))
    await emu.settle()


async def test_they_are_named_at_the_start(emu, keys):
    """
    One line says which keys there are; ? says it again.
    """
    hotkeys = await keys()
    hotkeys.press("?")

    assert 2 == emu.lines.count(HELP)


async def test_reload(emu, keys):
    """
    r loads the worker anew, though nothing was saved.
    """
    await pressed(emu, await keys(), "R")

    assert "RELOAD entry.py" in emu.lines


async def test_open(emu, keys, monkeypatch):
    """
    o opens what is served.
    """
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    await pressed(emu, await keys(), "o")

    assert ["http://here"] == opened


async def test_run_the_cron(emu, keys):
    """
    c runs the only cron at once, and says so where there is none.
    """
    hotkeys = await keys(CRONS)
    await pressed(emu, hotkeys, "c")

    assert "there are no crons" in emu.lines

    emu.configure('[triggers]\ncrons = ["0 9 * * *"]\n')
    await emu.reload()
    await pressed(emu, hotkeys, "c")

    assert "ran 0 9 * * *" in emu.lines


async def test_choose_a_cron(emu, keys):
    """
    Of several, the next key says which; any other key forgets the question.
    """
    hotkeys = await keys(CRONS, '[triggers]\ncrons = ["0 9 * * *", "0 8 * * *"]\n')
    hotkeys.press("c")

    assert "which? 1 0 9 * * *, 2 0 8 * * *" in emu.lines

    await pressed(emu, hotkeys, "2")
    await pressed(emu, hotkeys, "1")

    assert "ran 0 8 * * *" in emu.lines
    assert "ran 0 9 * * *" not in emu.lines


async def test_quit(keys, monkeypatch):
    """
    q is Ctrl-C.
    """
    raised = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    (await keys()).press("q")

    assert [signal.SIGINT] == raised


async def test_a_debugger_has_the_terminal(emu, keys):
    """
    Nobody listens to keys from the moment on that a debugger takes hold until it lets go, or its process ends.
    """
    hotkeys = await keys()
    generation = emu.emulator.workers[0].current

    assert hotkeys._keyboard.listens

    for holds in (True, False):
        generation.hold(holds)

        assert hotkeys._keyboard.listens is not holds

    generation.hold(True)
    await emu.reload()
    await generation.stop()

    assert hotkeys._keyboard.listens


@pytest.fixture
async def stepping(emu):
    """Keys whose seconds the test counts, and a debugger that has just let go."""
    await emu.start(CRONS, config='[triggers]\ncrons = ["0 9 * * *"]\n')
    seconds = [100.0]
    hotkeys = Hotkeys(emu.emulator, "http://here", Keyboard, now=lambda: seconds[0])
    generation = emu.emulator.workers[0].current
    generation.hold(True)
    seconds[0] += 60
    generation.hold(False)

    def type_after(pause, key):
        seconds[0] += pause
        hotkeys.press(key)

    yield type_after
    hotkeys.close()


async def test_what_is_typed_for_a_debugger_that_has_let_go_is_dropped(emu, stepping):
    """
    However long the word, and said once; after a second without a key they count again.
    """
    stepping(0.5, "c")
    for key in "lear\n":
        stepping(0.9, key)
    await emu.settle()

    assert "ran 0 9" not in emu.lines
    assert "\x1b[2J" not in emu.lines
    assert 1 == emu.lines.count("the debugger has let go; keys count again when none has come for a second")

    stepping(1.1, "l")

    assert "\x1b[2J" in emu.lines


async def test_keys_count_a_second_after_the_debugger(emu, stepping):
    """
    Who waits is not told of anything.
    """
    stepping(1.1, "l")

    assert "\x1b[2J" in emu.lines
    assert "the debugger has let go" not in emu.lines


# On a real terminal


@pytest.fixture
def terminal(tmp_path):
    config = '[[workflows]]\nname = "held"\nbinding = "HELD"\nclass_name = "Held"\n[triggers]\ncrons = ["0 9 1 1 *"]\n'
    code = WORKER + "    async def scheduled(self, controller, env, ctx):\n        print('ran', controller.cron)\n"
    with Terminal(tmp_path, "--no-reload", code=code, config=config) as running:
        running.see(HELP)
        yield running


def press(terminal, keys):
    os.write(terminal._ours, keys.encode())


@pytest.mark.slow
def test_keys_on_a_terminal(terminal):
    """
    A key counts without Enter, an arrow is no key, and a reload leaves all as it is.
    """
    press(terminal, "c")
    terminal.see("ran 0 9 1 1 *")
    press(terminal, "\x1b[A")
    press(terminal, "r")
    terminal.see("RELOAD")
    press(terminal, "l")
    terminal.see("\x1b[2J")

    assert "ok" == terminal.get("/").text


@pytest.mark.slow
def test_a_prompt_gets_all_that_is_typed(terminal):
    """
    At breakpoint() the keys are the debugger's, line by line and shown; afterwards they are keys again.
    """
    answer = terminal.later("GET", "/stop")
    terminal.see_prompt()
    terminal.type("secret = 'cqr'")
    terminal.see("secret = 'cqr'")
    terminal.see_prompt(2)
    terminal.type("c")

    assert "cqr" == answer().text
    assert "RELOAD" not in terminal.screen
    assert "ran 0 9" not in terminal.screen

    press(terminal, "r")
    terminal.see("the debugger has let go")
    time.sleep(1.1)

    assert "RELOAD" not in terminal.screen

    press(terminal, "r")
    terminal.see("RELOAD")


@pytest.mark.slow
def test_what_is_said_stands_below_the_prompt(terminal):
    """
    A line of the emulator begins a line, also where Ctrl-C has left a prompt.
    """
    terminal.later("GET", "/stop")
    terminal.see_prompt()
    terminal.press_ctrl_c()
    terminal.process.wait(5)

    assert re.search(r"\n\(Pdb\) (\^C)?\r\nGET    /stop", re.sub(r"\x1b\[\d*m", "", terminal.screen))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a console has no modes of lines")
def test_the_terminal_is_given_back(terminal):
    """
    While it is served the terminal does not wait for lines; after q it is as it was found.
    """
    import termios

    def is_in_lines():
        return bool(termios.tcgetattr(terminal._ours)[3] & termios.ICANON)

    assert not is_in_lines()

    press(terminal, "q")

    assert 0 == terminal.process.wait(10)
    assert is_in_lines()
