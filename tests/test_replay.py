"""What is recorded against what the code asks for now: which steps run, and what is said."""

import json
from datetime import UTC, datetime

import pytest
from flows import notes, started, worker
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.models import Step, StepKind, StepState
from emulator.workflows.replay import Replay

START = datetime(2030, 1, 1, tzinfo=UTC)
DO, SLEEP, WAIT = StepKind.DO, StepKind.SLEEP, StepKind.WAIT


def recorded(*steps, beside=0):
    """A history: (kind, name) or (kind, name, settings) each, one after the other but for the last ones."""
    found, counts = [], {}
    for order, (kind, name, *rest) in enumerate(steps, 1):
        counts[kind, name] = counts.get((kind, name), 0) + 1
        found.append(
            Step(
                instance=1,
                kind=kind,
                name=name,
                count=counts[kind, name],
                order=order,
                state=StepState.DONE,
                started_at=START,
                ended_at=START,
                config=json.dumps({"settings": rest[0] if rest else "", "beside": order > len(steps) - beside}),
            )
        )
    return found


def complaints(history, *asked):
    """All that is said of a pass that asks so, to its end."""
    replay, counts, found = Replay(history), {}, []
    for kind, name, *rest in asked:
        counts[kind, name] = counts.get((kind, name), 0) + 1
        found.append(replay.asked((kind, name, counts[kind, name]), rest[0] if rest else ""))
    return [text for text in [*found, *replay.left_over()] if text]


A, B, C = (DO, "a"), (DO, "b"), (DO, "c")

TABLE = {
    "nothing recorded": ([], [A, B], []),
    "the same again": ([A, B], [A, B], []),
    "more at the end": ([A], [A, B], []),
    "the same name twice": ([A, A], [A, A], []),
    "inserted": ([A, C], [A, B, C], ['expected do "c", found do "b"; it runs as a new step']),
    "inserted in front": ([A], [B, A], ['expected do "a", found do "b"; it runs as a new step']),
    "renamed": (
        [A, B],
        [A, C],
        [
            'expected do "b", found do "c"; it runs as a new step',
            'recorded do "b" was not reached by the code as it is now',
        ],
    ),
    "reordered": ([A, B], [B, A], ['expected do "a", found do "b"; what was recorded of it holds']),
    "removed": (
        [A, B, C],
        [A, C],
        [
            'expected do "b", found do "c"; what was recorded of it holds',
            'recorded do "b" was not reached by the code as it is now',
        ],
    ),
    "removed at the end": ([A, B], [A], ['recorded do "b" was not reached by the code as it is now']),
    "another kind": (
        [A, (SLEEP, "b")],
        [A, B],
        [
            'expected sleep "b", found do "b"; it runs as a new step',
            'recorded sleep "b" was not reached by the code as it is now',
        ],
    ),
    "another count": (
        [A, A],
        [A],
        ['recorded do "a" (number 2) was not reached by the code as it is now'],
    ),
    "another duration": (
        [(SLEEP, "n", "for 1 h")],
        [(SLEEP, "n", "for 2 h")],
        ['expected sleep "n" for 1 h, found for 2 h; what was recorded holds'],
    ),
    "another event type": (
        [(WAIT, "w", "for x")],
        [(WAIT, "w", "for y")],
        ['expected wait_for_event "w" for x, found for y; what was recorded holds'],
    ),
    "one difference is said once": (
        [A, B, C],
        [(DO, "new"), A, B, C],
        ['expected do "a", found do "new"; it runs as a new step'],
    ),
}


@pytest.mark.parametrize(("history", "asked", "said"), TABLE.values(), ids=TABLE)
def test_what_is_said_of_a_difference(history, asked, said):
    """
    Recorded steps, what the code asks for now, and the complaints.
    """
    assert said == complaints(recorded(*history), *asked)


def test_parallel_steps_may_come_in_any_order():
    """
    Where steps ran together there is no one order to be held to.
    """
    assert [] == complaints(recorded(A, B, C, beside=2), C, A, B)


def test_what_comes_before_parallel_steps_has_its_order():
    """
    A step that was renamed is found, although others run side by side after it.
    """
    said = [
        'expected do "a", found do "d"; it runs as a new step',
        'recorded do "a" was not reached by the code as it is now',
    ]

    assert said == complaints(recorded(A, B, C, beside=1), (DO, "d"), C, B)


def test_what_was_undone_is_no_part_of_the_code():
    """
    Rollback records are not asked for by run().
    """
    assert [] == complaints(recorded(A, (StepKind.ROLLBACK, "a")), A)


def test_a_step_that_never_ended_is_not_missed():
    """
    Only finished work is worth a line when the code no longer comes to it.
    """
    (step,) = recorded(A)

    assert [] == list(Replay([Step(**{**vars(step), "state": StepState.STARTED, "ended_at": None})]).left_over())


steps = st.lists(st.sampled_from([A, B, C, (SLEEP, "a"), (WAIT, "b")]), max_size=6)


@given(steps)
@settings(max_examples=100, deadline=None)
def test_the_same_code_is_never_complained_of(history):
    """
    Whatever was recorded: asking for it again, whole, says nothing; and as far as it went says only what is missing.
    """
    assert [] == complaints(recorded(*history), *history)


@given(steps, steps)
@settings(max_examples=200, deadline=None)
def test_every_difference_is_said(history, asked):
    """
    Nothing is said exactly when the code asks for all that is recorded in its order, and then for more.
    """
    assert (asked[: len(history)] == history) == (complaints(recorded(*history), *asked) == [])


# After a save

STEPS = """
def do(name):
    @step.do(name)
    async def body():
        note(name)
        return name
    return body()

found = [await do("a")]
await step.sleep("nap", "1 hour")
found.append(await do("b"))
await step.sleep("long", "1 day")
return found
"""


async def after(emu, old, new):
    """An instance that stands in its last sleep, its code changed, run to the end. Returns it and what was said."""
    order = await started(emu, STEPS)
    await emu.advance(hours=1)
    emu.lines  # noqa: B018
    before = len(emu.lines)

    assert ["a", "b"] == notes(emu)

    code = worker(STEPS.replace(old, new))
    await emu.reload(code)
    await emu.advance(days=2)
    line = next((n for n, text in enumerate(code.splitlines(), 1) if new.splitlines()[0].strip() in text), 0)
    return order, emu.lines[before:], line


async def test_an_inserted_step_runs(emu):
    """
    The new step runs once, the others keep their results; the terminal says where.
    """
    old = 'found.append(await do("b"))'
    order, said, _ = await after(emu, old, f'found.append(await do("new"))\n{old}')

    assert ["a", "b", "new"] == notes(emu)
    assert ["a", "new", "b"] == order.output
    assert 'expected do "b", found do "new"; it runs as a new step' in said
    assert "entry.py:" in said


async def test_a_renamed_step_runs_under_its_new_name(emu):
    """
    The old record is kept and not used, and both is said.
    """
    order, said, _ = await after(emu, 'do("b")', 'do("c")')

    assert ["a", "b", "c"] == notes(emu)
    assert ["a", "c"] == order.output
    assert 'expected do "b", found do "c"; it runs as a new step' in said
    assert 'recorded do "b" was not reached by the code as it is now' in said


async def test_reordered_steps_keep_their_results(emu):
    """
    Nothing runs again; the first that is out of its place is named.
    """
    order, said, _ = await after(
        emu,
        'found = [await do("a")]\nawait step.sleep("nap", "1 hour")\nfound.append(await do("b"))',
        'found = [await do("b")]\nawait step.sleep("nap", "1 hour")\nfound.append(await do("a"))',
    )

    assert ["a", "b"] == notes(emu)
    assert ["b", "a"] == order.output
    assert 1 == said.count("expected do")
    assert 'expected do "a", found do "b"; what was recorded of it holds' in said


async def test_a_step_of_another_kind_runs(emu):
    """
    A sleep that has become a step of the same name is a new step.
    """
    order, said, _ = await after(emu, 'await step.sleep("nap", "1 hour")', 'await do("nap")')

    assert ["a", "b", "nap"] == notes(emu)
    assert 'expected sleep "nap", found do "nap"; it runs as a new step' in said
    assert "complete" == order.status


async def test_a_sleep_of_another_length_keeps_what_is_recorded(emu):
    """
    The sleep that is under way ends when it was to end; the line names file and line of the call.
    """
    order, said, line = await after(emu, 'step.sleep("long", "1 day")', 'step.sleep("long", "30 days")')

    assert "complete" == order.status
    assert f'entry.py:{line}: expected sleep "long" for 1 day, found for 30 days; what was recorded holds' in said


async def test_a_step_that_is_gone_is_missed_at_the_end(emu):
    """
    Work that was done and is not part of the result is worth a line.
    """
    order, said, _ = await after(emu, 'found.append(await do("b"))', "pass")

    assert ["a"] == order.output
    assert 'recorded do "b" was not reached' in said


async def test_the_same_code_says_nothing(emu):
    """
    A save without a difference in the steps leaves the terminal quiet.
    """
    _, said, _ = await after(emu, "found = [", "found  =  [")

    assert "expected" not in said
    assert "not reached" not in said


async def test_a_changed_config_of_a_started_step_waits_for_a_restart(emu):
    """
    The config in force is the one of the step's first attempt.
    """
    flaky = """
@step.do("s", config={"retries": {"limit": 5, "delay": "1 hour", "backoff": "constant"}})
async def s(ctx):
    note(str(ctx["attempt"]))
    raise ValueError
await s()
"""
    order = await started(emu, flaky)
    await emu.reload(worker(flaky.replace('"limit": 5', '"limit": 0')))
    await emu.advance(hours=1)

    assert ["1", "2"] == notes(emu)
    assert "waiting" == order.status

    await order.ask("restart")

    assert "errored" == order.status
