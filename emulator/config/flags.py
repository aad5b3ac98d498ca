"""Which compatibility flags are on, by name or by date. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """
    A flag that later dates switch on (`since`; None: never by itself), and the name that switches it off.

    `works` is for those that change something here.
    """

    name: str
    since: str | None
    off: str | None = None
    works: bool = False


FLAGS = (
    Flag("assets_navigation_prefers_asset_serving", "2025-04-01", "assets_navigation_has_no_effect", works=True),
    Flag("d1_binding_jsrpc", None),
    Flag("enable_python_external_sdk", "2026-04-21", "disable_python_external_sdk"),
    Flag("python_check_rng_state", "2025-12-16", "disable_python_check_rng_state"),
    Flag("python_dedicated_snapshot", "2025-10-16", "disable_python_dedicated_snapshot"),
    Flag("python_no_global_handlers", "2025-08-14", "disable_python_no_global_handlers", works=True),
    Flag("python_process_pth_files", "2026-05-26", "disable_python_process_pth_files"),
    Flag(
        "python_request_headers_preserve_commas",
        "2026-02-17",
        "disable_python_request_headers_preserve_commas",
        works=True,
    ),
    Flag("python_workers", None, works=True),
    Flag("python_workers_20250116", "2025-09-29"),
    Flag("python_workers_20260610", "2026-09-08"),
    Flag("python_workers_314", "2026-09-08"),
    Flag("python_workers_force_new_vendor_path", "2025-08-11", works=True),
    Flag("python_workflows", "2025-09-20", "disable_python_workflows", works=True),
    Flag(
        "python_workflows_implicit_dependencies", "2026-02-25", "no_python_workflows_implicit_dependencies", works=True
    ),
    Flag("queue_consumer_no_wait_for_wait_until", None, works=True),
    Flag("queue_expose_error_codes", "2026-03-12", "no_queue_expose_error_codes"),
    Flag("queues_json_messages", "2024-03-18", "no_queues_json_messages", works=True),
    Flag("service_binding_extra_handlers", None, works=True),
    Flag("unwrap_custom_thenables", None),
    Flag("workflows_step_rollback", None),
)

_BY_NAME = {flag.name: flag for flag in FLAGS}


def is_on(name: str, listed: Collection[str], date: str) -> bool:
    """Whether a flag is on for a worker that lists these flags and this date. A flag we do not know is on if listed."""
    flag = _BY_NAME.get(name, Flag(name, None))
    if flag.off is not None and flag.off in listed:
        return False
    return name in listed or (flag.since is not None and date >= flag.since)


def without_effect(listed: Collection[str]) -> list[str]:
    """Of these flags those that change nothing here, whether we know them or not."""
    working = {name for flag in FLAGS if flag.works for name in (flag.name, flag.off)}
    return [name for name in listed if name not in working]
