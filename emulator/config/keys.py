"""The keys a worker has, by how environments treat them. Pure data."""

from __future__ import annotations

# An environment that lacks one of these has the value of the top level.
INHERITED = frozenset(
    {
        "access",
        "account_id",
        "assets",
        "base_dir",
        "build",
        "cache",
        "compatibility_date",
        "compatibility_flags",
        "compliance_region",
        "exports",
        "find_additional_modules",
        "first_party_worker",
        "jsx_factory",
        "jsx_fragment",
        "keep_names",
        "limits",
        "logfwdr",
        "logpush",
        "main",
        "migrations",
        "minify",
        "name",
        "no_bundle",
        "observability",
        "placement",
        "preserve_file_names",
        "preview_urls",
        "previews",
        "python_modules",
        "route",
        "routes",
        "rules",
        "triggers",
        "tsconfig",
        "upload_source_maps",
        "workers_dev",
    }
)

# An environment that lacks one of these has none.
OWN = frozenset(
    {
        "agent_memory",
        "ai",
        "ai_search",
        "ai_search_namespaces",
        "analytics_engine_datasets",
        "artifacts",
        "browser",
        "cloudchamber",
        "connect",
        "containers",
        "d1_databases",
        "define",
        "dispatch_namespaces",
        "durable_objects",
        "flagship",
        "hyperdrive",
        "images",
        "kv_namespaces",
        "media",
        "mtls_certificates",
        "pipelines",
        "queues",
        "r2_buckets",
        "ratelimits",
        "secrets",
        "secrets_store_secrets",
        "send_email",
        "services",
        "stream",
        "streaming_tail_consumers",
        "tail_consumers",
        "unsafe",
        "unsafe_hello_world",
        "vars",
        "vectorize",
        "version_metadata",
        "vpc_networks",
        "vpc_services",
        "websearch",
        "worker_loaders",
        "workflows",
    }
)

# These stand at the top of the file or nowhere.
TOP = frozenset(
    {
        "$schema",
        "addresses",
        "alias",
        "data_blobs",
        "dependencies_instrumentation",
        "dev",
        "env",
        "keep_vars",
        "pages_build_output_dir",
        "send_metrics",
        "site",
        "text_blobs",
        "wasm_modules",
    }
)

# The platform's tools refuse these.
REMOVED = {
    "legacy_env": "environments are always workers of their own now; remove the key",
    "node_compat": "it has been removed; Python workers do not need it",
}

ALL = INHERITED | OWN | TOP
