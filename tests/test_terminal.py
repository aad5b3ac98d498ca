"""The terminal: what it shows comes out whatever the stream can write."""

import io

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
