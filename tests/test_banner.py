"""What `emulator dev` says of a worker before it is ready."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator import banner, config
from emulator.loaded import Loaded

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SHOP = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-06-01"
compatibility_flags = ["python_workers"]
workflows = [{ name = "order", binding = "ORDER", class_name = "Order" }]
kv_namespaces = [{ binding = "CACHE", id = "1" }]

[vars]
GREETING = "hello"

[[queues.producers]]
binding = "MAIL"
queue = "mail"

[[queues.consumers]]
queue = "mail"
dead_letter_queue = "mail-dead"

[triggers]
crons = ["0 * * * *"]
"""


def test_everything_a_worker_has_is_one_line(tmp_path):
    """
    Handlers and workflows with file and line, bindings with their kind, secrets by name only, crons in words.
    """
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(SHOP)
    (tmp_path / ".dev.vars").write_text("TOKEN=secret\n")
    loaded = Loaded(
        handlers={"fetch": (str(tmp_path / "entry.py"), 3)}, workflows={"Order": (str(tmp_path / "entry.py"), 9)}
    )
    ticks = {"0 * * * *": datetime(2030, 1, 1, 13, tzinfo=UTC)}

    told = banner.lines(config.load(tmp_path / "wrangler.toml"), loaded, ticks, now=NOON, seen_from=tmp_path)

    assert [
        "shop  (wrangler.toml)",
        "  handlers      fetch entry.py:3",
        "  workflows     Order entry.py:9",
        "  env           ORDER (workflow order), MAIL (queue mail), GREETING",
        "  not emulated  CACHE (KV namespace)",
        "  from .dev.vars TOKEN",
        "  cron          0 * * * *  every hour, next in 1 h",
        "  consumes      mail (dead letters to mail-dead)",
    ] == list(told)


def test_what_a_worker_does_not_have_is_left_out(tmp_path):
    """
    A worker that has nothing but a name takes one line.
    """
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(SHOP.split("workflows =")[0])
    nothing = Loaded()

    told = banner.lines(config.load(tmp_path / "wrangler.toml"), nothing, {}, now=NOON, seen_from=Path("/elsewhere"))

    assert [f"shop  ({tmp_path / 'wrangler.toml'})"] == list(told)


@pytest.mark.parametrize(
    ("expression", "ticks", "expected"),
    [
        ("0 * * * *", {"0 * * * *": datetime(2030, 1, 1, 13, tzinfo=UTC)}, "every hour, next in 1 h"),
        ("0 9 30 2 *", {"0 9 30 2 *": None}, "at 09:00 UTC on the 30th of February, never"),
        ("0 * * * *", {}, "every hour"),
    ],
    ids=["planned", "planned for never", "not planned"],
)
def test_a_cron_says_when_it_fires_if_that_is_known(tmp_path, expression, ticks, expected):
    """
    No tick is planned for a worker that could not be loaded, nor with --no-crons: then nothing is said of the next.
    """
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(SHOP.replace("0 * * * *", expression))

    told = banner.lines(config.load(tmp_path / "wrangler.toml"), Loaded(), ticks, now=NOON, seen_from=tmp_path)

    assert f"  cron          {expression}  {expected}" in list(told)


def test_the_schedules_of_workflows_are_told_as_crons_are(tmp_path):
    """
    With the workflow whose instances they create.
    """
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        SHOP.replace('class_name = "Order"', 'class_name = "Order", schedules = ["0 3 * * *"]')
    )
    ticks = {"0 3 * * *": datetime(2030, 1, 2, 3, tzinfo=UTC)}
    told = banner.lines(config.load(tmp_path / "wrangler.toml"), Loaded(), ticks, now=NOON, seen_from=tmp_path)

    assert "  schedule      0 3 * * *  at 03:00 UTC every day, next in 15 h (workflow order)" in list(told)
