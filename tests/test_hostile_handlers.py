"""
Nothing that a handler does can end, freeze or corrupt the emulator: each harm of hostile.py, in each handler.

Those that take a process, or seconds, take turns here; `bench/hostile.py` does all of them in all handlers.
"""

import http.client
import os
import time

import pytest
from dev import eventually, is_running
from hostile import DIES, FAILS_OR_DIES, HANDLERS, HANGS, HARMS, Control, hostile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and descriptors"),
]


def turns():
    """Each harm with the handlers it is tried in."""
    for number, harm in enumerate(HARMS):
        own = harm.handlers[number % len(harm.handlers)]
        is_slow = harm.ends is HANGS or harm.name == "recursion in C"
        others = (
            () if is_slow else (HANDLERS[(number + 2) % 4],) if harm.ends in (DIES, FAILS_OR_DIES) else harm.handlers
        )
        for handler in dict.fromkeys((own, *others)):
            if handler in harm.handlers:
                yield pytest.param(harm, handler, id=f"{harm.name} in {handler}")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The worker, and an instance that has nothing to do with it all; at the end it must be as it was."""
    with hostile(tmp_path_factory.mktemp("hostile")) as served:
        served.create("bystander", "b")
        assert eventually(lambda: served.status_now("bystander", "b") == "waiting")
        yield served
        served.dev.until("/answer?id=b", lambda answer: answer.status == 200)
        status = served.status("bystander", "b")
        assert ("complete", '"complete"') == (status["status"], status["output"])
        assert 1 == len(served.notes("before bystander"))


@pytest.mark.parametrize(("harm", "handler"), list(turns()))
def test_a_harm_ends_where_it_was_done(served, harm, handler):
    """
    It is told what happened, the rest goes on, and what was under way is done again.
    """
    assert [] == served.does(harm, handler)


@pytest.mark.parametrize("harm", ["sleeps", "spins in C"])
def test_the_emulators_own_routes_answer_while_the_worker_hangs(served, harm):
    """
    Health, and the list of workflows, until the process has been replaced.
    """
    control = Control(served.dev)
    answer = served.dev.later("GET", f"/harm?name={harm.replace(' ', '%20')}")
    before = time.monotonic()
    while answer(0.02) is None:
        control.ask()
    control.close()

    assert 503 == answer().status
    assert time.monotonic() - before > 1
    assert len(control.seconds) > 20
    assert sorted(control.seconds)[len(control.seconds) // 2] < 0.1


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("returns what cannot be kept", ("errored", "run() returned a value that cannot be kept")),
        ("as many steps as there may be", ("complete", "100")),
        ("one step too many", ("errored", "100")),
    ],
)
def test_what_a_run_does_is_its_own_end(served, params, expected):
    """
    A value that cannot be kept, and a step too many, are errors of the instance, with words.
    """
    id = params.replace(" ", "-")
    served.create("odd", id, params)
    status = served.status("odd", id)

    assert expected[0] == status["status"]
    assert expected[1] in (status["output"] if status["error"] is None else status["error"]["message"])
    assert "ok" == served.dev.until("/", lambda answer: answer.status == 200).text


def test_an_instance_that_ends_the_process_again_and_again_is_put_on_hold(tmp_path):
    """
    After five times, also where its code does so between steps; others go on.
    """
    with hostile(tmp_path) as served:
        served.create("odd", "o", "ends the process each time")
        status = served.status("odd", "o")
        served.create("odd", "p", "as many steps as there may be")

        assert "paused" == status["status"]
        assert "odd/o" in served.dev.wait_for("paused: the worker's process ended 5 times in it")
        assert "complete" == served.status("odd", "p")["status"]


def test_an_endless_body_ends_when_its_reader_leaves(served):
    """
    Within a second; it has not been made any further than somebody read, but for a window.
    """
    before = len(served.notes("left"))
    connection = http.client.HTTPConnection("127.0.0.1", served.dev.port, timeout=10)
    connection.request("GET", "/harm?name=endless%20body")
    read = connection.getresponse().read(100_000)
    connection.close()

    assert b"x" * 100_000 == read
    assert eventually(lambda: len(served.notes("left")) > before, 1)


def test_a_streamed_length_that_lies_breaks_the_connection(served):
    """
    The reader knows that it has not got all, and the terminal says why.
    """
    with pytest.raises(http.client.IncompleteRead):
        served.dev.get("/harm?name=streamed%20length%20that%20lies")

    served.dev.wait_for("content-length 9, and its body has 6 bytes")


def test_what_a_worker_started_ends_with_it(tmp_path):
    """
    Threads, tasks and processes of an old version are gone after a save; of a process one is told.
    """
    with hostile(tmp_path) as served:
        first = served.pid()
        served.dev.get("/harm?name=leaves%20things%20behind")
        (child,) = (int(line.split()[1]) for line in served.notes("child"))

        assert is_running(child)

        code, _, left = served.dev.stop()

        assert (0, []) == (code, left)
        assert not is_running(child)
        assert not is_running(int(first))
        assert "a process that the worker had started was ended with it: sleep 3600" in served.dev.text


def test_a_handler_that_swallows_its_end_does_not_keep_the_emulator(tmp_path):
    """
    It is cancelled, does not listen, and goes with its process; so does the emulator, at once.
    """
    with hostile(tmp_path) as served:
        served.dev.later("GET", "/harm?name=swallows%20its%20end")
        assert eventually(lambda: served.notes("begins"))
        code, took, left = served.dev.stop()

        assert (0, []) == (code, left)
        assert took < 5
