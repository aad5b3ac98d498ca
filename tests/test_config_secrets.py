"""Which of the config, .dev.vars, .env and the command line gives a variable its value."""

from pathlib import Path

import pytest
from test_config import MINIMAL, _apart, loaded

__all__ = ["_apart"]

VARS = MINIMAL + '\n[vars]\nA = "config"\nN = { deep = 1 }\n'
STAGED = VARS + '\n[env.staging.vars]\nA = "staging"\nN = 1\n'


def files(folder, **contents):
    """Files by name: dev_vars is .dev.vars, env_local is .env.local."""
    for name, text in contents.items():
        (folder / f".{name.replace('_', '.')}").write_text(text)


@pytest.mark.parametrize(
    ("contents", "variables", "value", "source"),
    [
        ({}, {}, "config", "wrangler.toml"),
        ({"dev_vars": "A=dev"}, {}, "dev", ".dev.vars"),
        ({"dev_vars": "A=dev"}, {"A": "line"}, "line", "--var"),
        ({"dev_vars": "B=b", "env": "A=env"}, {}, "config", "wrangler.toml"),
        ({"dev_vars": "", "env": "A=env"}, {}, "config", "wrangler.toml"),
        ({"env": "A=env"}, {}, "env", ".env"),
        ({"env": "A=env", "env_local": "A=local"}, {}, "local", ".env.local"),
        ({"env": "A=env", "env_local": "B=b"}, {}, "env", ".env"),
        ({"env": "A=$B", "env_local": "B=b"}, {}, "b", ".env"),
        ({"dev_vars": "A=$B\nB=b"}, {}, "$B", ".dev.vars"),
        ({"env_staging": "A=env"}, {}, "config", "wrangler.toml"),
    ],
)
def test_the_nearest_value_wins(tmp_path, contents, variables, value, source):
    """
    The command line before .dev.vars before .env before the config; .env is not read beside .dev.vars.
    """
    files(tmp_path, **contents)

    found = loaded(tmp_path, VARS, variables=variables)

    assert (value, source) == (found.vars["A"], found.sources["A"])


@pytest.mark.parametrize(
    ("contents", "value", "source"),
    [
        ({"dev_vars": "A=dev"}, "dev", ".dev.vars"),
        ({"dev_vars": "A=dev", "dev_vars_staging": "A=two"}, "two", ".dev.vars.staging"),
        ({"dev_vars": "A=dev", "dev_vars_staging": ""}, "staging", "wrangler.toml"),
        (
            {"env": "A=1", "env_local": "A=2", "env_staging": "A=3", "env_staging_local": "A=4"},
            "4",
            ".env.staging.local",
        ),
        ({"env": "A=1", "env_local": "A=2", "env_staging": "A=3"}, "3", ".env.staging"),
    ],
)
def test_an_environment_has_files_of_its_own(tmp_path, contents, value, source):
    """
    Its .dev.vars replaces the common one, its .env files come last.
    """
    files(tmp_path, **contents)

    found = loaded(tmp_path, STAGED, env="staging")

    assert (value, source) == (found.vars["A"], found.sources["A"])


def test_a_file_in_the_shadow_of_another_is_told(tmp_path):
    """
    Names that only the unread .dev.vars has are named.
    """
    files(tmp_path, dev_vars="A=1\nTOKEN=t\n", dev_vars_staging="A=2\n")

    assert [".dev.vars: not read, since .dev.vars.staging takes its place and has no TOKEN"] == [
        str(each) for each in loaded(tmp_path, STAGED, env="staging").warnings
    ]


def test_an_environment_from_outside_has_no_files_of_its_own(tmp_path, monkeypatch):
    """
    CLOUDFLARE_ENV chooses the environment and not the .dev.vars, which is told.
    """
    monkeypatch.setenv("CLOUDFLARE_ENV", "staging")
    files(tmp_path, dev_vars="A=1\n", dev_vars_staging="A=2\n")

    found = loaded(tmp_path, STAGED)

    assert "1" == found.vars["A"]
    assert [".dev.vars.staging: not read, since the environment comes from CLOUDFLARE_ENV; say --env staging"] == list(
        map(str, found.warnings)
    )


def test_values_from_files_are_text_and_new_names_are_welcome(tmp_path):
    """
    A variable with parts becomes text, and names that the config lacks are added.
    """
    files(tmp_path, dev_vars='N={"deep": 2}\nTOKEN=t\n')

    found = loaded(tmp_path, VARS)

    assert {"A": "config", "N": '{"deep": 2}', "TOKEN": "t"} == found.vars
    assert {".dev.vars": ["N", "TOKEN"]} == found.secret_names


def test_with_declared_secrets_nothing_else_is_let_in(tmp_path):
    """
    [secrets] lets in what it requires and what the config has; what is required and missing is warned of once.
    """
    files(tmp_path, dev_vars="A=dev\nTOKEN=t\nEXTRA=x\n")

    found = loaded(tmp_path, VARS + '[secrets]\nrequired = ["TOKEN", "KEY", "SALT"]', variables={"SALT": "s"})

    assert {"A": "dev", "N": {"deep": 1}, "TOKEN": "t", "SALT": "s"} == found.vars
    assert ("TOKEN", "KEY", "SALT") == found.required_secrets
    assert ["wrangler.toml: secrets.required: no value for KEY, SALT; set what is missing in .dev.vars"] == list(
        map(str, found.warnings)
    )


def test_empty_secrets_let_nothing_in(tmp_path):
    """
    A bare [secrets] shuts out every name that the config does not have.
    """
    files(tmp_path, dev_vars="TOKEN=t\n")

    assert {"A", "N"} == loaded(tmp_path, VARS + "[secrets]").vars.keys()


def test_declared_secrets_may_come_from_the_process_environment(tmp_path, monkeypatch):
    """
    Where the .env files are read and secrets are declared, the process environment wins over them.
    """
    monkeypatch.setenv("TOKEN", "process")
    files(tmp_path, env="TOKEN=env\nA=$TOKEN\n")

    found = loaded(tmp_path, VARS + '[secrets]\nrequired = ["TOKEN"]')

    assert {"A": "process", "N": {"deep": 1}, "TOKEN": "process"} == found.vars
    assert "the process environment" == found.sources["TOKEN"]


@pytest.mark.parametrize(("switch", "value"), [("", "env"), ("true", "process"), ("false", "env")])
def test_the_process_environment_is_let_in_when_asked(tmp_path, monkeypatch, switch, value):
    """
    CLOUDFLARE_INCLUDE_PROCESS_ENV=true makes it part of the .env files.
    """
    monkeypatch.setenv("CLOUDFLARE_INCLUDE_PROCESS_ENV", switch)
    monkeypatch.setenv("A", "process")
    files(tmp_path, env="A=env\n")

    assert value == loaded(tmp_path, VARS).vars["A"]


def test_the_env_files_can_be_switched_off(tmp_path, monkeypatch):
    """
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV=false leaves .dev.vars alone.
    """
    monkeypatch.setenv("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "false")
    files(tmp_path, env="A=env\n")

    assert "config" == loaded(tmp_path, VARS).vars["A"]


def test_given_env_files_are_read_in_the_place_of_all_others(tmp_path):
    """
    They are relative to the config; one that is missing is told.
    """
    files(tmp_path, dev_vars="A=dev\n", env="A=env\n")
    (tmp_path / "one").write_text("A=1\nB=1\n")
    (tmp_path / "two").write_text("A=2\n")

    found = loaded(tmp_path, VARS, env_files=[Path("one"), Path("two"), Path("three")])

    assert ("2", "1") == (found.vars["A"], found.vars["B"])
    assert ["three: there is no such file"] == list(map(str, found.warnings))


def test_a_binding_is_never_replaced_by_text(tmp_path):
    """
    A name in .dev.vars or --var that is a binding's is left out.
    """
    files(tmp_path, dev_vars="CACHE=x\n")

    found = loaded(tmp_path, MINIMAL + '[[kv_namespaces]]\nbinding = "CACHE"', variables={"CACHE": "y"})

    assert {} == found.vars
    assert ["CACHE"] == [each.binding for each in found.unsupported]


def test_lines_that_say_nothing_are_told(tmp_path):
    """
    With file and line.
    """
    files(tmp_path, dev_vars="# fine\nA=1\nwhat is this\n")

    assert [".dev.vars:3: not NAME=value, and so ignored"] == list(map(str, loaded(tmp_path, VARS).warnings))


def test_every_file_that_has_a_say_is_listed(tmp_path):
    """
    Also those that are not there yet: their appearing changes the result.
    """
    names = [path.name for path in loaded(tmp_path, STAGED, env="staging").files]

    assert [
        "wrangler.toml",
        ".dev.vars.staging",
        ".dev.vars",
        ".env",
        ".env.local",
        ".env.staging",
        ".env.staging.local",
    ] == names


def test_a_virtual_environment_called_env_is_no_file(tmp_path):
    """
    A folder by the name of a file of variables is passed over.
    """
    (tmp_path / ".env").mkdir()

    assert "config" == loaded(tmp_path, VARS).vars["A"]
