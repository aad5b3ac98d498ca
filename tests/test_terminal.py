"""The terminal: what it shows comes out whatever the stream can write."""

import io
import json

import pytest
from test_tracebacks import FASTAPI, frame, trace

from emulator.terminal import Terminal


def test_letters_that_the_stream_has_not_are_replaced():
    """
    A redirected console of few letters gets every line, with a question mark for what it cannot show.
    """
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    terminal = Terminal(out)
    terminal.output("GET /", "output", "caf\u00e9 \u203a \u21b6")
    terminal.flush()
    terminal.plain("more")
    terminal.flush()

    assert "GET / ? caf? ? ?\nmore\n" == out.buffer.getvalue().decode()


TRACE = trace(*[frame(FASTAPI)] * 9, frame("/home/me/entry.py"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, 6), ({"whole": True}, 32), ({"as_json": True}, 32)],
    ids=["text", "text, whole", "json"],
)
def test_a_traceback_is_short_for_people_only(options, expected):
    """
    What the worker logs: programs get all of it, and so does who asks for it.
    """
    out = io.StringIO()
    Terminal(out, **options).output("GET /", "error", TRACE)

    assert expected == len(out.getvalue().splitlines())
    assert all(line.startswith("GET / │ ") or json.loads(line) for line in out.getvalue().splitlines())


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_raised_is_short_too(whole):
    """
    The traceback of a failed event is shown as one that is logged.
    """
    out = io.StringIO()
    Terminal(out, whole=whole).trace(TRACE)

    assert (32 if whole else 6) == len(out.getvalue().splitlines())


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "folded"])
def test_what_a_worker_logs_of_an_exception_has_its_public_name(whole):
    """
    Python's own words of it come as they are printed.
    """
    out = io.StringIO()
    Terminal(out, whole=whole).output("GET /", "error", "emulator.sdk.workers.workflows.WorkflowError: no")

    assert out.getvalue().endswith("│ workers.workflows.WorkflowError: no\n")


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("order/8f2e1c04-9b7a-4d1e-8c55-0a1b2c3d4e5f", "order/8f2e1c04"),
        ("order/8f2e1c04-9b7a-4d1e-8c55-0a1b2c3d4e5f › charge", "order/8f2e1c04 › charge"),
        ("order/8f2e1c04-9b7a-4d1e-8c55-0a1b2c3d4e5f ↶ charge › twice", "order/8f2e1c04 ↶ charge › twice"),
        ("order/*/5 * * * *-1893456000000", "order/*/5 * * * *-1893456000000"),
        ("order/customer-1001 › charge", "order/customer-1001 › charge"),
        ("order/customer-1002", "order/customer-1002"),
        ("order/8f2e1c04-of-my-own", "order/8f2e1c04-of-my-own"),
        ("order/one › a step of many words", "order/one › a step of many words"),
    ],
)
def test_ids_made_up_by_themselves_are_short_for_people_only(title, short):
    """
    Of such an id the first eight characters are shown; programs get all of it. Others may differ in the last one only.
    """
    assert short == Terminal(io.StringIO()).named(title)
    assert title == Terminal(io.StringIO(), as_json=True).named(title)


def test_ready_is_an_object_for_programs():
    """
    The line of people is in it, and what it says one by one.
    """
    out, as_text = io.StringIO(), io.StringIO()
    Terminal(out, as_json=True).ready("Ready on http://here:1", url="http://here:1", port=1)
    Terminal(as_text).ready("Ready on http://here:1", url="http://here:1", port=1)
    told = json.loads(out.getvalue())

    assert ("READY", "Ready on http://here:1", "http://here:1", 1) == tuple(
        told[key] for key in ("event", "result", "url", "port")
    )
    assert "Ready on http://here:1\n" == as_text.getvalue()


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("out", [Screen, io.StringIO], ids=["a terminal", "a file"])
@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "left"])
def test_lines_begin_below_a_prompt(monkeypatch, out, is_answered):
    """
    As long as a debugger asks; once more where it was left without an answer, and never in a file.
    """
    monkeypatch.setenv("NO_COLOR", "1")
    screen = out()
    terminal = Terminal(screen)
    terminal.prompt(True)
    screen.write("(Pdb) ")
    terminal.plain("one")
    screen.write("(Pdb) ")
    terminal.prompt(False, is_answered=is_answered)
    terminal.plain("two")
    terminal.plain("three")
    below = "\n" if screen.isatty() else ""
    left = "" if is_answered else below

    assert f"(Pdb) {below}one\n(Pdb) {left}two\nthree\n" == screen.getvalue()
