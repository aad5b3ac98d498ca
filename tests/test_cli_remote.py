"""The commands that ask a running emulator, against a real one; and those that read the source instead."""

import io
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import click
import pytest
from api import CODE, FLOW
from dev import PROJECT, Dev
from support import CONFIG, HELLO

from emulator.api.served import COUNTED
from emulator.cli import group, show
from emulator.cli.remote import Remote, path_of
from emulator.cli.whereabouts import noted, signposts
from emulator.errors import EmulatorError
from emulator.store.lock import FolderLock

CRONS = '[triggers]\ncrons = ["0 12 * * *"]\n'
CONSUMER = '[[queues.consumers]]\nqueue = "jobs"\nmax_batch_timeout = 60\ndead_letter_queue = "dead"\n'
SCHEDULED = "    async def scheduled(self, controller, env, ctx):\n        assert controller.cron != 'bad'\n"
QUEUED = "    async def queue(self, batch, env, ctx):\n        pass\n"
WORKER = CODE.replace("\nclass Order", f"\n{SCHEDULED}\n{QUEUED}\nclass Order", 1)


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("cli"), code=WORKER, config=FLOW + CONSUMER + CRONS) as running:
        yield running


@pytest.fixture
def ask(run, dev, monkeypatch):
    """A command in the folder of the running emulator."""
    monkeypatch.chdir(dev.folder)
    yield run
    run("workflows", "delete", "order")
    run("queues", "purge", "orders", "--force")
    run("clock", "reset")


@pytest.fixture
def wait(ask):
    """Run a command until what it prints matches."""

    def wait(pattern, *arguments):
        deadline = time.monotonic() + 10
        while not re.search(pattern, (found := ask(*arguments))[1]):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found[1]

    return wait


INSTANCES = ("workflows", "instances")


def every_command(command=group, path=()):
    for name, each in getattr(command, "commands", {}).items():
        if isinstance(each, click.Group):
            yield from every_command(each, (*path, name))
        else:
            yield (*path, name)


# Workflows


def test_the_statuses_to_ask_for_are_those_of_the_api():
    """
    The command line spells them out, since it would have to import much to ask.
    """
    instances = group.commands["workflows"].commands["instances"]
    (asked,) = (each for each in instances.commands["list"].params if each.name == "status")

    assert list(map(str, COUNTED)) == list(asked.type.choices)


def test_workflows_are_listed_and_described(ask):
    """
    A table, a block, and JSON that is the API's.
    """
    code, out, err = ask("workflows", "list")

    assert (0, "") == (code, err)
    assert out.startswith("Showing 1 of 1 workflow, page 1 of 1:\n")
    assert all(word in out for word in ("Script name", "Modified (UTC)", "order", "test-worker", "Order"))
    assert ["order"] == [each["name"] for each in json.loads(ask("workflows", "list", "--json")[1])]
    described = ask("workflows", "describe", "order")[1]

    assert "Class Name:   Order" in described
    assert "Latest Version:\n  Id:           " in described
    assert json.loads(ask("workflows", "describe", "order", "--json")[1])["latest_version"]["id"]


def test_an_instance_from_its_trigger_to_its_end(ask, wait):
    """
    Trigger, see it sleep, move the clock, send its event, see what it returned.
    """
    code, out, _ = ask("workflows", "trigger", "order", '{"sku": "tea"}', "--id", "order-1")

    assert (0, 'instance "order-1" of order has been queued\n') == (code, out)

    wait("Waiting", *INSTANCES, "list", "order")
    ask("clock", "advance", "1 second")
    wait("rest-1", *INSTANCES, "describe", "order")
    ask("clock", "advance", "1 minute")
    wait("approval-1", *INSTANCES, "describe", "order", "latest")
    sent = ask(*INSTANCES, "send-event", "order", "latest", "--type", "approve", "--payload", '{"by": "ann"}')
    out = wait("Completed", *INSTANCES, "describe", "order", "order-1")

    assert (0, 'event "approve" was sent to "order-1" of order\n') == sent[:2]
    assert re.search('Output: +{"by":{"by":"ann"}}', out)
    assert re.search("Last Successful Step: +approval-1", out)
    assert "ValueError: boom" in out
    assert "Step" in out
    assert "Output" not in ask(*INSTANCES, "describe", "order", "order-1", "--no-step-output")[1]
    assert "[…] 19 characters in all" in ask(*INSTANCES, "describe", "order", "--truncate-output-limit", "3")[1]
    assert "complete" == json.loads(ask(*INSTANCES, "describe", "order", "--json")[1])["status"]


def test_what_is_refused_is_told_in_options(ask, wait):
    """
    Who typed `--id` knows no field of the API; a step that is not there is answered with what to type.
    """
    id = ask("workflows", "trigger", "order", "--id", "bad id!")
    date = ask(*INSTANCES, "list", "order", "--date-start", "soon")
    ask("workflows", "trigger", "order", "--id", "named")
    wait("charge-1", *INSTANCES, "describe", "order", "named")
    step = ask(*INSTANCES, "restart", "order", "named", "--from-step-name", "charge", "--from-step-count", "7")

    assert (1, True) == (id[0], id[2].startswith("error: --id: 'bad id!' does not fit "))
    assert (1, True) == (date[0], date[2].startswith("error: --date-start: a time looks like "))
    assert (1, True) == (step[0], "there are charge" in step[2])

    ask("clock", "advance", "1 second")
    wait("rest-1", *INSTANCES, "describe", "order", "named")
    step = ask(*INSTANCES, "restart", "order", "named", "--from-step-name", "rest-1")

    assert "there are rest (--from-step-type sleep), charge" in step[2]


def test_a_page_after_the_last_is_called_so(ask):
    """
    Nothing on it does not mean that there is nothing.
    """
    assert (0, "", "no instances\n") == ask(*INSTANCES, "list", "order", "--page", "5")

    ask("workflows", "trigger", "order")

    assert (0, "", "no instances on page 5 of 1\n") == ask(*INSTANCES, "list", "order", "--page", "5")
    assert (0, "", "no workflows on page 2 of 1\n") == ask("workflows", "list", "--page", "2")


def test_a_question_that_nobody_can_answer_is_a_wrong_usage(ask, monkeypatch):
    """
    The option that asks nobody is named; nothing is forgotten.
    """
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ask("queues", "send", "orders", "1")
    code, _, err = ask("queues", "purge", "orders")

    assert (2, True) == (code, "nobody answers: standard input has ended; say --force" in err)
    assert 1 == len(json.loads(ask("queues", "peek", "orders", "--json")[1]))


def test_an_instance_is_paused_resumed_restarted_and_terminated(ask, wait):
    """
    One line each; what makes no sense is one line on stderr and exit code 1.
    """
    ask("workflows", "trigger", "order", "--id", "life")
    wait("Waiting", *INSTANCES, "list", "order")

    assert (0, 'instance "life" of order was paused\n', "") == ask(*INSTANCES, "pause", "order", "latest")
    assert "Paused" in ask(*INSTANCES, "list", "order", "--status", "paused")[1]
    assert (0, 'instance "life" of order was resumed\n', "") == ask(*INSTANCES, "resume", "order", "life")

    wait("charge-1", *INSTANCES, "describe", "order")
    restarted = ask(*INSTANCES, "restart", "order", "life", "--from-step-name", "charge", "--from-step-type", "do")

    assert (0, 'instance "life" of order was restarted\n', "") == restarted
    assert (
        "terminated" == json.loads(ask(*INSTANCES, "terminate", "order", "life", "--rollback", "--json")[1])["status"]
    )

    code, out, err = ask(*INSTANCES, "terminate", "order", "life")

    assert (1, "") == (code, out)
    assert "error: Cannot terminate instance since its on a finite state\n" == err


def test_instances_are_deleted_by_name_and_by_file(ask, tmp_path):
    """
    Those that are not there are named, and make it exit code 1.
    """
    for id in ("a", "b", "c"):
        ask("workflows", "trigger", "order", "--id", id)
    (tmp_path / "ids.json").write_text('["b", "nope"]')
    code, out, err = ask(*INSTANCES, "delete", "order", "a", "--filename", tmp_path / "ids.json")

    assert (1, "deleted a, b\n", "error: not there: nope\n") == (code, out, err)
    assert 1 == len(json.loads(ask(*INSTANCES, "list", "order", "--json")[1]))


def test_a_workflow_is_emptied(ask):
    """
    One line, or what the API answers.
    """
    code, out, err = ask("workflows", "delete", "order")

    assert (0, "the instances of order are gone; the workflow itself stands in the config\n", "") == (code, out, err)
    assert "ok" == json.loads(ask("workflows", "delete", "order", "--json")[1])["status"]


def test_a_list_can_be_paged_turned_and_filtered(ask):
    """
    Pages, the oldest first, and days.
    """
    for number in range(3):
        ask("workflows", "trigger", "order", "--id", f"i{number}")

    def ids(*more):
        return [each["id"] for each in json.loads(ask(*INSTANCES, "list", "order", "--json", *more)[1])]

    assert ["i2", "i1", "i0"] == ids()
    assert ["i0", "i1"] == ids("--reverse", "--per-page", "2")
    assert ["i0"] == ids("--page", "2", "--per-page", "2")
    assert [] == ids("--date-end", "2020-01-01")
    assert 3 == len(ids("--date-start", "2020-01-01", "--date-end", "2999-01-31"))
    assert "Showing 2 of 3 instances, page 1 of 2:\n" in ask(*INSTANCES, "list", "order", "--per-page", "2")[1]


def test_all_instances_are_terminated(ask):
    """
    Those of a status, or all.
    """
    ask("workflows", "trigger", "order", "--id", "a")
    code, out, _ = ask(*INSTANCES, "terminate-all", "order")

    assert (0, "1 instance of order terminated\n") == (code, out)
    assert "Terminated" in ask(*INSTANCES, "list", "order")[1]
    assert {"status": "ok"} == json.loads(ask(*INSTANCES, "terminate-all", "order", "--json")[1])
    assert "0 instances of order terminated\n" == ask(*INSTANCES, "terminate-all", "order", "--status", "waiting")[1]


def test_the_beginning_of_an_id_is_enough(ask):
    """
    Where it is unique and the id was made up; an id of one's own is only meant when it is given whole.
    """
    ids = [f"5487cfb3-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    for id in (*ids, "abcdef-12", "abcdef"):
        ask("workflows", "trigger", "order", "--id", id)
    made = json.loads(ask("workflows", "trigger", "order", "--json")[1])["id"]

    def described(id):
        return ask(*INSTANCES, "describe", "order", id)

    assert f"Instance Id:    {made}" in described(made[:8])[1]
    assert f'instance "{made}" of order was paused\n' == ask(*INSTANCES, "pause", "order", made[:6])[1]
    assert f"deleted {made}\n" == ask(*INSTANCES, "delete", "order", made[:8])[1]
    assert "Instance Id:    abcdef\n" in described("abcdef")[1]
    assert 'error: instance "abcdef-1" of order does not exist\n' == described("abcdef-1")[2]
    assert f'"5487cfb3" begins several ids of order: {ids[1]}, {ids[0]}; give' in described("5487cfb3")[2]


# Queues, crons, the clock


def test_queues_show_what_they_hold(ask):
    """
    Ready, delayed, where dead letters go; messages at the head; and nothing after a purge.
    """
    assert (0, "sent to orders\n", "") == ask("queues", "send", "orders", '{"sku": "tea"}')
    assert 0 == ask("queues", "send", "orders", "plain", "--content-type", "text", "--delay-seconds", "60")[0]

    found = {each["name"]: each for each in json.loads(ask("queues", "list", "--json")[1])}

    assert (1, 1, 0) == tuple(found["orders"][key] for key in ("ready", "delayed", "in_flight"))
    assert ("dead", ["test-worker"]) == (found["jobs"]["dead_letter_queue"], found["jobs"]["consumers"])
    assert found["dead"]["is_dead_letter_queue"]
    assert "dead letters" in ask("queues", "list")[1]
    assert ['{"sku": "tea"}', "plain"] == [
        each["body"] for each in json.loads(ask("queues", "peek", "orders", "--json")[1])
    ]
    assert '{"sku": "tea"}' in ask("queues", "peek", "orders", "--limit", "1")[1]
    assert (0, "orders is empty\n", "") == ask("queues", "purge", "orders", "--force")
    assert 'error: there is no queue "nope"; there are dead, jobs, orders\n' == ask("queues", "purge", "nope")[2]
    assert "orders holds no messages" in ask("queues", "peek", "orders")[2]


def test_a_queue_can_be_pulled_from(ask):
    """
    A pull consumer comes with settings, is shown, and goes; what a worker consumes has none.
    """
    settings = ("--batch-size", "7", "--visibility-timeout-secs", "9", "--dead-letter-queue", "dead")

    assert (0, "orders can be pulled from\n", "") == ask("queues", "consumer", "http", "add", "orders", *settings)
    assert "HTTP pull" in ask("queues", "list")[1]
    assert "test-worker already" in ask("queues", "consumer", "http", "add", "jobs")[2]
    assert (0, "orders can be pulled from no more\n", "") == ask("queues", "consumer", "http", "remove", "orders")
    assert "error: orders has no pull consumer\n" == ask("queues", "consumer", "http", "remove", "orders")[2]


def test_a_queue_is_paused_and_resumed(ask):
    """
    The list says so.
    """
    ask("queues", "pause-delivery", "jobs")

    assert "test-worker (paused)" in ask("queues", "list")[1]

    ask("queues", "resume-delivery", "jobs")

    assert "paused" not in ask("queues", "list")[1]


def test_crons_are_listed_and_triggered(ask):
    """
    In words, with the next tick; a handler that fails is exit code 1.
    """
    code, out, _ = ask("cron", "list")
    (found,) = json.loads(ask("cron", "list", "--json")[1])

    assert (0, True) == (code, "0 12 * * *" in out)
    assert found["next"].endswith("T12:00:00.000Z")
    assert (0, "ok\n", "") == ask("cron", "trigger", "0 12 * * *", "--time", "2030-01-01T12:00:00Z")
    assert "ok" == json.loads(ask("cron", "trigger", "x", "--json")[1])["outcome"]
    assert (0, "ok\n", "not one of this worker's crons: x; it has 0 12 * * *\n") == ask("cron", "trigger", "x")

    code, out, err = ask("cron", "trigger", "bad")

    assert (1, "") == (code, out)
    assert "error: the scheduled handler ended with: exception" in err
    assert "no worker is called" in ask("cron", "trigger", "x", "--worker", "nope")[2]


def test_the_clock_is_shown_moved_and_reset(ask):
    """
    Forward by a duration, to a moment, and back to the machine's time.
    """
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", ask("clock")[1])
    assert "ahead" in ask("clock", "advance", "3 days")[1]

    soon = (datetime.now(UTC) + timedelta(days=5)).replace(hour=1, minute=2, second=3, microsecond=0)

    assert f"{soon:%Y-%m-%d} 01:02:0" in ask("clock", "set", soon.isoformat())[1]
    assert "behind" in ask("clock", "set", "2020-01-01")[1]
    assert abs(json.loads(ask("clock", "reset", "--json")[1])["offset_ms"]) < 1000
    assert 0 == ask("clock", "show")[0]
    assert "a duration is a number of milliseconds" in ask("clock", "advance", "soon")[2]


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*INSTANCES, "list", "nope"), 'no workflow "nope" here; there are order'),
        ((*INSTANCES, "describe", "order"), "order has no instances"),
        ((*INSTANCES, "describe", "order", "nope"), 'instance "nope" of order does not exist'),
        ((*INSTANCES, "describe", "order", "../../x"), 'instance "../../x" of order does not exist'),
        ((*INSTANCES, "pause", "order", "abcdef"), 'instance "abcdef" of order does not exist'),
        ((*INSTANCES, "send-event", "order", "nope", "--type", "t"), 'instance "nope" of order does not exist'),
        (("workflows", "trigger", "order", "--id", "a b"), "does not fit"),
        (("queues", "peek", "nope"), 'no queue "nope"; there are dead, jobs, orders'),
        (("workflows", "graph", "nope"), 'no workflow is called "nope"; the config has order'),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_must_be_put_right_is_one_line(ask, arguments, words):
    """
    On stderr, with exit code 1 and nothing on stdout.
    """
    code, out, err = ask(*arguments)

    assert (1, "", 1) == (code, out, err.count("\n"))
    assert words in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("workflows",),
        ("workflows", "trigger", "order", "no json"),
        (*INSTANCES, "restart", "order", "x", "--from-step-count", "2"),
        (*INSTANCES, "restart", "order", "x", "--from-step-name", "a", "--from-step-type", "nap"),
        (*INSTANCES, "send-event", "order", "x"),
        (*INSTANCES, "send-event", "order", "x", "--type", "t", "--payload", "{"),
        (*INSTANCES, "delete", "order"),
        (*INSTANCES, "list", "order", "--status", "done"),
        (*INSTANCES, "list", "order", "--per-page", "101"),
        ("queues", "send", "orders", "no json"),
        ("queues", "send", "orders", "1", "--delay-seconds", "-1"),
        ("clock", "set", "soon"),
        ("workflows", "list", "--port", "0"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_is_exit_code_two(run, arguments, tmp_path, monkeypatch):
    """
    A usage error needs no emulator.
    """
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(*arguments)

    assert (2, "") == (code, out)


@pytest.mark.parametrize(
    "command", [each for each in every_command() if each[0] in ("workflows", "queues", "clock")], ids=" ".join
)
def test_without_an_emulator_it_says_how_to_start_one(run, command, tmp_path, monkeypatch):
    """
    Every command that asks one says where it looked and what to do.
    """
    if command[-1] == "graph":
        pytest.skip("reads the source")
    monkeypatch.chdir(tmp_path)
    given = {"set": ["2030-01-01"], "advance": ["1 day"], "send-event": ["--type", "t"], "purge": ["--force"]}
    names = ["order", "1"][: _arguments_of(command)] if command[0] != "clock" else []
    code, out, err = run(*command, *names, *given.get(command[-1], []), "--port", "9")

    assert (1, "") == (code, out)
    assert err.startswith("error: no emulator runs on port 9; start it with `emulator dev`, or give the port")
    assert err.endswith("--port NUMBER\n")


def _arguments_of(path):
    command = group
    for name in path:
        command = command.commands[name]
    return sum(isinstance(param, click.Argument) for param in command.params)


def test_something_else_on_the_port_is_noticed(tmp_path):
    """
    What does not speak JSON, or not ours, is no emulator.
    """
    with Dev(tmp_path, code=CODE, config=FLOW) as other:
        remote = Remote(other.port)

        with pytest.raises(EmulatorError, match="does not answer like an emulator"):
            remote.call("GET", "/")


# Where it looks


def noted_port(folder):
    """The port of the emulator that serves the project of a folder, if one runs."""
    place = noted(folder)
    return None if place is None else place.port


def test_the_port_of_the_projects_own_emulator_is_found(dev, tmp_path, monkeypatch):
    """
    From the folder of the project and from those below it; not elsewhere.
    """
    below = dev.folder / "src" / "deep"
    below.mkdir(parents=True, exist_ok=True)

    assert dev.port == noted_port(dev.folder) == noted_port(below)
    assert noted_port(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only there is all of 127/8 this machine's own")
def test_the_one_address_that_is_listened_on_is_found(tmp_path):
    """
    Where the emulator does not listen on 127.0.0.1, its lock says where it does.
    """
    with Dev(tmp_path, "--ip", "127.0.0.9", code=CODE, config=FLOW) as dev:
        ended = subprocess.run(
            [sys.executable, "-m", "emulator", "queues", "list"], cwd=dev.folder, capture_output=True, text=True
        )

    assert (0, True) == (ended.returncode, "orders" in ended.stdout)


def test_a_port_that_was_left_behind_is_not_believed(tmp_path):
    """
    An emulator that was killed leaves its note; nobody holds the lock any more.
    """
    (tmp_path / ".emulator").mkdir()
    lock = FolderLock(tmp_path / ".emulator")
    lock.note_port(4321)

    assert 4321 == noted_port(tmp_path)

    lock.release()

    assert noted_port(tmp_path) is None


@pytest.fixture
def usual(dev, monkeypatch):
    """The running emulator is on the usual port."""
    monkeypatch.setattr("emulator.cli.remote._PORT", dev.port)
    return dev


@pytest.mark.parametrize(
    "arguments",
    [("queues", "list"), ("queues", "purge", "orders", "--force"), ("clock", "advance", "1 day"), ("cron", "list")],
    ids=" ".join,
)
def test_a_project_that_nobody_serves_is_not_taken_for_another(run, usual, tmp_path, monkeypatch, arguments):
    """
    Who is on the usual port is named, and asked only if that is said.
    """
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)

    assert (1, "") == (code, out)
    assert (
        f"error: no emulator serves {tmp_path}/wrangler.toml; the one on port {usual.port} serves"
        f" {usual.folder}/wrangler.toml: start yours with `emulator dev`, or ask that one with --port {usual.port}\n"
    ) == err
    assert 0 == run("queues", "list", "--port", usual.port)[0]


def test_outside_of_any_project_the_usual_port_is_asked(run, usual, tmp_path, monkeypatch):
    """
    Nobody can be meant but who is there.
    """
    monkeypatch.chdir(tmp_path)

    assert 0 == run("queues", "list")[0]


def test_a_project_within_one_that_is_served_is_another(run, usual, monkeypatch):
    """
    The emulator of a folder above serves this one only if there is no config between.
    """
    nested = usual.folder / "packages" / "other"
    nested.mkdir(parents=True)
    (nested / "wrangler.toml").write_text(CONFIG)
    monkeypatch.chdir(nested)

    assert noted_port(nested) is None
    assert "error: no emulator serves" in run("queues", "list")[2]


def test_an_emulator_that_keeps_its_state_elsewhere_is_found_on_the_usual_port(run, tmp_path, monkeypatch):
    """
    It has left no note beside the config, and says itself which project it serves.
    """
    (tmp_path / "shop").mkdir()
    with Dev(tmp_path / "shop", "--persist-to", tmp_path / "state", code=CODE, config=FLOW) as dev:
        monkeypatch.setattr("emulator.cli.remote._PORT", dev.port)
        monkeypatch.chdir(dev.folder)

        assert 0 == run("queues", "list")[0]


def test_an_emulator_that_asks_for_a_token_is_not_taken_for_ours(run, tmp_path, monkeypatch):
    """
    Without the token it says nothing of what it serves.
    """
    (tmp_path / "shop").mkdir()
    token = {"EMULATOR_API_TOKEN": "x" * 32}
    with Dev(tmp_path / "shop", code=CODE, config=FLOW, environment=token) as dev:
        monkeypatch.setattr("emulator.cli.remote._PORT", dev.port)
        (tmp_path / "wrangler.toml").write_text(CONFIG)
        monkeypatch.chdir(tmp_path)

        assert "asks for a token before it says what it serves: start yours" in run("queues", "list")[2]


@pytest.mark.parametrize("served", [{"detail": "Not Found"}, {"a": 1}, [], [1, 2], [{"worker": "x"}]], ids=json.dumps)
@pytest.mark.parametrize("status", [200, 404])
def test_a_stranger_on_the_usual_port_is_not_taken_for_an_emulator(run, tmp_path, monkeypatch, status, served):
    """
    Any server may be there, and many answer any path in JSON: with no list of configs it is none of ours.
    """
    monkeypatch.setattr("emulator.cli.remote.Remote._exchange", lambda *_: (status, served))
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    code, _, err = run("queues", "list")

    assert (1, "error: what runs on port 8787 does not answer like an emulator; say where with --port\n") == (code, err)


def test_one_emulator_of_several_projects_is_found_from_each(tmp_path):
    """
    From each project's folder; afterwards nothing is left behind.
    """
    projects = [tmp_path / "a", tmp_path / "b"]
    for each in projects:
        each.mkdir()
    (tmp_path / "a" / ".emulator").mkdir()
    lock = FolderLock(tmp_path / "a" / ".emulator")

    with signposts(projects, tmp_path / "a" / ".emulator"):
        assert noted_port(tmp_path / "b") is None

        lock.note_port(4321)

        assert [4321, 4321] == [noted_port(each) for each in projects]

    assert [4321, None] == [noted_port(each) for each in projects]
    assert [] == list(projects[1].iterdir())
    assert {*projects} == {*tmp_path.iterdir()}

    lock.release()


def test_a_signpost_that_leads_to_somebody_is_left_alone(tmp_path):
    """
    A second emulator of the same project, even one that is refused, does not hide the first.
    """
    first = tmp_path / "first"
    first.mkdir()
    lock = FolderLock(first)
    lock.note_port(4321)

    with signposts([tmp_path], first):
        with signposts([tmp_path], tmp_path / "second"):
            assert 4321 == noted_port(tmp_path)

        assert 4321 == noted_port(tmp_path)

        lock.release()

        assert noted_port(tmp_path) is None


def test_a_signpost_is_for_one_process(tmp_path):
    """
    One that was left behind by an emulator that was killed does not lead to the next on the same state folder.
    """
    lock = FolderLock(tmp_path)
    lock.note_port(4321)
    (tmp_path / "b" / ".emulator").mkdir(parents=True)
    (tmp_path / "b" / ".emulator" / "served-from").write_text(json.dumps({"pid": 1, "state": str(tmp_path)}))

    assert noted_port(tmp_path / "b") is None

    lock.release()


def test_a_project_served_beside_another_finds_its_emulator(tmp_path):
    """
    A real one, with two configs.
    """
    below = tmp_path / "b"
    below.mkdir()
    (below / "wrangler.toml").write_text(CONFIG.replace("test-worker", "second"))
    (below / "entry.py").write_text(HELLO)
    with Dev(tmp_path, "-c", below, code=HELLO) as two:
        assert two.port == noted_port(below)


@pytest.mark.parametrize("text", ["", "{", " []", ' {"port": "x"}', " \xff"])
def test_a_spoilt_note_is_no_note(tmp_path, text):
    """
    Whatever stands in the file.
    """
    (tmp_path / ".emulator").mkdir()
    (tmp_path / ".emulator" / "lock").write_text(text, "latin-1")
    (tmp_path / ".emulator" / "served-from").write_text(text, "latin-1")

    assert noted_port(tmp_path) is None


def test_names_cannot_leave_their_place_in_a_path():
    """
    Slashes, question marks and dots are escaped.
    """
    assert "/a/..%2Fb%3Fc%23/%2A%20x" == path_of("a", "../b?c#", "* x")


# How it prints


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_what_prints_data_prints_json(command):
    """
    All but what only does something, and says so in one line.
    """
    done = {"dev", "init", "reset", "types", "purge", "pause-delivery", "resume-delivery"}
    done |= {"add", "remove"}
    found = group
    for name in command:
        found = found.commands[name]
    has_json = any("--json" in param.opts for param in found.params)

    assert has_json or command[-1] in done


def test_colours_are_for_terminals(monkeypatch, capsys):
    """
    None in a pipe, and none with NO_COLOR; what an output holds cannot steer the terminal.
    """
    show.line(show.status("complete"))
    show.line("a\x1b[2Jb\x07c\u202e")

    assert "Completed\na\\x1b[2Jb\\x07c\\u202e\n" == capsys.readouterr().out


def test_a_table_fits_what_it_holds(capsys):
    """
    Wide characters are two columns wide; where boxes cannot be drawn there are dashes.
    """
    show.table(["a", "b"], [["茶", "x"]], otherwise="none")
    drawn = capsys.readouterr().out.splitlines()

    assert ["┌────┬───┐", "│ a  │ b │", "├────┼───┤", "│ 茶 │ x │", "└────┴───┘"] == drawn


def test_lines_stay_in_their_place(capsys):
    """
    A cell or a value of several lines goes on below where it began.
    """
    show.table(["a", "b"], [["one\ntwo", "x"]], otherwise="none")
    show.block([("Error", "one\ntwo")], indent=2)
    drawn = capsys.readouterr().out.splitlines()

    assert ["│ one │ x │", "│ two │   │"] == drawn[3:5]
    assert ["  Error:  one", "          two"] == drawn[6:]


def test_a_graph_needs_no_emulator(run, tmp_path, monkeypatch, dev):
    """
    As an outline, as Mermaid, as JSON; read from the config and the source alone.
    """
    (tmp_path / "wrangler.toml").write_text((dev.folder / "wrangler.toml").read_text())
    (tmp_path / "entry.py").write_text((dev.folder / "entry.py").read_text())
    monkeypatch.chdir(tmp_path)

    outline = 'Order\n  do charge\n  sleep rest (1 minute)\n  wait approval (for "approve", at most 1 hour)\n'

    assert (0, outline, "") == run("workflows", "graph", "order")
    assert run("workflows", "graph", "order", "--mermaid")[1].startswith("flowchart TD\n")
    assert "Order" == json.loads(run("workflows", "graph", "order", "--json")[1])["workflow"]["class_name"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("workflows", "list"), ("queues", "list"), ("clock",), ("cron", "list")], ids=" ".join
)
def test_each_answers_fast(dev, arguments):
    """
    A command takes less than 0.4 seconds from the shell's point of view.
    """
    times = []
    for _ in range(5):
        began = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "emulator", *arguments],
            cwd=dev.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            capture_output=True,
        )
        times.append(time.perf_counter() - began)

        assert 0 == ended.returncode

    assert min(times) < 0.4


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(shell):
    """
    The script for each shell is printed, and completes what was begun.
    """
    program = [sys.executable, "-c", "import sys; sys.argv[0] = 'emulator'; from emulator.cli import main; main()"]
    script = subprocess.run(
        program,
        env={**os.environ, "_EMULATOR_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        cwd=PROJECT,
    )

    if shell == "bash" and "4.4" in script.stderr:
        pytest.skip("bash is too old here, or missing")

    assert "_EMULATOR_COMPLETE" in script.stdout

    words = {"COMP_WORDS": "emulator workflows ins", "COMP_CWORD": "ins" if shell == "fish" else "2"}
    found = subprocess.run(
        program,
        env={**os.environ, **words, "_EMULATOR_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        cwd=PROJECT,
    )

    assert "instances" in found.stdout
