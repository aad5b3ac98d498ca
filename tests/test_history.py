"""Instances, steps and attempts as the two APIs show them: tables of records and what is made of them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.api import schema, shapes
from emulator.api.history import History, created, find_step, local, one_step, rest, row
from emulator.models import Attempt, Failure, Instance, Status, Step, StepKind, StepState, Trigger
from emulator.runtime import values

START = datetime(2030, 1, 1, tzinfo=UTC)
VERSION = "11111111-1111-4111-8111-111111111111"
CONFIG = json.dumps({"retries": {"limit": 5, "delay": "1 second", "backoff": "linear"}, "timeout": "1 minute"})
BOOM = Failure(name="ValueError", message="boom", trace="Traceback …", type="builtins.ValueError")
SHOWN_BOOM = {"name": "ValueError", "message": "boom"}


def at(seconds):
    return START + timedelta(seconds=seconds)


def instance(status=Status.RUNNING, **more):
    fields = {"params": "{}", "epoch": 1, "trigger": Trigger.API, "created_at": START, "modified_at": START, **more}
    return Instance(key=1, workflow="order", id="one", status=status, **fields)


def step(kind=StepKind.DO, state=StepState.DONE, **more):
    config = CONFIG if kind in (StepKind.DO, StepKind.ROLLBACK) else "{}"
    fields = {"name": "s", "count": 1, "order": 1, "started_at": START, "config": config, **more}
    return Step(instance=1, kind=kind, state=state, **fields)


def shown(*steps, attempts=(), **more):
    """The single steps of the REST detail."""
    return rest(History(instance=instance(**more), steps=steps, attempts=attempts), version_id=VERSION)["steps"]


def test_a_row_names_its_version_and_its_times():
    """
    A list shows no params and no output; times that are not yet are null.
    """
    assert {
        "id": "one",
        "status": "running",
        "version_id": VERSION,
        "workflow_id": "w",
        "created_on": "2030-01-01T00:00:00.000Z",
        "modified_on": "2030-01-01T00:00:00.000Z",
        "started_on": "2030-01-01T00:00:01.500Z",
        "ended_on": None,
        "trigger_source": "api",
    } == row(instance(started_at=at(1.5)), version_id=VERSION, workflow_id="w")


def test_what_was_just_created_is_queued():
    """
    Whatever has become of it while the answer was written.
    """
    assert "queued" == created(instance(Status.COMPLETE), version_id=VERSION, workflow_id="w")["status"]


@pytest.mark.parametrize(
    ("status", "success"),
    [
        (Status.QUEUED, None),
        (Status.RUNNING, None),
        (Status.PAUSED, None),
        (Status.WAITING, None),
        (Status.COMPLETE, True),
        (Status.ERRORED, False),
        (Status.TERMINATED, False),
    ],
)
def test_success_is_known_at_the_end(status, success):
    """
    Null while it goes on.
    """
    assert success is rest(History(instance=instance(status), steps=()), version_id=VERSION)["success"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(Status.ERRORED, SHOWN_BOOM), (Status.RUNNING, None), (Status.TERMINATED, None)],
)
def test_an_error_is_that_of_an_errored_instance(status, error):
    """
    Name and message, no traceback; what an instance is being rolled back for is not its error yet.
    """
    assert error == rest(History(instance=instance(status, error=BOOM), steps=()), version_id=VERSION)["error"]


@pytest.mark.parametrize(
    ("output", "text", "value"),
    [
        (None, "null", None),
        ("null", "null", None),
        ('"x"', '"x"', "x"),
        ("0", "0", 0),
        ('{"a":[1]}', '{"a":[1]}', {"a": [1]}),
        (values.encode(b"ab"), '"[Uint8Array(2 bytes)]"', "[Uint8Array(2 bytes)]"),
        (values.encode(float("nan")), "null", None),
        (values.encode("tea ☕"), '"tea ☕"', "tea ☕"),
    ],
)
def test_an_output_is_text_for_one_and_a_value_for_the_other(output, text, value):
    """
    The REST API shows JSON text, the explorer the value.
    """
    history = History(instance=instance(Status.COMPLETE, output=output), steps=())

    assert text == rest(history, version_id=VERSION)["output"]
    assert value == local(history)["output"]


def test_a_step_shows_its_config_and_its_attempts():
    """
    The config as it was written, each attempt with its times and its error.
    """
    attempts = [
        Attempt(instance=1, order=1, attempt=1, started_at=at(0), ended_at=at(1), error=BOOM),
        Attempt(instance=1, order=1, attempt=2, started_at=at(2), ended_at=at(3)),
        Attempt(instance=1, order=2, attempt=1, started_at=at(4)),
    ]
    (found,) = shown(step(ended_at=at(3), result='{"n":1}', attempts=2), attempts=attempts)

    assert {
        "type": "step",
        "name": "s-1",
        "start": "2030-01-01T00:00:00.000Z",
        "end": "2030-01-01T00:00:03.000Z",
        "success": True,
        "output": '{"n":1}',
        "config": {"retries": {"limit": 5, "delay": "1 second", "backoff": "linear"}, "timeout": "1 minute"},
        "attempts": [
            {
                "start": "2030-01-01T00:00:00.000Z",
                "end": "2030-01-01T00:00:01.000Z",
                "success": False,
                "error": SHOWN_BOOM,
            },
            {"start": "2030-01-01T00:00:02.000Z", "end": "2030-01-01T00:00:03.000Z", "success": True, "error": None},
        ],
    } == found


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{}", {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}),
        (
            '{"retries": {"limit": 1, "backoff": "constant"}, "timeout": 5, "rollback": true}',
            {"retries": {"limit": 1, "delay": "[dynamic]", "backoff": "constant"}, "timeout": 5},
        ),
        (
            '{"retries": {"limit": 1, "delay": 0, "backoff": "linear"}, "timeout": 5, "sensitive": "output"}',
            {"retries": {"limit": 1, "delay": 0, "backoff": "linear"}, "timeout": 5, "sensitive": "output"},
        ),
    ],
    ids=["none", "a function decides", "sensitive"],
)
def test_a_config_is_shown_whole(config, expected):
    """
    Defaults where nothing was kept; a delay that a function decides has a marker.
    """
    (found,) = shown(step(config=config, result='"secret"'))

    assert expected == found["config"]
    assert ('"[REDACTED]"' if "sensitive" in expected else '"secret"') == found["output"]


@pytest.mark.parametrize(
    ("status", "state", "success", "end"),
    [
        (Status.RUNNING, StepState.STARTED, None, None),
        (Status.WAITING, StepState.BACKING_OFF, None, None),
        (Status.ERRORED, StepState.FAILED, False, "2030-01-01T00:00:05.000Z"),
        (Status.TERMINATED, StepState.STARTED, False, "2030-01-01T00:00:09.000Z"),
        (Status.COMPLETE, StepState.BACKING_OFF, False, "2030-01-01T00:00:09.000Z"),
    ],
)
def test_a_step_under_way_ends_with_its_instance(status, state, success, end):
    """
    Clients take a step without an end for one that still runs.
    """
    ended = {"ended_at": at(9)} if status.is_final else {}
    own = {"ended_at": at(5), "error": BOOM} if state is StepState.FAILED else {}
    found = shown(step(state=state, **own), status=status, **ended)[0]

    assert (success, end) == (found["success"], found["end"])


def test_what_waits_shows_when_it_would_end():
    """
    For the REST API; for the explorer it has no end.
    """
    waiting = [
        step(StepKind.SLEEP, StepState.STARTED, wake_at=at(60)),
        step(StepKind.WAIT, StepState.STARTED, wake_at=at(90), event_type="go", order=2),
    ]
    history = History(instance=instance(Status.WAITING), steps=waiting)
    theirs, ours = rest(history, version_id=VERSION)["steps"], local(history)["steps"]

    assert ["2030-01-01T00:01:00.000Z", "2030-01-01T00:01:30.000Z"] == [each["end"] for each in theirs]
    assert [None, None] == [each["end"] for each in ours]
    assert [False, False] == [each["finished"] for each in theirs]
    assert ("go", None) == (theirs[1]["event_type"], theirs[1]["output"])


@pytest.mark.parametrize("kind", [StepKind.SLEEP, StepKind.WAIT])
def test_what_waited_ends_with_its_instance(kind):
    """
    Not when it would have; in both spellings, and it has not finished.
    """
    waiting = step(kind, StepState.STARTED, wake_at=at(60))
    told = History(instance=instance(status=Status.TERMINATED, ended_at=at(5)), steps=[waiting])
    entries = [rest(told, version_id=VERSION)["steps"][0], local(told)["steps"][0]]

    assert [("2030-01-01T00:00:05.000Z", False)] * 2 == [(each["end"], each["finished"]) for each in entries]


def test_a_received_event_is_a_payload_or_the_event():
    """
    The REST API shows the payload as text, the explorer the event.
    """
    result = values.encode({"payload": {"ok": 1}, "type": "go", "timestamp": START})
    history = History(instance=instance(), steps=[step(StepKind.WAIT, ended_at=at(1), result=result, event_type="go")])

    assert '{"ok":1}' == rest(history, version_id=VERSION)["steps"][0]["output"]
    assert {"payload": {"ok": 1}, "type": "go", "timestamp": "2030-01-01T00:00:00.000Z"} == (
        local(history)["steps"][0]["output"]
    )


def test_a_wait_that_timed_out_has_its_error():
    """
    It is over, without an output.
    """
    error = Failure(name="WorkflowTimeoutError", message="late")
    (found,) = shown(step(StepKind.WAIT, StepState.FAILED, ended_at=at(1), error=error, event_type="go"))

    assert (True, {"name": "WorkflowTimeoutError", "message": "late"}, None) == (
        found["finished"],
        found["error"],
        found["output"],
    )


def test_rollbacks_are_steps_and_an_outcome():
    """
    Each undoing is an entry of its own kind, and the instance says how it went.
    """
    history = History(
        instance=instance(Status.ERRORED, error=BOOM, ended_at=at(9)),
        steps=[step(), step(StepKind.ROLLBACK, StepState.FAILED, order=2, error=BOOM, ended_at=at(3))],
    )
    found = rest(history, version_id=VERSION)

    assert ["step", "rollback"] == [each["type"] for each in found["steps"]]
    assert {"outcome": "failed", "error": SHOWN_BOOM} == found["rollback"]


def test_a_termination_is_the_last_entry():
    """
    And the first where the newest come first; it is no step.
    """
    history = History(instance=instance(Status.TERMINATED, ended_at=at(9)), steps=[step()])
    found = rest(history, version_id=VERSION, newest_first=True)

    assert ["termination", "step"] == [each["type"] for each in found["steps"]]
    assert 1 == found["step_count"]


def test_an_instance_of_a_cron_has_its_schedule():
    """
    The cron and the moment it stands for.
    """
    schedule = {"cron": "* * * * *", "scheduledTime": 1893456000000}
    history = History(instance=instance(schedule=json.dumps(schedule)), steps=())

    assert schedule == rest(history, version_id=VERSION)["schedule"]
    assert "schedule" not in rest(History(instance=instance(), steps=()), version_id=VERSION)


@pytest.mark.parametrize(
    ("status", "one", "expected"),
    [
        (Status.RUNNING, step(result="1"), {"status": "complete", "error": None, "output": 1}),
        (Status.RUNNING, step(state=StepState.FAILED, error=BOOM), {"status": "errored", "error": SHOWN_BOOM}),
        (Status.RUNNING, step(state=StepState.STARTED), {"status": "running", "error": None}),
        (Status.WAITING, step(state=StepState.BACKING_OFF), {"status": "waiting", "error": None}),
        (Status.PAUSED, step(state=StepState.BACKING_OFF), {"status": "paused", "error": None}),
        (Status.TERMINATED, step(state=StepState.STARTED), {"status": "terminated", "error": None}),
        (
            Status.WAITING,
            step(StepKind.WAIT, StepState.STARTED, event_type="go"),
            {"status": "waiting", "error": None, "event_type": "go"},
        ),
    ],
)
def test_a_single_step_has_a_status_of_its_own(status, one, expected):
    """
    In the words that instances have.
    """
    assert expected == one_step(History(instance=instance(status), steps=[one]), one)


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        ({"ended_at": at(1), "error": BOOM}, {"status": "errored", "error": SHOWN_BOOM}),
        ({}, {"status": "running", "error": None}),
        ({"ended_at": at(1)}, {"status": "complete", "error": None, "output": 1}),
    ],
    ids=["failed", "under way", "succeeded"],
)
def test_a_single_attempt_is_shown_by_itself(attempt, expected):
    """
    A failed one has its error, the one that succeeded the step's output.
    """
    one = step(result="1")
    found = Attempt(instance=1, order=1, attempt=1, started_at=START, **attempt)

    assert expected == one_step(History(instance=instance(), steps=[one]), one, found)


def test_a_step_is_found_by_its_kind_and_its_label():
    """
    The label has the counter.
    """
    steps = [step(name="a"), step(name="a", count=2), step(StepKind.WAIT, name="a")]

    assert steps[1] is find_step(steps, StepKind.DO, "a-2")
    assert steps[2] is find_step(steps, StepKind.WAIT, "a-1")
    assert find_step(steps, StepKind.WAIT, "a-2") is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    status=st.sampled_from([each for each in Status if each is not Status.UNKNOWN]),
    kind=st.sampled_from(StepKind),
    state=st.sampled_from(StepState),
    value=json_values,
)
def test_every_detail_fits_its_schema(status, kind, state, value):
    """
    Whatever is recorded, what is shown is what the OpenAPI document says, and can be written as JSON.
    """
    result = {"payload": value, "type": "go", "timestamp": START} if kind is StepKind.WAIT else value
    done = {"result": values.encode(result), "ended_at": at(1)} if state is StepState.DONE else {}
    output = values.encode(value) if status is Status.COMPLETE else None
    history = History(
        instance=instance(status, params=values.encode(value), output=output), steps=[step(kind, state, **done)]
    )

    assert schema.problem(rest(history, version_id=VERSION), shapes.DETAIL) is None
    assert schema.problem(local(history), shapes.LOCAL_DETAIL) is None
    assert json.dumps(rest(history, version_id=VERSION), allow_nan=False)
