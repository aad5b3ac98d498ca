"""Docs under test: what they name exists, what exists is named, and their examples run."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest
from api import Api

from emulator.api.local import Local
from emulator.cli import group
from emulator.models import Tick
from emulator.template import write

PROJECT = Path(__file__).parent.parent
PAGES = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (PROJECT / "docs").rglob("*.md")
)
DECISIONS = sorted((PROJECT / "docs" / "decisions").glob("[0-9]*.md"))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def read(name):
    return (PROJECT / name).read_text("utf-8")


def name_of(path):
    return path.relative_to(PROJECT).as_posix()


def blocks(text, language):
    """The fenced blocks of a language."""
    return [body for found, body in _FENCE.findall(text) if found == language]


def prose(text):
    """A page without its code, where nothing is a heading or a link."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", text))


def sections(text):
    """Each heading of the second level with the text below it; what comes before them is under the empty one."""
    before, *rest = re.split(r"^## +", text, flags=re.MULTILINE)
    return {"": before, **dict(part.split("\n", 1) for part in rest)}


def anchors(path):
    """What a link may name after #, spelled as forges spell headings."""
    headings = [heading.lower().replace("`", "") for _, heading in _HEADING.findall(_FENCE.sub("", path.read_text()))]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def links():
    """Each relative link with the page it stands on."""
    for page in PAGES:
        for target in _LINK.findall(prose(page.read_text("utf-8"))):
            if "://" not in target and not target.startswith("mailto:"):
                yield pytest.param(page, target, id=f"{name_of(page)}-{target}")


def commands(command=group, path="emulator"):
    """Each command and each group of them with the words that call it."""
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, f"{path} {name}")


def section_of(path):
    """What docs/cli.md says of a command; all of it for what has no section of its own."""
    page = read("docs/cli.md")
    found = [text for heading, text in sections(page).items() if f"{heading} ".startswith(f"{path} ")]
    return found[0] if len(found) == 1 else page


def options_of(command):
    """All spellings of a command's own options."""
    declared = [option for option in command.params if isinstance(option, click.Option)]
    return {spelling for option in declared for spelling in (*option.opts, *option.secondary_opts)}


COMMANDS = [pytest.param(path, command, id=path) for path, command in commands()]
RUNNABLE = [
    pytest.param(path, command, id=path) for path, command in commands() if not isinstance(command, click.Group)
]


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_each_command_and_option_explains_itself(path, command):
    """
    `--help` says something of every command and of every option.
    """
    silent = [param.name for param in command.params if isinstance(param, click.Option) and not param.help]

    assert command.help
    assert [] == silent


@pytest.mark.parametrize(("path", "command"), [each for each in COMMANDS if isinstance(each.values[1], click.Group)])
def test_each_list_of_commands_says_whole_sentences(path, command):
    """
    In a terminal of 80 columns no line is cut short.
    """
    formatter = click.HelpFormatter(width=78)
    command.format_commands(click.Context(command, info_name=path), formatter)

    assert "..." not in formatter.getvalue()


@pytest.mark.parametrize(("path", "command"), RUNNABLE)
def test_each_command_shows_an_example(path, command):
    """
    The help of a command ends with a line that one can type.
    """
    example = inspect.cleandoc(command.help).splitlines()[-1]

    assert example.startswith(f"Example: {path}")


@pytest.mark.parametrize(("path", "command"), RUNNABLE)
def test_each_command_has_a_section(path, command):
    """
    docs/cli.md has one heading for each command that can be run.
    """
    headings = [heading for heading in sections(read("docs/cli.md")) if f"{heading} ".startswith(f"{path} ")]

    assert 1 == len(headings)


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_each_option_is_named_where_its_command_is(path, command):
    """
    Every spelling of an option stands in the command's section of docs/cli.md.
    """
    section = section_of(path)
    missing = [option for option in options_of(command) if not re.search(rf"{re.escape(option)}(?![\w-])", section)]

    assert path in read("docs/cli.md")
    assert [] == missing


@pytest.mark.parametrize(("path", "command"), RUNNABLE)
def test_no_option_is_made_up(path, command):
    """
    The first column of a command's table names its own options and no others.
    """
    rows = [row.split("|")[1] for row in section_of(path).splitlines() if row.startswith("| `-")]
    named = {option for row in rows for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row)}

    assert options_of(command) == named


@pytest.mark.parametrize("route", [route.path for route in Local(None).routes()])
def test_each_local_route_is_named(route):
    """
    docs/cli.md names every route under /cdn-cgi/, placeholders in capitals.
    """
    written = re.sub(r"{(\w+)(:\w+)?}", lambda found: found[1].upper(), route)

    assert re.search(rf"{re.escape(written)}(?![\w/])", read("docs/cli.md"))


@pytest.mark.parametrize(("page", "target"), list(links()))
def test_each_link_leads_somewhere(page, target):
    """
    A relative link names a file that is there, and a heading of it.
    """
    file, _, anchor = target.partition("#")
    path = (page.parent / file).resolve() if file else page

    assert path.exists()
    assert not anchor or anchor in anchors(path)


def test_the_readme_is_short():
    """
    README fits into a few screens.
    """
    assert len(read("README.md").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_code_block_can_be_read(page):
    """
    Python blocks are Python, with `await` allowed at their top, and TOML blocks are TOML.
    """
    text = page.read_text("utf-8")

    for code in blocks(text, "python"):
        compile(code, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for config in blocks(text, "toml"):
        tomllib.loads(config)


def test_the_launch_configuration_of_the_page_is_that_of_init(tmp_path):
    """
    What docs/debugging.md shows for VS Code says nothing else than the file that `emulator init` writes.
    """
    write(tmp_path)
    written = (tmp_path / ".vscode" / "launch.json").read_text("utf-8")
    first = json.loads(re.sub(r"^\s*//.*$", "", written, flags=re.MULTILINE))["configurations"][0]
    (shown,) = map(json.loads, blocks(read("docs/debugging.md"), "json"))
    (configuration,) = shown["configurations"]

    assert first["args"][:1] == configuration.pop("args")
    assert configuration.items() <= {key: value for key, value in first.items() if key != "env"}.items()


@pytest.mark.parametrize("picture", sorted((PROJECT / "docs").rglob("*.png")), ids=name_of)
def test_a_picture_is_small_and_shown(picture):
    """
    Each picture stands on a page, and costs a reader less than 200 KB.
    """
    shown = f"](images/{picture.name})"

    assert picture.stat().st_size < 200_000
    assert any(shown in page.read_text("utf-8").replace("docs/images/", "images/") for page in PAGES)


async def test_the_readmes_worker_runs(emu):
    """
    The two files of "A worker" answer with an order, which rests an hour and is charged.
    """
    section = sections(read("README.md"))["A worker"]
    (config,), (code,) = blocks(section, "toml"), blocks(section, "python")
    emu.save("wrangler.toml", config)
    emu.save("entry.py", code)
    await emu.start()

    answer = await emu.get("/")

    assert 200 == answer.status
    assert {"id", "status"} == answer.json.keys()

    await emu.advance(hours=1)
    order = emu.emulator.engine.get("order", answer.json["id"])

    assert "complete" == order.status
    assert '{"charged":"tea"}' == order.output


async def test_the_workflow_of_the_workflows_page_runs(emu):
    """
    The first example of docs/workflows.md charges, cools down, and ends with its approval.
    """
    page = read("docs/workflows.md")
    await emu.start(blocks(page, "python")[0], config=blocks(page, "toml")[0])
    order = await emu.create("order", {"sku": "tea"})
    await emu.advance(minutes=10)

    assert "waiting" == order.status

    await order.send("approve", "ann")

    assert {"receipt": {"charged": "tea", "attempt": 1}, "by": "ann"} == order.output


@pytest.fixture
async def together(emu):
    """The workers of docs/between-workers.md, each block in the file that its first line names."""
    page = read("docs/between-workers.md")
    for block in (*blocks(page, "toml"), *blocks(page, "python")):
        name = block.splitlines()[0].removeprefix("# ")
        (emu.folder / name).parent.mkdir(exist_ok=True)
        emu.save(name, block)
    (command,) = re.findall(r"^emulator dev (.+)$", page, re.MULTILINE)
    emu.configs = [f"{folder}/wrangler.toml" for folder in command.split()[1::2]]
    return await emu.start()


async def test_the_workers_of_the_page_ask_and_watch_each_other(together):
    """
    Objects keep their state over there, and the watcher is told of the request.
    """
    assert {"tea": 450, "total": 1350} == (await together.get("/")).json

    await together.settle()

    assert "shop ok http://127.0.0.1:8787/" in together.lines
    assert "AttributeError" not in together.lines


async def test_the_watcher_of_the_page_takes_what_is_no_request(together):
    """
    A cron of the watched worker has no request and no URL.
    """
    shop = together.emulator.workers[0]
    await together.emulator.tick(shop, Tick(cron="* * * * *", time=together.emulator.clock.now()))
    await together.settle()

    assert "no request" in together.lines
    assert "AttributeError" not in together.lines


async def test_the_mail_of_the_page_is_forwarded(together):
    """
    The route and the message of docs/between-workers.md, as curl sends them.
    """
    page = read("docs/between-workers.md")
    ((route, message),) = re.findall(r"localhost:8787(/cdn-cgi\S+)' .*?--data-binary \$'(.+?)'", page, re.DOTALL)
    sent = message.encode().decode("unicode_escape").encode()
    answer = await Api(together).ask("POST", route, sent, {"content-type": "message/rfc822"})

    assert (200, "the worker processed the email\n") == (answer.status, answer.text)
    assert "forwarded to team@example.com" in together.lines
    assert "mail: An order" in together.lines


@pytest.mark.slow
def test_the_tests_of_the_testing_page_pass(tmp_path):
    """
    The files of docs/testing.md are a project whose tests serve its worker, move its clock and send it a message.
    """
    page = read("docs/testing.md")
    for block in (*blocks(page, "toml"), *blocks(page, "python")):
        (tmp_path / block.splitlines()[0].removeprefix("# ")).write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_each_decision_is_one_screen_in_four_parts(decision):
    """
    A record has its number in its title and the four headings in their order, and fits a screen.
    """
    text = decision.read_text("utf-8")

    assert text.startswith(f"# {int(decision.name[:4])}. ")
    assert ["Context", "Decision", "Consequences", "Alternatives"] == list(sections(text))[1:]
    assert len(text.splitlines()) <= 45


def test_the_decisions_are_numbered_and_listed():
    """
    Numbers have no gap, and the index has a line for each record, in order.
    """
    listed = re.findall(r"^\| \[(\d+)\]\((.+)\)", read("docs/decisions/README.md"), re.MULTILINE)

    assert [(f"{number:04}", path.name) for number, path in enumerate(DECISIONS, 1)] == listed


def test_the_changelog_begins_with_what_is_not_released():
    """
    The first version of CHANGELOG.md is the one to come.
    """
    assert "[Unreleased]" == list(sections(read("CHANGELOG.md")))[1]


@pytest.mark.parametrize(
    ("package", "own"),
    [
        ("emulator.sdk.workers", {"EnvWrapper", "part"}),
        ("emulator.store", set()),
    ],
)
def test_exported_names_are_sorted_and_complete(package, own):
    """
    `__all__` lists in order all that a package defines, but for what it needs itself, and all of it can be imported.
    """
    module = import_module(package)
    exported = [(name, getattr(module, name)) for name in module.__all__]
    defined = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", "").startswith(package)
    }

    assert sorted(module.__all__) == [name for name, _ in exported]
    assert set() == defined - own - {name for name, _ in exported}
