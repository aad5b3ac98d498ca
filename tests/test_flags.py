"""Compatibility flags: what each does when it is on, off, or switched on by its date."""

import json
from datetime import date, timedelta

import pytest
from support import HELLO

from emulator.config.flags import FLAGS, is_on, without_effect

WORKS = [flag for flag in FLAGS if flag.works]

CODE = """
from datetime import datetime
import _cloudflare_compat_flags
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

at_import = _cloudflare_compat_flags.queues_json_messages

class Default(WorkerEntrypoint):
    def on_fetch(self, request):
        return Response("on_fetch")

    async def fetch(self, request):
        if request.url.endswith("/headers"):
            return Response.json(request.headers.get_all("accept"))
        if request.url.endswith("/send"):
            await self.env.ORDERS.send({"at": datetime(2026, 1, 2)})
            await self.env.ORDERS.sendBatch([{"body": datetime(2026, 1, 2)}])
        if request.url.endswith("/flags"):
            module = _cloudflare_compat_flags
            return Response.json([at_import, module.queues_json_messages, module.no_such_flag])
        return Response("hello")

class Flow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("one", [])
        async def one():
            return 1

        return await one()
"""
CONFIG = """
[[queues.producers]]
queue = "orders"
binding = "ORDERS"

[[workflows]]
binding = "FLOW"
name = "flow"
class_name = "Flow"
"""


@pytest.fixture
def serve(emu):
    """Start the worker with these flags, at this date."""

    async def start(*flags, date="2026-06-01", code=CODE, config=CONFIG):
        listed = json.dumps(["python_workers", *flags])
        emu.config = emu.config.replace('["python_workers"]', listed).replace("2026-06-01", date)
        return await emu.start(code, config=config)

    return start


def ways(name, off=None):
    """On by name and by date, off by name and by date."""
    flag = next(flag for flag in FLAGS if flag.name == name)
    before = str(date.fromisoformat(flag.since) - timedelta(days=1))
    return pytest.mark.parametrize(
        ("listed", "date", "on"),
        [
            pytest.param([], flag.since, True, id="by its date"),
            pytest.param([], before, False, id="the day before"),
            pytest.param([name], before, True, id="by name"),
            *([pytest.param([flag.off], "2026-06-01", False, id="switched off")] if flag.off else []),
        ],
    )


@ways("queues_json_messages")
async def test_queues_json_messages(serve, listed, date, on):
    """
    Messages are JSON where they do not say what they are; before that they are copies, with dates and all.
    """
    emu = await serve(*listed, date=date)
    await emu.get("/send")

    assert ["json" if on else "v8"] * 2 == [each.content_type for each in emu.emulator.broker.peek("orders")]


@ways("python_request_headers_preserve_commas")
async def test_python_request_headers_preserve_commas(serve, listed, date, on):
    """
    A header's value stays whole; before that each part of it was a header of its own.
    """
    answer = await (await serve(*listed, date=date)).get("/headers", headers={"accept": "text/html, text/plain;q=0.5"})

    assert (["text/html, text/plain;q=0.5"] if on else ["text/html", "text/plain;q=0.5"]) == answer.json


@ways("python_no_global_handlers")
async def test_python_no_global_handlers(serve, listed, date, on):
    """
    A method `on_fetch` is no handler any more.
    """
    code = CODE.replace("def fetch(", "def other(")
    answer = await (await serve(*listed, date=date, code=code)).get("/")

    assert ("its on_fetch is for older dates" in answer.text) is on
    assert ("on_fetch" == answer.text) is not on


@ways("python_workflows_implicit_dependencies")
async def test_python_workflows_implicit_dependencies(serve, listed, date, on):
    """
    Steps take no list of what they depend on any more.
    """
    emu = await serve(*listed, date=date)
    flow = await emu.create("flow")

    assert ("errored" if on else "complete") == flow.status


@ways("python_workflows")
async def test_python_workflows(serve, listed, date, on):
    """
    Without it the platform runs no workflow, which is said.
    """
    emu = await serve(*listed, date=date)

    assert ("python_workflows" not in emu.lines) is on


@ways("python_workers_force_new_vendor_path")
async def test_python_workers_force_new_vendor_path(serve, emu, listed, date, on):
    """
    Packages in `vendor/` are found at older dates only.
    """
    # A name for each: packages stay imported, where workers share a process.
    name = f"old_package_{'_'.join(listed)}_{date.replace('-', '')}"
    emu.save(f"vendor/{name}.py", "NAME = 'old package'")
    code = f"import {name}\nfrom workers import Response\ndef on_fetch(): return Response({name}.NAME)"
    answer = await (await serve(*listed, date=date, code=code, config="\n")).get("/")

    assert ("old package" != answer.text) is on


@pytest.mark.parametrize(("listed", "on"), [([], True), (["no_queues_json_messages"], False)])
async def test_the_module_of_flags(serve, listed, on):
    """
    Code can ask for a flag while it is imported and later; one that nobody knows is off.
    """
    assert [on, on, False] == (await (await serve(*listed)).get("/flags")).json


async def test_flags_that_do_nothing_here_are_named(serve):
    """
    When the worker is served, in one line, whether they are known or not.
    """
    emu = await serve("python_dedicated_snapshot", "nodejs_compat", "queues_json_messages", code=HELLO, config="\n")

    assert "  idle flags    python_dedicated_snapshot, nodejs_compat" in emu.emulator.banner()


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flag_is_on_from_its_date_unless_switched_off(flag):
    """
    By name at any date, by date, and never when its opposite is listed.
    """
    assert is_on(flag.name, [flag.name], "2020-01-01")
    assert (flag.since is not None) is is_on(flag.name, [], flag.since or "2030-01-01")
    assert not is_on(flag.name, [flag.off] if flag.off else [], "2020-01-01")


@pytest.mark.parametrize("flag", WORKS, ids=lambda flag: flag.name)
def test_what_works_is_not_called_idle(flag):
    """
    Neither by its name nor by the name that switches it off.
    """
    assert [] == without_effect([flag.name, *filter(None, [flag.off])])
