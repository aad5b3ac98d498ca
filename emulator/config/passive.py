"""Keys that change nothing on this machine. They are checked, so that a mistake in one shows before a deploy."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.config import keys
from emulator.config.environments import Scope
from emulator.config.node import (
    Node,
    Shape,
    anything,
    one_of,
    open_table,
    table,
    tables,
    text_table,
    whole,
)
from emulator.config.report import shown


def account(node: Node, key: str) -> None:
    if node.text(key) == "":
        node.warn("empty, and so ignored", key)


def build(node: Node, key: str) -> None:
    found = node.table(key)
    if found is None:
        return
    found.only(("command", "cwd", "watch_dir"))
    found.text("cwd")
    if found.text("command"):
        found.warn("is not run here; run it yourself before you start", "command")
    if not isinstance(found.value.get("watch_dir", ""), str):
        found.texts("watch_dir")


def exports(node: Node, key: str) -> None:
    found = node.table(key)
    if found is None:
        return
    for name in found.value:
        table(_EXPORT)(found, name)
    kinds = [each.get("type") for each in found.value.values() if isinstance(each, dict)]
    if "durable-object" in kinds and node.value.get("migrations"):
        node.error("durable objects stand either in exports or in migrations; keep one", key)


def connect(node: Node, key: str) -> None:
    tables({"address": Node.text, "port": whole(1, 65_535), "protocol": one_of("tcp")})(node, key)
    seen: list[tuple[object, object]] = []
    for row in node.tables(key):
        place = (row.value.get("protocol"), row.value.get("port"))
        if place in seen:
            row.error(f"port {shown(place[1])} is taken by an entry above", "port")
        seen.append(place)


def streaming_tails(node: Node, key: str) -> None:
    for row in node.tables(key):
        row.check({"service": Node.need})
    if key in node:
        node.warn("is not emulated: no tailStream() is called; tail_consumers are", key)


def tail_consumers(own: Node) -> tuple[str, ...]:
    """The workers that are told what happened in this one."""
    found = own.value.get("tail_consumers")
    rows = found if isinstance(found, list) else []
    names = [row.get("service") for row in rows if isinstance(row, dict)]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def unsafe(node: Node, key: str) -> None:
    if node.table(key) is not None:
        node.warn("experimental on the platform, and nothing here", key)


_EXPORT: Mapping[str, Shape] = {
    "container": anything,
    "renamed_to": Node.text,
    "state": one_of("created", "deleted", "renamed", "transferred", "expecting-transfer"),
    "storage": one_of("sqlite", "legacy-kv"),
    "transfer_from": Node.text,
    "transferred_to": Node.text,
    "type": one_of("durable-object", "worker"),
}
_MIGRATION: Mapping[str, Shape] = {
    "deleted_classes": Node.texts,
    "new_classes": Node.texts,
    "new_sqlite_classes": Node.texts,
    "renamed_classes": tables({"from": Node.need, "to": Node.need}),
    "tag": Node.need,
    "transferred_classes": tables({"from": Node.need, "from_script": Node.need, "to": Node.need}),
}
_OBSERVABILITY: Mapping[str, Shape] = {
    "enabled": Node.flag,
    "head_sampling_rate": Node.number,
    "logs": open_table,
    "traces": open_table,
}
_SITE: Mapping[str, Shape] = {
    "bucket": Node.need,
    "entry-point": Node.text,
    "exclude": Node.texts,
    "include": Node.texts,
}

INHERITED: Mapping[str, Shape] = {
    "access": open_table,
    "account_id": account,
    "build": build,
    "cache": open_table,
    "compliance_region": one_of("public", "fedramp_high"),
    "exports": exports,
    "first_party_worker": Node.flag,
    "jsx_factory": Node.text,
    "jsx_fragment": Node.text,
    "keep_names": Node.flag,
    "limits": table({"cpu_ms": Node.number, "subrequests": Node.number}),
    "logpush": Node.flag,
    "migrations": tables(_MIGRATION),
    "minify": Node.flag,
    "no_bundle": Node.flag,
    "observability": table(_OBSERVABILITY),
    "placement": open_table,
    "preserve_file_names": Node.flag,
    "preview_urls": Node.flag,
    "previews": open_table,
    "python_modules": table({"exclude": Node.texts}),
    "tsconfig": Node.text,
    "upload_source_maps": Node.flag,
    "workers_dev": Node.flag,
}
OWN: Mapping[str, Shape] = {
    "cloudchamber": open_table,
    "connect": connect,
    "containers": Node.tables,
    "define": text_table,
    "streaming_tail_consumers": streaming_tails,
    "tail_consumers": tables({"environment": Node.text, "service": Node.need}),
    "unsafe": unsafe,
}
TOP: Mapping[str, Shape] = {
    "$schema": Node.text,
    "addresses": Node.texts,
    "alias": text_table,
    "dependencies_instrumentation": open_table,
    "keep_vars": Node.flag,
    "pages_build_output_dir": Node.text,
    "send_metrics": Node.flag,
    "site": table(_SITE),
}


def check(scope: Scope) -> None:
    """All of them, and the keys that nobody has."""
    scope.own.only({*keys.INHERITED, *keys.OWN, *keys.REMOVED, *(keys.TOP if scope.is_top else ())})
    for key, why in keys.REMOVED.items():
        if key in scope.own:
            scope.own.error(why, key)
    for key, shape in INHERITED.items():
        shape(scope.of(key), key)
    for key, shape in OWN.items():
        shape(scope.own, key)
    for key, shape in TOP.items():
        shape(scope.top, key)
