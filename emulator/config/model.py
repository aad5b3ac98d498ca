"""What a config says, as frozen nouns: the worker, its bindings, its triggers, and how to serve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from emulator.bundle import Bundle
from emulator.config import flags as known_flags
from emulator.errors import Problem

# What is loaded for a project without a main module.
NO_CODE = Path(__file__).parent / "no_code" / "entry.py"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow binding. `script_name` is the worker that runs it, where that is another one."""

    binding: str
    name: str
    class_name: str
    script_name: str | None = None
    step_limit: int | None = None
    schedules: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Producer:
    """A binding that sends to a queue; the delay of its messages is in seconds."""

    binding: str
    queue: str
    delivery_delay: int | None = None


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """How this worker takes messages from a queue."""

    queue: str
    type: str = "worker"
    max_batch_size: int = 10
    max_batch_timeout: timedelta = timedelta(seconds=5)
    max_retries: int = 3
    retry_delay: timedelta | None = None
    dead_letter_queue: str | None = None
    max_concurrency: int | None = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """A binding to another worker, or to a class of it."""

    binding: str
    service: str
    entrypoint: str | None = None
    environment: str | None = None
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """A binding that we read and do not emulate; `kind` in the platform's words."""

    binding: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Assets:
    """Static files beside the worker."""

    directory: Path | None = None
    binding: str | None = None
    html_handling: str = "auto-trailing-slash"
    not_found_handling: str = "none"
    run_worker_first: bool | tuple[str, ...] = False


@dataclass(frozen=True, kw_only=True)
class Dev:
    """How the config wants to be served; the command line may say otherwise."""

    ip: str | None = None
    port: int | None = None
    local_protocol: str = "http"
    upstream_protocol: str = "http"
    host: str | None = None
    inspector_port: int | None = None
    inspector_ip: str | None = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """A pattern under which the deployed worker is reached."""

    pattern: str
    zone_name: str | None = None
    zone_id: str | None = None
    custom_domain: bool = False

    @property
    def host(self) -> str:
        """The host of the pattern, without scheme, port and path."""
        return self.pattern.split("://")[-1].split("/")[0].split(":")[0]


@dataclass(frozen=True, kw_only=True)
class Config:
    """
    All that a config file, its environment, the files of secrets and the command line say together.

    `module_root` is the folder that the worker's modules are imported from, `bundle` tells which files go with them.
    `sources` tells which of them gave each variable its value, `files` all that were read or would be, `not_inherited`
    the bindings that the top level has and this environment lacks.
    """

    path: Path
    name: str
    main: Path
    module_root: Path
    compatibility_date: str
    bundle: Bundle = field(default_factory=Bundle)
    env: str | None = None
    flags: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    required_secrets: tuple[str, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    producers: tuple[Producer, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    services: tuple[Service, ...] = ()
    tail_consumers: tuple[str, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    not_inherited: tuple[str, ...] = ()
    crons: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    assets: Assets | None = None
    dev: Dev = field(default_factory=Dev)
    files: tuple[Path, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def root(self) -> Path:
        """The folder of the config."""
        return self.path.parent

    @property
    def has_code(self) -> bool:
        """Whether there is a worker, and not just assets."""
        return self.main != NO_CODE

    @property
    def own_workflows(self) -> tuple[Workflow, ...]:
        """Those that this worker runs itself."""
        return tuple(each for each in self.workflows if each.script_name in (None, self.name))

    @property
    def secret_names(self) -> dict[str, list[str]]:
        """The variables whose value does not stand in the config, by where it comes from."""
        found: dict[str, list[str]] = {}
        for name, source in self.sources.items():
            if source != self.path.name:
                found.setdefault(source, []).append(name)
        return found

    def has_flag(self, name: str) -> bool:
        """Whether a compatibility flag is on: listed, or by default since a date, and not switched off."""
        return known_flags.is_on(name, self.flags, self.compatibility_date)
