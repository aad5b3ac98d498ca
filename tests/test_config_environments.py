"""Named environments: which one is used, what it inherits and what not."""

import pytest
from test_config import MINIMAL, _apart, complaints, loaded

__all__ = ["_apart"]

STAGED = (
    MINIMAL
    + """
[vars]
GREETING = "Hello"
LIMIT = 3

[[kv_namespaces]]
binding = "CACHE"

[[queues.producers]]
binding = "ORDERS"
queue = "orders"

[triggers]
crons = ["0 0 * * *"]

[env.staging]
routes = ["staging.example.com/*"]

[env.staging.vars]
GREETING = "Hi"

[env.live]
name = "the-shop"
compatibility_date = "2025-01-01"
triggers = { crons = [] }
vars = { GREETING = "Good day", LIMIT = 5 }
kv_namespaces = [{ binding = "CACHE" }]
queues = { producers = [{ binding = "ORDERS", queue = "orders-live" }] }
"""
)


@pytest.mark.parametrize(
    ("env", "name"), [(None, "shop"), ("", "shop"), ("staging", "shop-staging"), ("live", "the-shop")]
)
def test_an_environment_has_a_name(tmp_path, env, name):
    """
    Its own, or the worker's with its own behind it.
    """
    assert name == loaded(tmp_path, STAGED, env=env).name


def test_some_keys_are_inherited_and_some_are_not(tmp_path):
    """
    What describes the worker is inherited; what stands in env is not.
    """
    found = loaded(tmp_path, STAGED, env="staging")

    assert ("2026-06-01", ("python_workers",), ("0 0 * * *",)) == (
        found.compatibility_date,
        found.flags,
        found.crons,
    )
    assert ({"GREETING": "Hi"}, (), ()) == (found.vars, found.producers, found.unsupported)
    assert ["staging.example.com"] == [route.host for route in found.routes]


def test_what_an_environment_has_replaces_the_top_level(tmp_path):
    """
    A table of an environment is taken whole, nothing is merged into it.
    """
    found = loaded(tmp_path, STAGED, env="live")

    assert ("2025-01-01", (), {"GREETING": "Good day", "LIMIT": 5}) == (
        found.compatibility_date,
        found.crons,
        found.vars,
    )
    assert ["orders-live"] == [producer.queue for producer in found.producers]
    assert () == found.warnings


def test_what_is_not_inherited_is_warned_of_and_known(tmp_path):
    """
    One warning for each key that is missing or incomplete, and the names for whoever asks env for one.
    """
    found = loaded(tmp_path, STAGED, env="staging")

    lacking = "the top level has it, which an environment does not inherit; add it to [env.staging]"

    assert [
        f"wrangler.toml:21: env.staging.kv_namespaces: {lacking}",
        f"wrangler.toml:21: env.staging.queues: {lacking}",
        "wrangler.toml:24: env.staging.vars: the top level has LIMIT too, which an environment does not inherit",
    ] == list(map(str, found.warnings))
    assert ("CACHE", "LIMIT", "ORDERS") == found.not_inherited


def test_json_null_is_as_good_as_nothing(tmp_path):
    """
    A null in an environment lets the top level through.
    """
    text = '{"name": "a", "main": "entry.py", "triggers": {"crons": null}, "env": {"b": {"main": null, "name": null}}}'

    assert ("a-b", "entry.py") == (
        (found := loaded(tmp_path, text, "wrangler.json", env="b")).name,
        found.main.name,
    )


def test_the_environment_may_come_from_outside(tmp_path, monkeypatch):
    """
    CLOUDFLARE_ENV counts where none is asked for; asking for the top level does too.
    """
    monkeypatch.setenv("CLOUDFLARE_ENV", "live")

    assert "the-shop" == loaded(tmp_path, STAGED).name
    assert "shop" == loaded(tmp_path, STAGED, env="").name
    assert "shop-staging" == loaded(tmp_path, STAGED, env="staging").name


def test_the_environment_may_come_from_a_dot_env_file(tmp_path, monkeypatch):
    """
    The .env of the folder one works in may say CLOUDFLARE_ENV; the process environment wins.
    """
    (tmp_path / ".env").write_text("CLOUDFLARE_ENV=live\n")

    assert "the-shop" == loaded(tmp_path, STAGED).name

    monkeypatch.setenv("CLOUDFLARE_ENV", "staging")

    assert "shop-staging" == loaded(tmp_path, STAGED).name


def test_an_unknown_environment_is_an_error(tmp_path):
    """
    The complaint names those there are.
    """
    told = 'env: there is no environment "stagin"; there are ["staging", "live"]. Add [env.stagin] to make it'

    assert [f"wrangler.toml:21: {told}"] == complaints(tmp_path, STAGED, env="stagin")


def test_a_config_without_environments_serves_any(tmp_path):
    """
    Then the top level is used whole, under the name of the environment, with a warning.
    """
    found = loaded(tmp_path, MINIMAL + '[vars]\nA = "a"', env="staging")

    assert ("shop-staging", {"A": "a"}, "staging") == (found.name, found.vars, found.env)
    assert [
        'wrangler.toml: env: there is no [env.staging], so the top level is used, under the name of "staging"'
    ] == list(map(str, found.warnings))


def test_only_the_environment_in_use_can_fail(tmp_path):
    """
    A mistake in another one is a warning, in the one in use an error, and at the top level always one.
    """
    text = MINIMAL + "\n[env.a]\nminify = 1\n[env.b]\ncolour = 1\n"

    assert [
        "wrangler.toml:8: env.a.minify: expected true or false, got 1",
        "wrangler.toml:10: env.b.colour: there is no such key, so it does nothing",
    ] == list(map(str, loaded(tmp_path, text, env="b").warnings))
    assert ["wrangler.toml:8: env.a.minify: expected true or false, got 1"] == complaints(tmp_path, text, env="a")
    assert ["wrangler.toml:1: logpush: expected true or false, got 1"] == complaints(
        tmp_path, "logpush = 1" + text, env="b"
    )


def test_a_main_may_stand_in_environments_alone(tmp_path):
    """
    The top level need not be complete if it is not used.
    """
    text = f"[env.a]\n{MINIMAL}"
    found = loaded(tmp_path, text, env="a")

    assert ("shop", ()) == (found.name, found.warnings)


@pytest.mark.parametrize("line", ["[env.a.dev]\nport = 1", "[env.a]\nkeep_vars = true"])
def test_keys_of_the_top_level_are_unknown_in_an_environment(tmp_path, line):
    """
    Some keys exist once for all environments.
    """
    (warning,) = loaded(tmp_path, MINIMAL + line, env="a").warnings

    assert "a key of the worker goes above the first [table]" in warning.message


def test_an_environment_that_is_no_table_is_wrong(tmp_path):
    """
    In use or not.
    """
    assert ["wrangler.toml:6: env.a: expected a table, got 5"] == complaints(tmp_path, MINIMAL + "env.a = 5", env="a")
    assert ["env.a"] == [each.path for each in loaded(tmp_path, MINIMAL + "env.a = 5").warnings]
