"""The bindings that we read and do not emulate: under which key each kind stands, and what an entry has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.config.node import Node, Shape, anything, open_table, table


@dataclass(frozen=True)
class Family:
    """
    One kind of binding. `name` is the key with the name in env; an open family has keys that we do not know; `beside`
    are the keys of the table that has its bindings one level down.
    """

    key: str
    kind: str
    fields: Mapping[str, Shape] = field(default_factory=dict)
    name: str = "binding"
    is_open: bool = False
    beside: tuple[str, ...] = ("bindings",)


def some_text(node: Node, key: str) -> None:
    """Text that may be left out and may not be empty."""
    if key in node:
        node.need(key)


def window(node: Node, key: str) -> None:
    """The seconds of a rate limit."""
    if node.number(key) not in (10, 60, None):
        node.error("expected 10 or 60", key)


_PLUGIN: Mapping[str, Shape] = {"package": Node.text, "name": Node.text}
_S3: Mapping[str, Shape] = {"accessKeyId": Node.need, "secretAccessKey": Node.need}

SERVICE: Mapping[str, Shape] = {
    "binding": Node.need,
    "service": Node.need,
    "environment": Node.text,
    "entrypoint": Node.text,
    "props": open_table,
    "remote": Node.flag,
    "dev": table({"plugin": table(_PLUGIN), "options": open_table}),
}

# [[key]]: a list of entries.
LISTS = (
    Family("agent_memory", "Agent Memory", is_open=True),
    Family("ai_search", "AI Search instance", is_open=True),
    Family("ai_search_namespaces", "AI Search namespace", is_open=True),
    Family("analytics_engine_datasets", "Analytics Engine dataset", {"dataset": some_text}),
    Family("artifacts", "Artifacts", is_open=True),
    Family(
        "d1_databases",
        "D1 database",
        {
            "database_id": Node.text,
            "database_internal_env": Node.text,
            "database_name": Node.text,
            "migrations_dir": Node.text,
            "migrations_pattern": Node.text,
            "migrations_table": Node.text,
            "preview_database_id": Node.text,
            "remote": Node.flag,
        },
    ),
    Family(
        "dispatch_namespaces",
        "dispatch namespace",
        {"namespace": Node.need, "outbound": open_table, "remote": Node.flag},
    ),
    Family("flagship", "Flagship", is_open=True),
    Family("hyperdrive", "Hyperdrive config", {"id": Node.need, "localConnectionString": Node.text}),
    Family("kv_namespaces", "KV namespace", {"id": some_text, "preview_id": Node.text, "remote": Node.flag}),
    Family("mtls_certificates", "mTLS certificate", {"certificate_id": Node.need, "remote": Node.flag}),
    Family("pipelines", "Pipeline", {"pipeline": Node.text, "stream": Node.text, "remote": Node.flag}),
    Family(
        "r2_buckets",
        "R2 bucket",
        {
            "bucket_name": Node.text,
            "jurisdiction": Node.text,
            "local_dev": table({"experimental_s3_credentials": table(_S3)}),
            "preview_bucket_name": Node.text,
            "remote": Node.flag,
        },
    ),
    Family(
        "ratelimits",
        "Rate Limit",
        {"namespace_id": Node.need, "simple": table({"limit": Node.number, "period": window})},
        name="name",
    ),
    Family("secrets_store_secrets", "Secrets Store secret", {"store_id": Node.need, "secret_name": Node.need}),
    Family(
        "send_email",
        "Send Email",
        {
            "allowed_destination_addresses": Node.texts,
            "allowed_sender_addresses": Node.texts,
            "destination_address": Node.text,
            "remote": Node.flag,
        },
        name="name",
    ),
    Family("unsafe_hello_world", "Hello World", {"enable_timer": Node.flag}),
    Family("vectorize", "Vectorize index", {"index_name": Node.need, "remote": Node.flag}),
    Family("vpc_networks", "VPC network", is_open=True),
    Family("vpc_services", "VPC service", {"service_id": Node.need, "remote": Node.flag}),
    Family("worker_loaders", "Worker Loader"),
)

# [key] with `bindings` in it.
NESTED = (
    Family(
        "durable_objects",
        "Durable Object",
        {"class_name": Node.need, "script_name": Node.text, "environment": Node.text},
        name="name",
    ),
    Family("logfwdr", "logfwdr", {"destination": Node.need}, name="name"),
    Family(
        "unsafe",
        "unsafe",
        {"type": Node.need},
        name="name",
        is_open=True,
        beside=("bindings", "capnp", "metadata"),
    ),
)

# [key]: a single binding.
SINGLE = (
    Family("ai", "AI", {"remote": Node.flag, "staging": anything}),
    Family("browser", "Browser Rendering", {"remote": Node.flag}),
    Family("images", "Images", {"remote": Node.flag}),
    Family("media", "Media", {"remote": Node.flag}),
    Family("stream", "Stream", {"remote": Node.flag}),
    Family("version_metadata", "version metadata"),
    Family("websearch", "Web Search", is_open=True),
)

# [key] of the top level: name = "file".
BLOBS = (
    Family("data_blobs", "data blob"),
    Family("text_blobs", "text blob"),
    Family("wasm_modules", "Wasm module"),
)
