"""Ids of instances as they are typed: whole, `latest`, the beginning of one, or a file of many."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import click

from emulator.cli.options import json_of
from emulator.cli.remote import Remote, path_of
from emulator.errors import EmulatorError

LATEST = "latest"
# Of ids that were made up by themselves only: "order-1" must never mean order-12.
_BEGINNING = re.compile(r"[0-9a-f-]{6,35}")
_WHOLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def resolved(remote: Remote, workflow: str, id: str) -> str:
    """The id that is meant. Raises EmulatorError for the latest of none, and for a beginning that several share."""
    if id != LATEST:
        return _completed(remote, workflow, id) if _BEGINNING.fullmatch(id) else id
    found = remote.api("GET", path_of("workflows", workflow, "instances"), query={"per_page": 1})
    if not found:
        raise EmulatorError(f"{workflow} has no instances")
    return str(found[0]["id"])


def listed_in(file: Path | None) -> list[str]:
    """The ids of a JSON file; none without one. Raises UsageError for a file of anything else."""
    if file is None:
        return []
    found = json_of(file.read_text("utf-8"), "--filename takes JSON")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise click.UsageError(f"{file} is no JSON list of ids")
    return found


def _completed(remote: Remote, workflow: str, id: str) -> str:
    """The one id that begins so; the same where none does."""
    ids = list(_all(remote, workflow))
    found = [each for each in ids if each.startswith(id) and _WHOLE.fullmatch(each)]
    if id in ids or not found:
        return id
    if len(found) > 1:
        several = ", ".join(found)
        raise EmulatorError(f'"{id}" begins several ids of {workflow}: {several}; give more of the one you mean')
    return found[0]


def _all(remote: Remote, workflow: str) -> Iterator[str]:
    for page in itertools.count(1):
        query = {"page": page, "per_page": 100}
        found = remote.api("GET", path_of("workflows", workflow, "instances"), query=query)
        yield from (str(each["id"]) for each in found)
        if len(found) < 100:
            return
