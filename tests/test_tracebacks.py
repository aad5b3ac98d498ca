"""Tracebacks as text: whose a frame is, and which frames are only counted."""

import pytest

from emulator import tracebacks

FASTAPI = "/p/.venv/lib/python3.11/site-packages/fastapi/routing.py"
PYTHON = "/usr/lib/python3.11/contextlib.py"


def frame(file, line=1, *, margin="  ", carets=True):
    """One frame as Python prints it."""
    lines = [f'{margin}File "{file}", line {line}, in call', f"{margin}  await call()"]
    return "\n".join([*lines, f"{margin}  ^^^^^^^^^^^^"] if carets else lines)


def trace(*parts, end="ValueError: no"):
    return "\n".join(["Traceback (most recent call last):", *parts, end])


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param("/home/me/src/entry.py", True, id="the user's"),
        pytest.param(FASTAPI, False, id="a package"),
        pytest.param("C:\\venv\\Lib\\site-packages\\fastapi\\routing.py", False, id="a package on Windows"),
        pytest.param(PYTHON, False, id="Python's own"),
        pytest.param("<frozen importlib._bootstrap>", False, id="frozen"),
        pytest.param(tracebacks.__file__, False, id="the emulator's"),
    ],
)
def test_whose_a_file_is(file, expected):
    """
    The user's files are those that nobody installed.
    """
    assert expected == tracebacks.is_users(file)


def test_a_long_run_of_others_frames_is_one_line():
    """
    The user's own frames stay as they are; the run before them is counted and named.
    """
    own = frame("/home/me/entry.py", 7)
    text = trace(*[frame(FASTAPI)] * 9, frame(PYTHON), own)

    assert trace("  … 10 frames of fastapi, Python", own) == tracebacks.folded(text)


def test_runs_are_counted_one_by_one():
    """
    What the user's code calls comes after it, as in every traceback.
    """
    own = frame("/home/me/entry.py", carets=False)
    text = trace(*[frame(FASTAPI)] * 3, own, *[frame("/v/site-packages/httpx.py", carets=False)] * 4)

    assert trace("  … 3 frames of fastapi", own, "  … 4 frames of httpx") == tracebacks.folded(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(trace(frame(FASTAPI), frame(FASTAPI), frame("/home/me/entry.py")), id="a short run"),
        pytest.param(trace(*[frame(FASTAPI)] * 20), id="nothing of the user's"),
        pytest.param("ValueError: no\n  and more of it\n", id="no traceback"),
        pytest.param("", id="nothing"),
        pytest.param(
            trace(frame("/home/me/a.py"), '  File "/home/me/a.py", line 3', "    x = (", "        ^"), id="syntax"
        ),
    ],
)
def test_what_stays_as_it_is(text):
    """
    Nothing is left out where that would save little, or leave nothing to look at.
    """
    assert text == tracebacks.folded(text)


def test_each_exception_of_a_chain_is_folded():
    """
    Causes and the words between them stay.
    """
    between = "\nThe above exception was the direct cause of the following exception:\n"
    first = trace(*[frame(FASTAPI)] * 5, frame("/home/me/a.py"), end="KeyError: 'x'")
    second = trace(*[frame(FASTAPI)] * 6, frame("/home/me/b.py"))
    folded = tracebacks.folded(f"{first}\n{between}\n{second}")

    assert folded.startswith(trace("  … 5 frames of fastapi", frame("/home/me/a.py"), end="KeyError: 'x'"))
    assert folded.endswith(f"{between}\n" + trace("  … 6 frames of fastapi", frame("/home/me/b.py")))


def test_a_group_keeps_its_margin():
    """
    In an exception group the line stands where the frames stood.
    """
    own = frame("/home/me/a.py", margin="  |   ")
    text = "\n".join(["  + Exception Group Traceback", *[frame(FASTAPI, margin="  |   ")] * 4, own, "  | ValueError"])

    assert "\n".join(["  + Exception Group Traceback", "  |   … 4 frames of fastapi", own, "  | ValueError"]) == (
        tracebacks.folded(text)
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("emulator.sdk.workers.workflows.WorkflowError: no", "workers.workflows.WorkflowError: no"),
        ("  | emulator.sdk.pyodide.ffi.ConversionError", "  | pyodide.ffi.ConversionError"),
        ("emulator.sdk.js.convert.ConversionError: x", "js.convert.ConversionError: x"),
        ("ValueError: emulator.sdk.workers", "ValueError: emulator.sdk.workers"),
        ("emulator.errors.StoreError: x", "emulator.errors.StoreError: x"),
    ],
    ids=["workers", "in-a-group", "js", "words", "the-emulator's-own"],
)
def test_an_exception_has_the_name_it_is_imported_by(line, told):
    """
    Where this package keeps the class is nobody's business.
    """
    assert f"Traceback\n{told}" == tracebacks.with_public_names(f"Traceback\n{line}")
