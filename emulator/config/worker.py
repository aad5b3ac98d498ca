"""One environment of a config, read whole into a Config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emulator.config import assets, basics, bindings, bundle, crons, dev, passive, queues, routes, variables, workflows
from emulator.config.bindings import Name
from emulator.config.environments import Scope
from emulator.config.model import Config


def parse(scope: Scope, path: Path) -> tuple[Config, set[str]]:
    """The worker as this environment has it, and the names of its bindings; the report takes what is wrong."""
    found = _read(scope, path)
    names = bindings.names(scope, found)
    bindings.check_names(names, _plain(scope, found), scope.top.report)
    passive.check(scope)
    if found.own_workflows and scope.is_served and not found.has_flag("python_workflows"):
        scope.own.warn('the platform asks for the flag "python_workflows", or a date from 2025-09-20 on', "workflows")
    return replace(found, unsupported=bindings.not_emulated(names)), {name.name for name in names}


def _read(scope: Scope, path: Path) -> Config:
    own, name = scope.own, basics.name(scope)
    producers, consumers = queues.parse(own)
    main = basics.main(scope, path.parent)
    plain = variables.plain(own)
    return Config(
        path=path,
        env=scope.env,
        name=name,
        main=main,
        module_root=bundle.base(scope, path.parent, main),
        bundle=bundle.parse(scope),
        compatibility_date=basics.compatibility_date(scope),
        flags=basics.compatibility_flags(scope),
        vars=plain,
        sources=dict.fromkeys(plain, path.name),
        required_secrets=variables.required(own) or (),
        workflows=workflows.parse(own, name),
        producers=producers,
        consumers=consumers,
        services=bindings.services(own),
        tail_consumers=passive.tail_consumers(own),
        crons=crons.triggers(scope),
        routes=routes.parse(scope),
        assets=assets.parse(scope, path.parent),
        dev=dev.parse(scope.top),
    )


def _plain(scope: Scope, found: Config) -> list[Name]:
    """The names of variables and secrets."""
    own = scope.own.way
    names = [Name(name, "variable", (*own, "vars", name)) for name in found.vars]
    return names + [Name(name, "secret", (*own, "secrets", "required")) for name in found.required_secrets]
