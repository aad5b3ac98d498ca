"""What stands in env under which name: the bindings we do not emulate, and whether all names differ."""

from __future__ import annotations

import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from emulator.config import families, keys
from emulator.config.environments import Scope
from emulator.config.families import Family
from emulator.config.model import Config, Service, Unsupported
from emulator.config.node import Node
from emulator.config.report import Report, Way, shown

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Name:
    """A name in env, what it is, and where the config says so."""

    name: str
    kind: str
    way: Way


def services(own: Node) -> tuple[Service, ...]:
    """Bindings to other workers. Keys we do not know are left alone, as the platform's tools do."""
    return tuple(map(_service, own.tables("services")))


def _service(row: Node) -> Service:
    for key, shape in families.SERVICE.items():
        shape(row, key)
    props = row.value.get("props")
    return Service(
        binding=_text(row, "binding"),
        service=_text(row, "service"),
        entrypoint=_text(row, "entrypoint") or None,
        environment=_text(row, "environment") or None,
        props=props if isinstance(props, dict) else {},
    )


def unsupported(scope: Scope) -> Iterator[Name]:
    """Every binding that we read and do not emulate."""
    for family in families.LISTS:
        yield from _named(scope.own.tables(family.key), family)
    for family in families.SINGLE:
        yield from _named(_one(scope.own.table(family.key)), family)
    for family in families.NESTED:
        owner = scope.of(family.key) if family.key in keys.INHERITED else scope.own
        for table in _one(owner.table(family.key)):
            yield from _named(_inner(table, family), family)
    for family in families.BLOBS:
        for table in _one(scope.top.table(family.key)):
            yield from (Name(name, family.kind, (*table.way, name)) for name in table.value if table.text(name))


def _inner(table: Node, family: Family) -> list[Node]:
    """The bindings of a table that has them one level down."""
    table.only(family.beside)
    if "bindings" not in table and family.key == "durable_objects":
        table.report.missing((*table.way, "bindings"), "list the bindings, [[durable_objects.bindings]] in TOML")
    return table.tables("bindings")


def _one(table: Node | None) -> list[Node]:
    return [] if table is None else [table]


def _named(rows: Sequence[Node], family: Family) -> Iterator[Name]:
    for row in rows:
        if not family.is_open:
            row.only((family.name, *family.fields))
        name = row.need(family.name)
        for key, shape in family.fields.items():
            shape(row, key)
        _check_more(row, family.key)
        if name:
            yield Name(name, family.kind, (*row.way, family.name))


def _check_more(row: Node, key: str) -> None:
    """What no single key says."""
    match key:
        case "r2_buckets":
            for each in ("bucket_name", "preview_bucket_name"):
                _check_bucket(row, each)
        case "durable_objects":
            if "environment" in row and "script_name" not in row:
                row.error("says nothing without script_name; add it", "environment")
        case "send_email":
            if "destination_address" in row and "allowed_destination_addresses" in row:
                row.error("either this or allowed_destination_addresses; keep one", "destination_address")
        case _:
            pass


def _check_bucket(row: Node, key: str) -> None:
    found = row.value.get(key)
    if isinstance(found, str) and not _BUCKET.fullmatch(found):
        row.error(
            f"expected 3 to 63 lower-case letters, digits and hyphens, no hyphen at an end; got {shown(found)}", key
        )


def names(scope: Scope, config: Config) -> list[Name]:
    """Every name in env, for what is emulated and what is not."""
    own = scope.own.way
    found = list(unsupported(scope))
    found += [Name(w.binding, "Workflow", (*own, "workflows", i, "binding")) for i, w in enumerate(config.workflows)]
    found += [Name(s.binding, "Service", (*own, "services", i, "binding")) for i, s in enumerate(config.services)]
    found += [
        Name(p.binding, "Queue", (*own, "queues", "producers", i, "binding")) for i, p in enumerate(config.producers)
    ]
    if config.assets is not None and config.assets.binding:
        found.append(Name(config.assets.binding, "Assets", (*scope.of("assets").way, "assets", "binding")))
    return [name for name in found if name.name]


def not_emulated(names: Iterable[Name]) -> tuple[Unsupported, ...]:
    """All but what env answers, and services, which have a list of their own."""
    ours = ("Workflow", "Service", "Queue", "Assets")
    return tuple(Unsupported(binding=each.name, kind=each.kind) for each in names if each.kind not in ours)


def check_names(names: Sequence[Name], plain: Sequence[Name], report: Report) -> None:
    """Names must differ; those of bindings should be Python names. `plain` are variables and secrets."""
    for each in names:
        if not each.name.isidentifier() or keyword.iskeyword(each.name):
            report.warn(each.way, f"env.{each.name} cannot be written in Python; use letters, digits and _")
    by_name: defaultdict[str, list[Name]] = defaultdict(list)
    for each in (*plain, *names):
        by_name[each.name].append(each)
    for name, same in by_name.items():
        if len(same) > 1:
            report.error(same[-1].way, f'"{name}" is the name of several bindings: {_listed(same)}; give each its own')


def _listed(same: Sequence[Name]) -> str:
    counts = Counter(each.kind for each in same)
    return " and ".join(kind if count == 1 else f"{kind} ({count} times)" for kind, count in counts.items())


def _text(row: Node, key: str) -> str:
    found = row.value.get(key)
    return found if isinstance(found, str) else ""
