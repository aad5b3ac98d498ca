"""`emulator clock`: the one clock of the emulator that runs."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import click

from emulator.cli import show
from emulator.cli.options import json_option, module, port_option, time_of
from emulator.cli.remote import NOTHING, Remote

_CLOCK = "/cdn-cgi/local/clock"


@click.group(invoke_without_command=True)
@click.pass_context
def clock(context: click.Context) -> None:
    """The clock of crons, sleeps, retries and delays. Without a command it is shown."""
    if context.invoked_subcommand is None:
        context.invoke(show_clock)


@clock.command("show")
@port_option
@json_option
def show_clock(port: int | None = None, as_json: bool = False) -> None:
    """
    What time it is, and how far that is from the machine's.

    Example: emulator clock show
    """
    _ask(port, "GET", NOTHING, as_json)


@clock.command()
@click.argument("duration")
@port_option
@json_option
def advance(duration: str, port: int | None, as_json: bool) -> None:
    """
    Move forward; what falls due on the way happens, in order. Ctrl+C ends the move where it is.

    Example: emulator clock advance "3 days"
    """
    _ask(port, "POST", {"advance": int(duration) if duration.isdecimal() else duration}, as_json)


@clock.command("set")
@click.argument("moment", metavar="ISO")
@port_option
@json_option
def set_clock(moment: str, port: int | None, as_json: bool) -> None:
    """
    Set the clock. Forward as advance does, backward without waking anybody.

    Example: emulator clock set 2030-01-31T12:00:00Z
    """
    _ask(port, "POST", {"set": time_of(moment).isoformat()}, as_json)


@clock.command("reset")
@port_option
@json_option
def reset_clock(port: int | None, as_json: bool) -> None:
    """
    Back to the machine's time.

    Example: emulator clock reset
    """
    _ask(port, "POST", {"reset": True}, as_json)


def _ask(port: int | None, method: str, body: Any, as_json: bool) -> None:
    remote, progress = Remote(port), Progress(Remote(port))
    try:
        found = remote.call(method, _CLOCK, body, meanwhile=progress.show)
    except KeyboardInterrupt:
        progress.clear()
        show.warn(f"called off; it is {_told(remote.call('GET', _CLOCK))}")
        raise click.Abort from None
    progress.clear()
    if as_json:
        show.data(found)
        return
    show.line(_told(found))


class Progress:
    """How far a long move of the clock has come, in one line of the terminal that is written anew."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._width = 0

    def show(self) -> None:
        """Where the clock stands now. Raises EmulatorError when the emulator does not answer that either."""
        found = self._remote.call("GET", _CLOCK)
        if found["moving_to"] is not None and sys.stderr.isatty():
            self._write(f"{show.when(found['now'])} on the way to {show.when(found['moving_to'])}")

    def clear(self) -> None:
        """Nothing of it is left."""
        if self._width:
            self._write("")

    def _write(self, text: str) -> None:
        click.echo(f"\r{text.ljust(self._width)}\r{text}", nl=False, err=True)
        self._width = len(text)


def _told(found: Any) -> str:
    return f"{show.when(found['now'])} UTC{_off(timedelta(milliseconds=found['offset_ms']))}"


def _off(offset: timedelta) -> str:
    if abs(offset) < timedelta(seconds=1):
        return ""
    way = "ahead" if offset > timedelta() else "behind"
    return f", {module('emulator.duration').words(abs(offset))} {way}"
