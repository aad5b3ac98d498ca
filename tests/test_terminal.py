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
