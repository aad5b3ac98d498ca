"""An exception that is made again from its record: of the same class, with the same words."""

import json
import traceback

import pytest
from flows import notes, started

from emulator.runtime.traces import StepError, describe, revive
from emulator.sdk.workers.workflows import NonRetryableError


class Told(Exception):
    """Made with two arguments, and worded by what it has kept of them."""

    def __init__(self, who, what):
        super().__init__()
        self.words = f"{who}: {what}"

    def __str__(self):
        return self.words


class Numbered(Exception):
    """Cannot be made without its number."""

    def __new__(cls, number):
        return super().__new__(cls, number)


class Grouped(ExceptionGroup):
    """Has words of its own, whatever it holds."""

    def __new__(cls, errors):
        return super().__new__(cls, "grouped", errors)


class Sealed(Exception):
    """Nobody sets its arguments."""

    args = property(lambda error: ("sealed",))

    def __str__(self):
        return "it is sealed"


class Family(Exception):
    """Asks each class below it for a name, so that none can be made of it unasked."""

    def __init_subclass__(cls, *, name):
        super().__init_subclass__()

    def __str__(self):
        return f"family: {self.args[0]}"


def _raised(code):
    try:
        exec(code)
    except Exception as error:
        return error
    raise AssertionError(code)


MADE = [
    ValueError("no"),
    ValueError(),
    KeyError("tea"),
    KeyError(7),
    KeyError(object()),
    KeyError("a", "b"),
    FileNotFoundError(2, "No such file", "f"),
    _raised("b'\\xff'.decode()"),
    _raised("'\\ud800'.encode()"),
    _raised("compile('a b', 'f', 'exec')"),
    _raised("import json; json.loads('{')"),
    ExceptionGroup("two went wrong", [ValueError("a"), KeyError("b")]),
    Told("ann", "no"),
    StepError("Odd", "words"),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_error_is_made_again_with_its_words(error):
    """
    However its class words it, and whatever it was made with; also when it is recorded a second time.
    """
    once = revive(json.loads(json.dumps(describe(error))))
    twice = revive(json.loads(json.dumps(describe(once))))

    assert [str(error)] * 2 == [str(once), str(twice)]
    assert isinstance(once, type(error))
    assert [type(error).__name__] * 2 == [type(once).__name__, type(twice).__name__]


@pytest.mark.parametrize(
    "error", [Numbered(7), Grouped([ValueError("a")]), Sealed(), Family("no")], ids=lambda error: type(error).__name__
)
def test_an_error_whose_class_cannot_be_made_anew_keeps_its_name_and_words(error):
    """
    A pass that replays the step goes on with an error that can be caught, instead of breaking in the emulator's code.
    """
    made = revive(json.loads(json.dumps(describe(error))))

    assert (StepError, type(error).__name__, str(error)) == (type(made), made.name, made.message)


def test_an_error_that_stands_for_another_is_shown_in_plain_words():
    """
    The user's traceback ends with a name, and with the error's own name and words; where it is defined is ours.
    """
    shown = traceback.format_exception_only(StepError("Numbered", "7"))

    assert ["StepError: Numbered: 7\n"] == shown


@pytest.mark.parametrize("message", ["{[]}", "-" * 5000 + "1"], ids=["unhashable", "deep"])
def test_a_key_whose_words_are_no_value_is_its_words(message):
    """
    The text of a key may look like code that cannot be read.
    """
    assert (message,) == revive({"kind": "KeyError", "type": "builtins:KeyError", "message": message}).args


def test_a_key_is_the_same_key_again():
    """
    Code that looks for what was missing finds it.
    """
    assert ("tea",) == revive(describe(KeyError("tea"))).args


async def test_a_group_of_errors_is_a_group_when_replayed(emu):
    """
    What a task group raises in a step is caught as a group in each pass.
    """
    order = await started(
        emu,
        """
@step.do("many", config={"retries": {"limit": 0, "delay": 0}})
async def many():
    raise ExceptionGroup("two went wrong", [ValueError("a"), ValueError("b")])

try:
    await many()
except ExceptionGroup as error:
    note(str(error))
await step.sleep("nap", "1 hour")
await many()
""",
    )
    await emu.restart()
    await emu.advance(hours=1)

    assert ["two went wrong (2 sub-exceptions)"] * 2 == notes(emu)[:2]
    assert {"name": "ExceptionGroup", "message": "two went wrong (2 sub-exceptions)"} == order.error


def test_a_trace_names_classes_as_a_worker_imports_them():
    """
    Also of the exception that an exception came from; where it is made again from its record, it is found.
    """
    try:
        raise ValueError("outer") from NonRetryableError("inner")
    except ValueError as error:
        trace = describe(error)["trace"]

    assert "\nworkers.workflows.NonRetryableError: inner\n" in f"\n{trace}"
    assert "emulator.sdk" not in trace
    assert isinstance(revive(describe(NonRetryableError("inner"))), NonRetryableError)
