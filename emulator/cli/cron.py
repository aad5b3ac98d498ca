"""`emulator cron`: expressions, and the crons of the worker that is served."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import click

from emulator.cli import show
from emulator.cli.options import json_option, module, port_option, time_of
from emulator.cli.remote import Remote
from emulator.cli.whole import Whole
from emulator.errors import EmulatorError


@click.group()
def cron() -> None:
    """Cron expressions, in the platform's dialect."""


@cron.command("next")
@click.argument("expression")
@click.option("--from", "start", default=None, metavar="ISO", help="Count from this time; now if left out.")
@click.option("--count", default=5, type=Whole(1, 1000), help="How many times, 1 to 1000.")
@json_option
def cron_next(expression: str, start: str | None, count: int, as_json: bool) -> None:
    """
    The next times of an expression, UTC.

    Example: emulator cron next "*/15 9-17 * * MON-FRI" --count 3
    """
    parsed = module("emulator.cron").parse(expression)
    after = time_of(start) if start is not None else datetime.now(UTC)
    times = [_iso(each) for each in module("emulator.cron.times").upcoming(parsed, after, count)]
    words = module("emulator.cron.words")
    if as_json:
        told = {"expression": expression, "words": words.explain(parsed), "times": times}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(words.explain(parsed))
    for warning in words.warnings(parsed):
        click.echo(f"warning: {warning}", err=True)
    for each in times or ["never"]:
        click.echo(each)


@cron.command("list")
@port_option
@json_option
def cron_list(port: int | None, as_json: bool) -> None:
    """
    The crons of what is served, in words, with their next tick.

    Example: emulator cron list
    """
    found = Remote(port).call("GET", "/cdn-cgi/local/crons")
    if as_json:
        show.data(found)
        return
    rows = [[each["cron"], each["words"], _next(each), _owner(each)] for each in found]
    show.table(["Cron", "In words", "Next (UTC)", "Runs"], rows, otherwise="no crons; write them into [triggers]")


@cron.command("trigger")
@click.argument("expression")
@click.option("--time", "moment", default=None, metavar="ISO", help="The minute it stands for; now if left out.")
@click.option("--worker", default=None, help="Which worker, where several are served; the first if left out.")
@port_option
@json_option
def cron_trigger(expression: str, moment: str | None, worker: str | None, port: int | None, as_json: bool) -> None:
    """
    Run the scheduled handler now, as this cron would.

    Example: emulator cron trigger "0 12 * * *" --time 2030-01-01T12:00:00Z
    """
    query = {"cron": expression, "format": "json"}
    if moment is not None:
        query["time"] = str(int(time_of(moment).timestamp() * 1000))
    if worker is not None:
        query["worker"] = worker
    remote = Remote(port)
    outcome = remote.call("POST", f"/cdn-cgi/local/scheduled?{urlencode(query)}", fails=(500,))
    _warn_of_stranger(expression, remote.call("GET", "/cdn-cgi/local/crons"), worker)
    if as_json:
        show.data(outcome)
    if outcome["outcome"] != "ok":
        raise EmulatorError(f"the scheduled handler ended with: {outcome['outcome']}; the emulator's terminal says why")
    if not as_json:
        show.line("ok")


def _warn_of_stranger(expression: str, crons: list[dict[str, Any]], worker: str | None) -> None:
    """Say so when the worker, or any where none was named, has no such cron."""
    there = [each["cron"] for each in crons if each["workflow"] is None and worker in (None, each["worker"])]
    if expression not in there:
        show.warn(f"not one of this worker's crons: {expression}; it has {', '.join(there) or 'none'}")


def _next(each: dict[str, Any]) -> str:
    return show.when(each["next"]) if each["fires"] else "not by itself (--no-crons)"


def _owner(each: dict[str, str | None]) -> str:
    return f"workflow {each['workflow']}" if each["workflow"] else f"{each['worker']} scheduled"


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
