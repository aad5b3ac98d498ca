"""An instance in the terminal: which rows there are, and what stands in them."""

import pytest

from emulator.cli.history import describe_instance

STARTED = "2030-01-01T12:00:00.000Z"
FAILED = "2030-01-01T12:00:01.000Z"
NOW = "2030-01-01T12:00:11.000Z"
BOOM = {"name": "ValueError", "message": "boom\nthe second line"}


def a_step(*attempts, success=None, delay="20 seconds", backoff="constant", **more):
    retries = {"limit": 3, "delay": delay, "backoff": backoff}
    return {
        "type": "step",
        "name": "charge-1",
        "start": STARTED,
        "end": None if success is None else FAILED,
        "success": success,
        "output": None,
        "config": {"retries": retries, "timeout": "10 minutes"},
        "attempts": list(attempts),
        **more,
    }


def an_attempt(*, success):
    error = BOOM if success is False else None
    return {"start": STARTED, "end": None if success is None else FAILED, "success": success, "error": error}


def a_wait(kind, name, *, finished, error=None):
    return {"type": kind, "name": name, "start": STARTED, "end": NOW, "finished": finished, "error": error}


def an_instance(*steps, status="waiting", success=None, end=None):
    return {
        "versionId": "7ad4226b",
        "status": status,
        "trigger": {"source": "api"},
        "queued": STARTED,
        "success": success,
        "start": STARTED,
        "end": end,
        "error": None,
        "rollback": None,
        "output": "null",
        "steps": list(steps),
    }


@pytest.fixture
def shown(capsys):
    """The lines of an instance, each without the spaces before it."""

    def shown(*steps, **what):
        describe_instance("order", "tea", an_instance(*steps, **what), limit=5000, now=NOW)
        return [line.strip() for line in capsys.readouterr().out.splitlines()]

    return shown


def row(name, lines):
    """What stands in a row; None if there is no such row."""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), None)


@pytest.mark.parametrize(
    ("attempts", "config", "told"),
    [
        (1, {}, "2030-01-01 12:00:21 (in 10 s)"),
        (2, {"backoff": "linear"}, "2030-01-01 12:00:41 (in 30 s)"),
        (3, {"backoff": "exponential"}, "2030-01-01 12:01:21 (in 1 min 10 s)"),
        (1, {"delay": 3000}, "2030-01-01 12:00:04 (in 0 ms)"),
        (1, {"delay": "[dynamic]"}, "unknown, since a function decides"),
        (4, {}, None),
        (0, {}, None),
        (2, {"success": False}, None),
    ],
    ids=["constant", "linear", "exponential", "due", "a-function-decides", "the-last", "not-tried-yet", "over"],
)
def test_a_step_that_backs_off_says_when_it_is_tried_again(shown, attempts, config, told):
    """
    The end of its last attempt and the delay as it has grown; other steps have no such row.
    """
    lines = shown(a_step(*[an_attempt(success=False)] * attempts, **config))

    assert told == row("Retries At", lines)


def test_a_step_under_way_is_not_tried_again(shown):
    """
    Its attempt after the one that failed has begun already.
    """
    lines = shown(a_step(an_attempt(success=False), an_attempt(success=None)))

    assert row("Retries At", lines) is None
    assert "Running" == row("Success", lines)


def test_what_waits_has_a_state_and_no_success_yet(shown):
    """
    A sleep, or a wait for an event, that is not over is waiting; how it went is told afterwards.
    """
    lines = shown(a_wait("sleep", "rest-1", finished=False))

    assert ("Waiting", None) == (row("State", lines), row("Success", lines))

    lines = shown(a_wait("sleep", "rest-1", finished=True))

    assert (None, "Yes") == (row("State", lines), row("Success", lines))


def test_what_waited_has_ended_with_its_instance(shown):
    """
    An instance that is over waits for nothing.
    """
    lines = shown(a_wait("sleep", "rest-1", finished=False), status="terminated", success=False, end=FAILED)

    assert ("Ended with its instance", None) == (row("State", lines), row("Success", lines[lines.index("Steps:") :]))


def test_an_error_without_words_is_its_name(shown):
    """
    No colon that nothing follows.
    """
    lines = shown(a_step(success=False, error={"name": "BdbQuit", "message": ""}))

    assert "BdbQuit" == row("Error", lines)


def test_attempts_stand_below_their_step(capsys):
    """
    Their table is further in than what it belongs to.
    """
    step = a_step(an_attempt(success=False), an_attempt(success=True), success=True)
    describe_instance("order", "tea", an_instance(step), limit=5000, now=NOW)
    printed = capsys.readouterr().out.splitlines()
    table = printed[next(at for at, line in enumerate(printed) if "┌" in line) :]

    assert {4} == {len(line) - len(line.lstrip()) for line in table}
    assert {2} == {len(line) - len(line.lstrip()) for line in printed if line.lstrip().startswith(("Name:", "Type:"))}


def test_what_goes_on_has_lasted_until_now(shown):
    """
    Both the instance and its step; what is over lasts no longer.
    """
    lines = shown(a_step(an_attempt(success=None)))

    assert ["11 s", "11 s"] == [line.partition(":")[2].strip() for line in lines if line.startswith("Duration:")]
    assert "1 s" == row("Duration", shown(status="complete", success=True, end=FAILED))


@pytest.mark.parametrize(
    ("success", "told"), [(True, "Yes"), (False, "No"), (None, None)], ids=["went-well", "failed", "not-over"]
)
def test_an_instance_says_how_it_ended(shown, success, told):
    """
    Nothing before it has.
    """
    assert told == row("Success", shown(success=success))
    assert "API" == row("Trigger", shown())


@pytest.mark.parametrize(
    ("last", "named"),
    [
        (a_wait("sleep", "rest-1", finished=True), "rest-1"),
        (a_wait("sleep", "rest-1", finished=False), "charge-1"),
        (a_wait("waitForEvent", "approval-1", finished=True, error=BOOM), "charge-1"),
        (a_step(an_attempt(success=False), success=False, name="ship-1"), "charge-1"),
        ({"type": "termination", "trigger": {"source": "user"}}, "charge-1"),
        (a_step(an_attempt(success=True), success=True, type="rollback", name="refund-1"), "charge-1"),
    ],
    ids=["slept", "sleeps", "timed-out", "failed", "terminated", "undone"],
)
def test_the_last_step_that_went_well_is_named(shown, last, named):
    """
    Only what is over counts, and only what did what it was to do.
    """
    lines = shown(a_step(an_attempt(success=True), success=True), last)

    assert named == row("Last Successful Step", lines)


def test_who_terminated_an_instance_is_named(shown):
    """
    As the API tells it.
    """
    lines = shown({"type": "termination", "trigger": {"source": "user"}})

    assert ["Type:     Termination", "Trigger:  user"] == lines[-2:]


def test_errors_have_their_column_where_there_are_any(shown):
    """
    An error of several lines stays in its column.
    """
    went_well = shown(a_step(an_attempt(success=True), success=True))
    failed = shown(a_step(an_attempt(success=False)))

    assert not any("Error" in line for line in went_well)
    assert any(line.endswith("│ ValueError: boom │") for line in failed)
    assert any(line.endswith("│ the second line  │") for line in failed)


@pytest.mark.parametrize("columns", ["80", "110"])
def test_a_table_is_no_wider_than_the_terminal(capsys, monkeypatch, columns):
    """
    A long error is broken into lines; a program that reads has it whole.
    """
    failed = {**an_attempt(success=False), "error": {"name": "ValueError", "message": "茶" * 20 + " a long story" * 40}}

    def printed(*, is_terminal):
        monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal, raising=False)
        describe_instance("order", "tea", an_instance(a_step(failed)), limit=5000, now=NOW)
        return [line for line in capsys.readouterr().out.splitlines() if "│" in line]

    monkeypatch.setenv("COLUMNS", columns)
    widths = {sum(2 if letter == "茶" else 1 for letter in line) for line in printed(is_terminal=True)}

    assert 1 == len(widths)
    assert max(widths) <= int(columns)
    assert 2 == len(printed(is_terminal=False))
