"""The commands as a shell calls them: what they print, where, and with which exit code."""

import json
import re

import pytest
from click.testing import CliRunner
from dev import Dev, command
from support import CONFIG, HELLO

from emulator import __version__
from emulator.cli import group

WORKFLOW = '[[workflows]]\nname = "order"\nbinding = "ORDER"\nclass_name = "Order"\n'


@pytest.fixture
def run(run, tmp_path, monkeypatch):
    """A command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def project(tmp_path):
    """Writes files into the folder."""

    def write(code=HELLO, config=""):
        (tmp_path / "wrangler.toml").write_text(CONFIG + config)
        if code is not None:
            (tmp_path / "entry.py").write_text(code)
        return tmp_path

    return write


# The program


@pytest.mark.slow
def test_the_module_is_the_command(tmp_path):
    """
    `python -m emulator` does what `emulator` does.
    """
    code, out, err = command(tmp_path, "--version")

    assert (0, "") == (code, err)
    assert __version__ in out


def test_help_lists_the_commands(run):
    """
    Without arguments, and with -h, the commands are listed.
    """
    code, out, err = run("-h")

    assert (0, "") == (code, err)
    assert {"check", "cron", "dev", "init", "reset"} <= set(group.commands) <= set(out.split())
    assert "dev" in "".join(run()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("dev", "--fly"),
        ("dev", "--port", "high"),
        ("dev", "--port", "65536"),
        ("dev", "--log-format", "xml"),
        ("cron", "next"),
        ("cron", "next", "* * * * *", "--count", "0"),
        ("cron", "next", "* * * * *", "--from", "soon"),
        ("init",),
        ("check", "extra"),
        ("dev", "--var", "novalue", "-c", "wrangler.toml"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_is_exit_code_two(run, project, arguments):
    """
    A usage error is said on stderr, with exit code 2 and nothing on stdout.
    """
    project()
    code, out, err = run(*arguments)

    assert (2, "") == (code, out)
    assert "Error" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("dev", "--port", "high"), 'expected a whole number from 0 to 65535; got "high"'),
        (("queues", "peek", "orders", "--limit", "0"), 'expected a whole number from 1 to 100; got "0"'),
        (("dev", "--workflow-concurrency", "0"), 'expected a whole number, 1 or more; got "0"'),
        (("cron", "next", "* * * * *", "--count", "1.5"), 'expected a whole number from 1 to 1000; got "1.5"'),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_a_number_that_does_not_fit_is_told_what_does(run, arguments, expected):
    """
    In words, and not as an inequation.
    """
    assert expected in run(*arguments)[2]


@pytest.mark.parametrize("arguments", [("dev",), ("check",), ("reset",)], ids=" ".join)
def test_without_a_config_it_says_what_to_do(run, arguments):
    """
    Where there is no config, one line names the folder and two ways out.
    """
    code, out, err = run(*arguments)

    assert (1, "") == (code, out)
    assert err.startswith("error: no wrangler.toml")
    assert "emulator init" in err
    assert 1 == err.count("\n")


@pytest.mark.parametrize("arguments", [("dev",), ("check",), ("reset",)], ids=" ".join)
def test_a_config_that_is_not_there_is_named(run, arguments):
    """
    A file given with -c that does not exist is named.
    """
    code, _, err = run(*arguments, "-c", "nowhere.toml")

    assert 1 == code
    assert "nowhere.toml" in err
    assert 1 == err.count("\n")


def test_a_config_is_named_by_its_folder_too(run, tmp_path):
    """
    The one in that folder, and none above; a folder without one is named.
    """
    run("init", "shop")
    (tmp_path / "wrangler.toml").write_text("")

    assert (0, "ok\n", "") == run("check", "-c", "shop")
    assert (
        "error: shop/src: this folder has no wrangler.json, wrangler.jsonc, wrangler.toml\n"
        == run("check", "-c", "shop/src")[2]
    )


# check


def test_check_says_ok(run, project):
    """
    A worker that loads and a config that is right are "ok".
    """
    project()

    assert (0, "ok\n", "") == run("check")


def test_check_names_file_line_and_key(run, project):
    """
    Every complaint about the config stands on a line of its own with its file, line and key.
    """
    project(
        config='[[queues.consumers]]\nqueue = "orders"\nmax_batch_size = "ten"\n[vars]\n[triggers]\ncrons = ["x"]\n'
    )
    code, out, err = run("check")

    assert (1, "") == (code, out)
    assert re.search(r"wrangler\.toml:8: .*max_batch_size", err)
    assert re.search(r"wrangler\.toml:11: .*crons", err)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("\nimport no_such_module\n", "no_such_module"),
        ("\nraise RuntimeError('not today')\n", "not today"),
        ("\nraise SystemExit(3)\n", "SystemExit"),
        ("\nimport os\nos._exit(3)\n", "exited with code 3"),
        (HELLO, 'exports no workflow "Order"'),
        (None, "there is no file"),
    ],
    ids=["syntax", "import", "exception", "exit", "hard exit", "missing class", "missing file"],
)
def test_check_says_what_does_not_load(run, project, code, words):
    """
    A worker that cannot be loaded is an error that says why, once, with exit code 1.
    """
    project(code, WORKFLOW)
    exit_code, out, err = run("check")

    assert (1, "") == (exit_code, out)
    assert words in err
    assert err.startswith("error: ")


@pytest.mark.parametrize(
    ("before", "arguments", "place"),
    [
        ("", (), "wrangler.toml:9: workflows[0].class_name"),
        (
            '[env.staging]\nname = "staging"\n',
            ("-e", "staging"),
            "wrangler.toml:11: env.staging.workflows[0].class_name",
        ),
    ],
    ids=["top", "environment"],
)
def test_check_names_the_key_of_a_missing_class(run, project, before, arguments, place):
    """
    File, line and key, each once.
    """
    project(config=before + (WORKFLOW.replace("workflows", "env.staging.workflows") if before else WORKFLOW))
    _, _, err = run("check", *arguments)

    assert f'error: {place}: entry.py exports no workflow "Order"; it exports none' in err
    assert 1 == err.count("wrangler.toml")


def test_check_names_every_missing_class(run, project):
    """
    Not the first alone: each with the line of its key.
    """
    project(config=WORKFLOW + WORKFLOW.replace("order", "refund").replace("Order", "Refund").replace("ORDER", "REFUND"))
    _, _, err = run("check")

    assert 'workflows[0].class_name: entry.py exports no workflow "Order"' in err
    assert 'workflows[1].class_name: entry.py exports no workflow "Refund"' in err


def test_check_names_the_line_that_fails(run, project):
    """
    An exception in a module body is reported with the worker's own file and line.
    """
    project("\nimport json\njson.loads('{')\n")

    assert "entry.py:3" in run("check")[2]


def test_check_tells_machines_in_json(run, project):
    """
    --json prints ok, errors and warnings, each with path, message and line, and nothing else.
    """
    project(config="[triggers]\ncrons = 3\n")
    code, out, err = run("check", "--json")
    told = json.loads(out)

    assert (1, "") == (code, err)
    assert {"ok", "errors", "warnings"} == told.keys()
    assert told["ok"] is False
    assert {"path", "message", "line"} == told["errors"][0].keys()
    assert 7 == told["errors"][0]["line"]

    project()

    assert {"ok": True, "errors": [], "warnings": []} == json.loads(run("check", "--json")[1])


BOTH = 'account = "x"\n[triggers]\ncrons = 3\n'


def test_check_shows_warnings_beside_errors(run, project):
    """
    What is wrong hides nothing of what is doubtful, neither from people nor from machines.
    """
    project(config=BOTH)
    _, _, err = run("check")

    assert "error: wrangler.toml:8: triggers.crons" in err
    assert "warning: wrangler.toml:6: account: there is no such key" in err

    told = json.loads(run("check", "--json")[1])

    assert (["triggers.crons"], ["account"]) == tuple(
        [each["path"] for each in told[key]] for key in told if key != "ok"
    )


def test_check_shows_warnings_beside_secrets_that_cannot_be_read(run, project):
    """
    A file of secrets is an error like another.
    """
    folder = project(config='account = "x"\n')
    (folder / ".dev.vars").write_bytes(b"A=\xff")
    _, _, err = run("check")

    assert "error: .dev.vars:1: expected UTF-8" in err
    assert "warning: wrangler.toml:6: account" in err


@pytest.mark.parametrize(
    ("here", "config", "code"),
    [
        (".", "wrangler.toml:7: triggers.crons", "entry.py"),
        ("src", "../wrangler.toml:7: triggers.crons", "../entry.py"),
        ("..", "{name}/wrangler.toml:7: triggers.crons", "{name}/entry.py"),
    ],
    ids=["in the project", "below", "above"],
)
def test_check_names_files_as_seen_from_here(run, project, monkeypatch, here, config, code):
    """
    A path is a key of the config or a file, and a file is where the current folder finds it.
    """
    folder = project("\nraise RuntimeError\n", "[triggers]\ncrons = 3\n")
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / here)

    assert f"error: {config.format(name=folder.name)}" in run("check", "-c", folder)[2]

    project("\nraise RuntimeError\n")
    (error,) = json.loads(run("check", "--json", "-c", folder)[1])["errors"]

    assert (code.format(name=folder.name), 2) == (error["path"], error["line"])


def test_check_leaves_nothing_behind(run, project):
    """
    Checking makes no state folder and no bytecode.
    """
    folder = project()
    run("check")

    assert ["entry.py", "wrangler.toml"] == sorted(path.name for path in folder.iterdir())


def test_check_takes_an_environment(run, project):
    """
    -e checks that environment; one that the config has not is an error.
    """
    project(config='[env.staging]\nname = "staging"\n')

    assert 0 == run("check", "-e", "staging")[0]
    assert "nowhere" in "".join(run("check", "-e", "nowhere")[1:])


# init


def test_init_writes_a_project_that_passes_check(run, tmp_path):
    """
    The written project is listed file by file, and is in order.
    """
    code, out, err = run("init", "shop")

    assert (0, "") == (code, err)
    assert "wrote shop/wrangler.toml" in out
    assert "emulator dev" in out
    assert (0, "ok\n", "") == run("check", "-c", "shop/wrangler.toml")


def test_init_replaces_nothing(run):
    """
    A second time it refuses, with one line and exit code 1.
    """
    run("init", "shop")
    code, out, err = run("init", "shop")

    assert (1, "") == (code, out)
    assert "exists already" in err
    assert 1 == err.count("\n")


# cron next


def test_cron_next_says_when(run):
    """
    First the cron in words, then its next times in UTC.
    """
    code, out, err = run("cron", "next", "0 12 * * MON", "--from", "2030-01-01T00:00:00Z", "--count", "2")
    words, *times = out.splitlines()

    assert (0, "") == (code, err)
    assert "Monday" in words
    assert ["2030-01-07T12:00:00Z", "2030-01-14T12:00:00Z"] == times


def test_cron_next_tells_machines_in_json(run):
    """
    --json prints the expression, its words and five times.
    """
    told = json.loads(run("cron", "next", "*/15 * * * *", "--from", "2030-01-01T00:01:00+01:00", "--json")[1])

    assert {"expression", "words", "times"} == told.keys()
    assert "2029-12-31T23:15:00Z" == told["times"][0]
    assert 5 == len(told["times"])


@pytest.mark.parametrize(
    ("expression", "field"),
    [("61 * * * *", "minute"), ("* 24 * * *", "hour"), ("* * 0 * *", "day"), ("* * * 13 *", "month"), ("* * *", "")],
)
def test_cron_next_names_the_field_that_is_wrong(run, expression, field):
    """
    A bad expression is one line that names the field, and exit code 1.
    """
    code, out, err = run("cron", "next", expression)

    assert (1, "") == (code, out)
    assert field in err
    assert 1 == err.count("\n")


def test_cron_next_says_never(run):
    """
    A date that never comes is no error.
    """
    code, out, _ = run("cron", "next", "0 0 31 2 *")

    assert 0 == code
    assert "never" in out


# reset


def with_state(folder):
    (folder / ".emulator").mkdir()
    for name in ("state.db", "state.db-wal", "lock"):
        (folder / ".emulator" / name).write_text("")


def test_reset_forgets_all_state(run, project):
    """
    With --yes the database is gone, without a question.
    """
    folder = project()
    with_state(folder)
    code, out, _ = run("reset", "--yes")

    assert 0 == code
    assert "is empty" in out
    assert [] == list((folder / ".emulator").glob("state.db*"))


@pytest.mark.parametrize(
    ("answer", "kept", "code"), [("y\n", False, 0), ("n\n", True, 0), ("", True, 2)], ids=["yes", "no", "nothing"]
)
def test_reset_asks_first(project, monkeypatch, answer, kept, code):
    """
    Without --yes nothing goes unless somebody says so; where nobody can, the option is named.
    """
    folder = project()
    monkeypatch.chdir(folder)
    with_state(folder)
    ended = CliRunner().invoke(group, ["reset"], input=answer)

    assert kept == (folder / ".emulator" / "state.db").exists()
    assert (code, code == 2) == (ended.exit_code, "say --yes" in ended.output)


def test_reset_has_nothing_to_do(run, project):
    """
    Where there is no state it says so, and that is no error.
    """
    project()
    code, out, _ = run("reset", "--yes")

    assert 0 == code
    assert "holds no state" in out


@pytest.mark.slow
def test_reset_leaves_alone_what_is_in_use(run, tmp_path):
    """
    While an emulator runs on the folder, reset refuses and names its pid.
    """
    with Dev(tmp_path, code=HELLO) as dev:
        code, _, err = run("reset", "--yes")

        assert 1 == code
        assert f"pid {dev.process.pid}" in err
        assert "hello" == dev.get("/").text
        assert (1, "") == run("reset")[:2]


# Colours


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["pipe", "NO_COLOR"])
def test_there_are_no_colours_where_none_are_wanted(tmp_path, environment):
    """
    Neither into a pipe nor with NO_COLOR does an escape sequence come.
    """
    with Dev(tmp_path, code=HELLO, environment=environment) as dev:
        dev.get("/")
        dev.wait_for("GET    /")

        assert "\x1b" not in dev.text
