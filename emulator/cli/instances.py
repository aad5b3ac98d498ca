"""`emulator workflows instances`: list, describe, pause, resume, restart, terminate, send-event, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from emulator.cli import show
from emulator.cli.history import describe_instance
from emulator.cli.ids import LATEST, listed_in, resolved
from emulator.cli.options import in_options, json_of, json_option, port_option
from emulator.cli.remote import NOTHING, NoInstance, Remote, path_of
from emulator.cli.whole import Whole
from emulator.errors import EmulatorError

_STATUSES = ["queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting"]
_DATES = {"date_start:": "--date-start:", "date_end:": "--date-end:"}
_FROM = {"body.from.name:": "--from-step-name:", "type: ": "--from-step-type ", "count: ": "--from-step-count "}
_UNFINISHED = ["queued", "running", "paused", "waitingForPause", "waiting"]


@click.group()
def instances() -> None:
    """The instances of a workflow. `latest` works as an id, and so do the first 6 or more characters of one."""


def _of_instance(command: Callable[..., None]) -> Callable[..., None]:
    """What a command on one instance takes."""
    return click.argument("name")(click.argument("id")(port_option(json_option(command))))


@instances.command("list")
@click.argument("name")
@click.option("--status", default=None, type=click.Choice(_STATUSES), help="Only those in this status.")
@click.option("--reverse", is_flag=True, help="The oldest first.")
@click.option("--page", default=1, type=Whole(1), help="Which page.")
@click.option("--per-page", default=25, type=Whole(1, 100), help="How many on a page, 1 to 100.")
@click.option("--date-start", default=None, metavar="ISO", help="Only those created from then on.")
@click.option("--date-end", default=None, metavar="ISO", help="Only those created until then; a day counts whole.")
@port_option
@json_option
def list_instances(
    name: str,
    status: str | None,
    reverse: bool,
    page: int,
    per_page: int,
    date_start: str | None,
    date_end: str | None,
    port: int | None,
    as_json: bool,
) -> None:
    """
    The instances of a workflow, the newest first.

    Example: emulator workflows instances list order --status waiting
    """
    query = {
        "status": status,
        "direction": "asc" if reverse else None,
        "page": page,
        "per_page": per_page,
        "date_start": date_start,
        "date_end": f"{date_end}T23:59:59.999Z"
        if date_end is not None and len(date_end) == len("2030-01-31")
        else date_end,
    }
    with in_options(_DATES):
        answer = Remote(port).page("GET", path_of("workflows", name, "instances"), query=query)
    if as_json:
        show.data(answer["result"])
        return
    rows = [
        [
            each["id"],
            each["version_id"],
            show.when(each["created_on"]),
            show.when(each["modified_on"]),
            show.status(each["status"]),
        ]
        for each in answer["result"]
    ]
    heads = ["Instance ID", "Version", "Created (UTC)", "Modified (UTC)", "Status"]
    show.page(answer["result_info"], "instance")
    show.table(heads, rows, otherwise=show.nothing_on(answer["result_info"], "no instances"))


@instances.command()
@click.argument("name")
@click.argument("id", default=LATEST)
@click.option("--step-output/--no-step-output", default=True, help="Whether to show what steps returned.")
@click.option("--truncate-output-limit", default=5000, type=Whole(0), help="Characters shown of an output.")
@port_option
@json_option
def describe(
    name: str, id: str, step_output: bool, truncate_output_limit: int, port: int | None, as_json: bool
) -> None:
    """
    An instance with its steps and their attempts. The latest if no ID is given.

    Example: emulator workflows instances describe order latest
    """
    remote = Remote(port)
    id = resolved(remote, name, id)
    found = _ask(remote, "GET", name, id)
    if as_json:
        show.data({"id": id, **found})
        return
    now = remote.call("GET", "/cdn-cgi/local/clock")["now"]
    describe_instance(name, id, found, limit=truncate_output_limit if step_output else None, now=now)


@instances.command()
@_of_instance
def pause(name: str, id: str, port: int | None, as_json: bool) -> None:
    """
    Let the steps under way finish, then stand still.

    Example: emulator workflows instances pause order latest
    """
    _change(port, name, id, {"status": "pause"}, "paused", as_json=as_json)


@instances.command()
@_of_instance
def resume(name: str, id: str, port: int | None, as_json: bool) -> None:
    """
    Go on after a pause.

    Example: emulator workflows instances resume order latest
    """
    _change(port, name, id, {"status": "resume"}, "resumed", as_json=as_json)


@instances.command()
@click.option("--rollback", is_flag=True, help="Run the rollback handlers of its steps first.")
@_of_instance
def terminate(name: str, id: str, rollback: bool, port: int | None, as_json: bool) -> None:
    """
    Stop an instance for good.

    Example: emulator workflows instances terminate order latest --rollback
    """
    body = {"status": "terminate", **({"rollback": True} if rollback else {})}
    _change(port, name, id, body, "terminated", as_json=as_json)


@instances.command()
@click.option("--from-step-name", default=None, help="Keep what came before this step, and go on from there.")
@click.option("--from-step-count", default=None, type=Whole(1), help="The how-manieth step of that name; 1.")
@click.option(
    "--from-step-type", default=None, type=click.Choice(["do", "sleep", "waitForEvent"]), help="Its kind; do."
)
@_of_instance
def restart(
    name: str,
    id: str,
    from_step_name: str | None,
    from_step_count: int | None,
    from_step_type: str | None,
    port: int | None,
    as_json: bool,
) -> None:
    """
    Begin again with the same params. From a step on, if one is named.

    Example: emulator workflows instances restart order latest --from-step-name charge
    """
    more = {"count": from_step_count, "type": from_step_type}
    given = {key: value for key, value in more.items() if value is not None}
    if given and from_step_name is None:
        raise click.UsageError("--from-step-count and --from-step-type go with --from-step-name")
    body: dict[str, Any] = {"status": "restart"}
    if from_step_name is not None:
        body["from"] = {"name": from_step_name, **given}
    with in_options(_FROM):
        _change(port, name, id, body, "restarted", as_json=as_json)


@instances.command("send-event")
@click.option("--type", "event_type", required=True, help="The type that the workflow waits for.")
@click.option("--payload", default="{}", metavar="JSON", help="What it receives; {} if left out.")
@_of_instance
def send_event(name: str, id: str, event_type: str, payload: str, port: int | None, as_json: bool) -> None:
    """
    Send an event to an instance.

    Example: emulator workflows instances send-event order latest --type approval --payload '{"by": "ann"}'
    """
    remote = Remote(port)
    id = resolved(remote, name, id)
    body = json_of(payload, "--payload takes JSON")
    sent = _ask(remote, "POST", name, id, "events", event_type, body=body)
    if as_json:
        show.data(sent)
        return
    show.line(f'event "{event_type}" was sent to "{id}" of {name}')


@instances.command()
@click.argument("name")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--filename", default=None, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A JSON list of ids."
)
@port_option
@json_option
def delete(name: str, ids: tuple[str, ...], filename: Path | None, port: int | None, as_json: bool) -> None:
    """
    Stop instances and forget them; up to 100 at once.

    Example: emulator workflows instances delete order order-1 order-2
    """
    remote = Remote(port)
    wanted = [*(resolved(remote, name, id) for id in ids), *listed_in(filename)]
    if not wanted:
        raise click.UsageError("say which: one or more ids, or --filename")
    found = remote.api("POST", path_of("workflows", name, "instances", "batch", "delete"), {"instances": wanted})
    if as_json:
        show.data(found)
    elif found["deleted"]:
        show.line(f"deleted {', '.join(each['id'] for each in found['deleted'])}")
    if found["errors"]:
        raise EmulatorError(f"not there: {', '.join(each['id'] for each in found['errors'])}")


@instances.command("terminate-all")
@click.argument("name")
@click.option("--status", default=None, type=click.Choice(_UNFINISHED), help="Only those in this status.")
@port_option
@json_option
def terminate_all(name: str, status: str | None, port: int | None, as_json: bool) -> None:
    """
    Stop all instances of a workflow that are not over.

    Example: emulator workflows instances terminate-all order --status waiting
    """
    remote = Remote(port)
    there = remote.api("GET", path_of("workflows", name))["instances"]
    done = remote.api("PUT", path_of("workflows", name, "instances", "terminate"), query={"status": status})
    if as_json:
        show.data(done)
        return
    count = sum(there.get(each, 0) for each in ([status] if status else _UNFINISHED))
    show.line(f"{show.counted(count, 'instance')} of {name} terminated")


def _change(port: int | None, name: str, id: str, body: dict[str, Any], done: str, *, as_json: bool) -> None:
    remote = Remote(port)
    id = resolved(remote, name, id)
    found = _ask(remote, "PATCH", name, id, "status", body=body)
    if as_json:
        show.data({"id": id, **found})
        return
    show.line(f'instance "{id}" of {name} was {done}')


def _ask(remote: Remote, method: str, name: str, id: str, *more: str, body: Any = NOTHING) -> Any:
    """What the API answers about an instance. Raises EmulatorError that names it where it is not there."""
    try:
        return remote.api(method, path_of("workflows", name, "instances", id, *more), body)
    except NoInstance as error:
        raise EmulatorError(f'instance "{id}" of {name} does not exist') from error
