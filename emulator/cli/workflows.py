"""`emulator workflows`: list, describe, trigger, delete, graph; and the instances below them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emulator.cli import show
from emulator.cli.instances import instances
from emulator.cli.options import (
    config_option,
    env_option,
    found_configs,
    in_options,
    json_of,
    json_option,
    module,
    port_option,
)
from emulator.cli.remote import Remote, path_of
from emulator.cli.whole import Whole
from emulator.errors import EmulatorError

_ID = {"body.instance_id:": "--id:", "instance_id:": "--id:"}
_RULE_OF_PARAMS = """PARAMS are JSON, such as '{"sku": "tea"}'"""


@click.group()
def workflows() -> None:
    """Workflows and their instances, as wrangler has them."""


workflows.add_command(instances)


@workflows.command("list")
@click.option("--page", default=1, type=Whole(1), help="Which page.")
@click.option("--per-page", default=10, type=Whole(1, 100), help="How many on a page, 1 to 100.")
@port_option
@json_option
def list_workflows(page: int, per_page: int, port: int | None, as_json: bool) -> None:
    """
    The workflows of what is served.

    Example: emulator workflows list
    """
    answer = Remote(port).page("GET", "/workflows", query={"page": page, "per_page": per_page})
    if as_json:
        show.data(answer["result"])
        return
    rows = [
        [
            each["name"],
            each["script_name"],
            each["class_name"],
            show.when(each["created_on"]),
            show.when(each["modified_on"]),
            str(_total(each)),
        ]
        for each in answer["result"]
    ]
    heads = ["Name", "Script name", "Class name", "Created (UTC)", "Modified (UTC)", "Instances"]
    show.page(answer["result_info"], "workflow")
    otherwise = show.nothing_on(answer["result_info"], "no workflows", "; write [[workflows]] into the config")
    show.table(heads, rows, otherwise=otherwise)


@workflows.command()
@click.argument("name")
@port_option
@json_option
def describe(name: str, port: int | None, as_json: bool) -> None:
    """
    One workflow: its class, its versions, its instances by status.

    Example: emulator workflows describe order
    """
    remote = Remote(port)
    found = remote.api("GET", path_of("workflows", name))
    latest = remote.api("GET", path_of("workflows", name, "versions"), query={"per_page": 1})[0]
    if as_json:
        show.data({**found, "latest_version": latest})
        return
    _describe(found, latest)


@workflows.command()
@click.argument("name")
@click.argument("params", required=False)
@click.option("--id", default=None, help="The id of the instance; a new one if left out.")
@port_option
@json_option
def trigger(name: str, params: str | None, id: str | None, port: int | None, as_json: bool) -> None:
    """
    Create an instance; PARAMS are JSON.

    Example: emulator workflows trigger order '{"sku": "tea"}' --id order-1
    """
    body: dict[str, Any] = {} if params is None else {"params": json_of(params, _RULE_OF_PARAMS)}
    if id is not None:
        body["instance_id"] = id
    with in_options(_ID):
        made = Remote(port).api("POST", path_of("workflows", name, "instances"), body)
    if as_json:
        show.data(made)
        return
    show.line(f'instance "{made["id"]}" of {name} has been queued')


@workflows.command()
@click.argument("name")
@port_option
@json_option
def delete(name: str, port: int | None, as_json: bool) -> None:
    """
    Stop and forget all instances of a workflow.

    Example: emulator workflows delete order
    """
    done = Remote(port).api("DELETE", path_of("workflows", name))
    if as_json:
        show.data(done)
        return
    show.line(f"the instances of {name} are gone; the workflow itself stands in the config")


@workflows.command()
@click.argument("name")
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart.")
@config_option
@env_option
@json_option
def graph(name: str, mermaid: bool, configs: tuple[Path, ...], env: str | None, as_json: bool) -> None:
    """
    The steps of a workflow, read from its source. Nothing runs for it, and no emulator is needed.

    Example: emulator workflows graph order --mermaid
    """
    graphs = module("emulator.graph")
    found = _graph(name, found_configs(configs), env)
    if as_json:
        show.data(graphs.as_rest(found))
        return
    click.echo(graphs.as_mermaid(found) if mermaid else graphs.as_outline(found), nl=False)


def _describe(found: Any, latest: Any) -> None:
    show.block(
        [
            ("Name", found["name"]),
            ("Id", found["id"]),
            ("Script Name", found["script_name"]),
            ("Class Name", found["class_name"]),
            ("Created On", show.when(found["created_on"])),
            ("Modified On", show.when(found["modified_on"])),
            *((f"Next of {each['cron']}", show.when(each["next_instance"])) for each in found.get("schedules", ())),
        ]
    )
    show.line("Latest Version:")
    show.block(
        [
            ("Id", latest["id"]),
            ("Created On", show.when(latest["created_on"])),
            ("Modified On", show.when(latest["modified_on"])),
        ],
        indent=2,
    )
    counts = [(show.status(word), str(count)) for word, count in found["instances"].items() if count]
    show.line("Instances:" if counts else "Instances: none yet")
    show.block(counts, indent=2)


def _graph(name: str, configs: tuple[Path, ...], env: str | None) -> Any:
    loaded = [module("emulator.config").load(path, env=env, variables={}) for path in configs]
    for config in loaded:
        for each in config.own_workflows:
            if each.name == name:
                return _read(config, each.class_name)
    names = ", ".join(each.name for config in loaded for each in config.workflows) or "none"
    raise EmulatorError(f'no workflow is called "{name}"; the config has {names}')


def _read(config: Any, class_name: str) -> Any:
    sources = module("emulator.graph.files").reachable(config.main, config.module_root)
    found = module("emulator.graph").read(sources, config.main, class_name)
    if found is None:
        raise EmulatorError(f"{config.main}: no class {class_name} with a method run is to be found from here")
    return found


def _total(workflow: Any) -> int:
    return sum(int(count) for count in workflow["instances"].values())
