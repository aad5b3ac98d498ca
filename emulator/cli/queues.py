"""`emulator queues`: list, peek, send, purge, pause and resume their delivery."""

from __future__ import annotations

import json
from typing import Any

import click

from emulator.cli import show
from emulator.cli.options import confirmed, in_options, json_option, port_option
from emulator.cli.remote import Remote, path_of
from emulator.cli.whole import Whole
from emulator.errors import EmulatorError


@click.group()
def queues() -> None:
    """Queues and what they hold."""


@queues.command("list")
@port_option
@json_option
def list_queues(port: int | None, as_json: bool) -> None:
    """
    All queues: what is ready, delayed, and being delivered.

    Example: emulator queues list
    """
    found = Remote(port).call("GET", "/cdn-cgi/local/queues")
    if as_json:
        show.data(found)
        return
    heads = ["Name", "Ready", "Delayed", "In flight", "Consumer", "Dead letters go to"]
    rows = [
        [
            each["name"],
            str(each["ready"]),
            str(each["delayed"]),
            str(each["in_flight"]),
            _consumer(each),
            each["dead_letter_queue"] or "",
        ]
        for each in found
    ]
    show.table(heads, rows, otherwise="no queues; write [[queues.producers]] into the config")


@queues.command()
@click.argument("name")
@click.option("--limit", default=10, type=Whole(1, 100), help="How many messages, 1 to 100.")
@port_option
@json_option
def peek(name: str, limit: int, port: int | None, as_json: bool) -> None:
    """
    The messages at the head of a queue. They stay where they are.

    Example: emulator queues peek orders --limit 3
    """
    found = Remote(port).api("POST", path_of("queues", name, "messages", "peek"), {"batch_size": limit})["messages"]
    if as_json:
        show.data(found)
        return
    rows = [
        [each["id"], show.when(each["metadata"]["visible_at"]), str(each["attempts"]), _cut(each["body"])]
        for each in found
    ]
    show.table(["Id", "Ready (UTC)", "Attempts", "Body"], rows, otherwise=f"{name} holds no messages")


@queues.command()
@click.argument("name")
@click.argument("body")
@click.option(
    "--content-type", default="json", type=click.Choice(["json", "text"]), help="Whether BODY is JSON or plain text."
)
@click.option("--delay-seconds", default=None, type=Whole(0, 86_400), help="Deliver it that much later, at most 86400.")
@port_option
@json_option
def send(name: str, body: str, content_type: str, delay_seconds: int | None, port: int | None, as_json: bool) -> None:
    """
    Send a message.

    Example: emulator queues send orders '{"sku": "tea"}' --delay-seconds 5
    """
    message: dict[str, Any] = {"body": _body(body, content_type), "content_type": content_type}
    if delay_seconds is not None:
        message["delay_seconds"] = delay_seconds
    sent = Remote(port).api("POST", path_of("queues", name, "messages"), message)
    if as_json:
        show.data(sent)
        return
    show.line(f"sent to {name}")


@queues.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not ask.")
@port_option
def purge(name: str, force: bool, port: int | None) -> None:
    """
    Forget all messages of a queue.

    Example: emulator queues purge orders --force
    """
    remote = Remote(port)
    remote.api("GET", path_of("queues", name))
    if force or confirmed(f"forget all messages of {name}?", unasked="--force"):
        remote.api("POST", path_of("queues", name, "purge"), {"delete_messages_permanently": True})
        show.line(f"{name} is empty")


@queues.command("pause-delivery")
@click.argument("name")
@port_option
def pause_delivery(name: str, port: int | None) -> None:
    """
    Deliver nothing from a queue until it is resumed. A restart of the emulator resumes nothing.

    Example: emulator queues pause-delivery orders
    """
    _set_paused(port, name, True)
    show.line(f"{name} keeps what comes")


@queues.command("resume-delivery")
@click.argument("name")
@port_option
def resume_delivery(name: str, port: int | None) -> None:
    """
    Deliver from a queue again.

    Example: emulator queues resume-delivery orders
    """
    _set_paused(port, name, False)
    show.line(f"{name} is delivered again")


@queues.group()
def consumer() -> None:
    """Who takes a queue's messages."""


@consumer.group("http")
def over_http() -> None:
    """Those who pull messages over HTTP, and ack them."""


@over_http.command()
@click.argument("name")
@click.option("--batch-size", type=Whole(1, 100), help="How many messages a pull takes, 1 to 100; 5 if left out.")
@click.option("--message-retries", type=Whole(0, 100), help="How often a message comes again, 0 to 100; 3 if left out.")
@click.option("--dead-letter-queue", help="Where it goes then; it is dropped if left out.")
@click.option(
    "--visibility-timeout-secs",
    type=Whole(0, 43_200),
    help="How long a pull hides them, at most 43200; 30 if left out.",
)
@click.option(
    "--retry-delay-secs", type=Whole(0, 86_400), help="How long before they come again, at most 86400; 0 if left out."
)
@port_option
def add(
    name: str,
    batch_size: int | None,
    message_retries: int | None,
    dead_letter_queue: str | None,
    visibility_timeout_secs: int | None,
    retry_delay_secs: int | None,
    port: int | None,
) -> None:
    """
    Let a queue be pulled from over HTTP; also after a restart.

    Example: emulator queues consumer http add orders-dead --message-retries 5
    """
    hidden = None if visibility_timeout_secs is None else visibility_timeout_secs * 1000
    settings = {
        "batch_size": batch_size,
        "max_retries": message_retries,
        "visibility_timeout_ms": hidden,
        "retry_delay": retry_delay_secs,
    }
    body: dict[str, Any] = {"type": "http_pull", "settings": {k: v for k, v in settings.items() if v is not None}}
    if dead_letter_queue is not None:
        body["dead_letter_queue"] = dead_letter_queue
    with in_options({"body.dead_letter_queue:": "--dead-letter-queue:"}):
        Remote(port).api("POST", path_of("queues", name, "consumers"), body)
    show.line(f"{name} can be pulled from")


@over_http.command()
@click.argument("name")
@port_option
def remove(name: str, port: int | None) -> None:
    """
    Let a queue be pulled from no more; its messages stay.

    Example: emulator queues consumer http remove orders-dead
    """
    remote, consumers = Remote(port), path_of("queues", name, "consumers")
    pulls = [each for each in remote.api("GET", consumers) if each["type"] == "http_pull"]
    if not pulls:
        raise EmulatorError(f"{name} has no pull consumer")
    remote.api("DELETE", consumers + path_of(pulls[0]["consumer_id"]))
    show.line(f"{name} can be pulled from no more")


def _set_paused(port: int | None, name: str, paused: bool) -> None:
    Remote(port).api("PATCH", path_of("queues", name), {"settings": {"delivery_paused": paused}})


def _body(text: str, content_type: str) -> Any:
    if content_type == "text":
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"BODY is JSON ({error}); for plain text say --content-type text") from error


def _consumer(queue: dict[str, Any]) -> str:
    taking = [*queue["consumers"], *(["HTTP pull"] if queue["is_pulled"] else [])]
    names = ", ".join(taking) or ("dead letters" if queue["is_dead_letter_queue"] else "none")
    return f"{names} (paused)" if queue["paused"] else names


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:59]}…"
