"""Long moves of the clock of a real emulator: how far they are, who ends them, and what the command says meanwhile."""

import http.client
import json
import sys
from datetime import timedelta
from itertools import pairwise

import pytest
from dev import PATIENCE, Dev, eventually

from emulator.cli import remote
from emulator.cli.clock import Progress
from emulator.errors import EmulatorError

CRONS = '[triggers]\ncrons = ["* * * * *"]\n'

COUNTS = """
from workers import Response, WorkerEntrypoint

TICKS = []

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json(TICKS)

    async def scheduled(self, controller, env, ctx):
        TICKS.append(controller.scheduledTime)
"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("moves"), "--no-reload", code=COUNTS, config=CRONS) as running:
        yield running


@pytest.fixture
def stands(dev):
    """How far the clock is from the machine's, in milliseconds, and where it is going."""

    def stands():
        found = dev.get("/cdn-cgi/local/clock").json
        return found["offset_ms"], found["moving_to"]

    yield stands
    dev.post("/cdn-cgi/local/clock", {"reset": True})


def begin(dev, **move):
    """A client that has asked for a move and does not wait for the answer yet."""
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=PATIENCE)
    connection.request("POST", "/cdn-cgi/local/clock", json.dumps(move), {"content-type": "application/json"})
    return connection


def test_each_tick_of_a_long_move_fires_in_order(dev, stands):
    """
    Half a day of a cron that fires each minute: 720 ticks (721 where the machine's own minute ends meanwhile).
    """
    before = len(dev.get("/").json)
    dev.post("/cdn-cgi/local/clock", {"advance": "12 hours"})
    ticks = dev.get("/").json[before:]

    assert len(ticks) in (720, 721)
    assert {60_000} == {later - earlier for earlier, later in pairwise(ticks)}


def test_who_hangs_up_ends_the_move(dev, stands):
    """
    The clock stays where it has come to, at its last tick, and serves the next one who moves it.
    """
    year = timedelta(days=365) / timedelta(milliseconds=1)
    client = begin(dev, advance="365 days")

    assert eventually(lambda: stands()[0] > 60_000)
    assert stands()[1] is not None

    client.close()

    assert eventually(lambda: stands()[1] is None)

    offset, _ = stands()

    assert 60_000 < offset < year
    assert offset + 60_000 == pytest.approx(
        dev.post("/cdn-cgi/local/clock", {"advance": "1 minute"}).json["offset_ms"], abs=2
    )


def test_a_command_waits_for_as_long_as_it_takes(run, dev, stands, monkeypatch):
    """
    Patience is for an emulator that says nothing; one that is on the way is waited for.
    """
    monkeypatch.chdir(dev.folder)
    monkeypatch.setattr(remote, "_LOOK_EVERY", 0.01)
    looks = []
    monkeypatch.setattr(Progress, "show", lambda progress: looks.append(stands()[1]))
    code, out, _ = run("clock", "advance", "6 hours")

    assert 0 == code
    assert "6 h ahead" in out
    assert len(looks) > 3
    assert any(looks)


def test_ctrl_c_ends_the_move_and_says_where_it_stands(run, dev, stands, monkeypatch):
    """
    The command ends with 130, as programs do that are interrupted.
    """

    def interrupt(progress):
        if stands()[0] > 60_000:
            raise KeyboardInterrupt

    monkeypatch.chdir(dev.folder)
    monkeypatch.setattr(remote, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(Progress, "show", interrupt)
    code, _, err = run("clock", "advance", "365 days")

    assert 130 == code
    assert "called off; it is " in err
    assert eventually(lambda: stands()[1] is None)


def test_an_emulator_that_says_nothing_is_not_waited_for(dev, monkeypatch):
    """
    The look at the clock meanwhile has the usual patience, and its error ends the wait.
    """

    def fails():
        raise EmulatorError("the emulator has not answered")

    monkeypatch.setattr(remote, "_LOOK_EVERY", 0.0)

    with pytest.raises(EmulatorError, match="has not answered"):
        remote.Remote(dev.port).call("POST", "/cdn-cgi/local/clock", {"advance": "1 day"}, meanwhile=fails)


class Terminal:
    """A stderr that says it is a terminal."""

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_is_one_line_that_is_gone_at_the_end(monkeypatch):
    """
    Written anew each time, on a terminal only.
    """
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    class Emulator:
        def call(self, method, path):
            return {"now": "2030-01-01T00:00:00Z", "moving_to": "2030-02-01T00:00:00Z"}

    progress = Progress(Emulator())
    progress.clear()

    assert terminal.text == ""

    progress.show()
    progress.clear()

    assert "\r2030-01-01 00:00:00 on the way to 2030-02-01 00:00:00" in terminal.text
    assert terminal.text.endswith("\r" + " " * 53 + "\r")
    assert "\n" not in terminal.text
