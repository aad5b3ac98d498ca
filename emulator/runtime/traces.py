"""An exception as the other side shows it: class, text, place, and a traceback that starts with the user's frames."""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from emulator.sdk.workers.proxy import JsException
from emulator.sdk.workers.workflows import WorkflowFatalError, WorkflowTimeoutError
from emulator.tracebacks import with_public_names

_ENGINES = (WorkflowTimeoutError, WorkflowFatalError)
_OURS = str(Path(__file__).parents[1])
# We import the worker through it; an import of the worker's own does not pass there.
_IMPORTER = importlib.__file__
_LONGEST_MESSAGE = 8_000
_LONGEST_TRACE = 64_000


class StepError(Exception):
    """A step failed in an earlier pass with an exception that cannot be made again; has `.name` and `.message`."""

    # In a traceback a class of Python's own has no module before its name; ours would say nothing to the user.
    __module__ = "builtins"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        self.name = name
        self.message = message


def describe(error: BaseException, root: str = "") -> dict[str, Any]:
    """What crosses of an exception. Never raises, whatever its `__str__` does."""
    _make_room(error)
    known = isinstance(error, StepError)
    return {
        "kind": error.name if isinstance(error, StepError) else type(error).__name__,
        "type": "" if known else f"{type(error).__module__}:{type(error).__qualname__}",
        "message": (error.message if isinstance(error, StepError) else _text(error))[:_LONGEST_MESSAGE],
        "trace": _trace(error),
        "place": _place(error, root),
    }


def _make_room(error: BaseException) -> None:
    """Whoever ran out of memory still holds it, in the variables of the frames it was raised through."""
    links: BaseException | None = error
    seen: set[int] = set()
    while links is not None and id(links) not in seen:
        seen.add(id(links))
        if isinstance(links, MemoryError):
            traceback.clear_frames(links.__traceback__)
        links = links.__cause__ or links.__context__


def revive(error: dict[str, Any]) -> Exception:
    """
    The exception a description stands for: of the same class where that is at hand, a StepError otherwise.
    """
    if error["kind"] == JsException.__name__:
        js_name, _, js_message = error["message"].partition(": ")
        return JsException(js_name, js_message)
    module, _, name = error.get("type", "").partition(":")
    kind = getattr(sys.modules.get(module), name, None) or _known(error["kind"])
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return StepError(error["kind"], error["message"])
    try:
        return _made(kind, error["message"])
    except Exception:
        # The class has a `__new__`, an `args` or an `__init_subclass__` that asks for what nobody kept.
        return StepError(error["kind"], error["message"])


def _made(kind: type[Exception], message: str) -> Exception:
    if issubclass(kind, ExceptionGroup):
        return _worded(kind, message)(message, [StepError("Exception", "what the group held was not kept")])
    # Without `__init__`: a class of the user's may ask for arguments that nobody kept.
    made = kind.__new__(kind)
    made.args = (_key(message) if issubclass(kind, KeyError) else message,) if message else ()
    if _text(made) == message:
        return made
    worded = _worded(kind, message)
    made = worded.__new__(worded)
    made.args = (message,)
    return made


def _worded(kind: type[Exception], message: str) -> type[Exception]:
    """The same class for all who ask, with these words: its own are made of what was not kept."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {"__str__": lambda error: message, **names})


def _key(message: str) -> Any:
    """What was not found: a KeyError shows it as it is written in code."""
    try:
        return ast.literal_eval(message)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return message


def _known(name: str) -> Any:
    """The classes the engine itself names, and Python's own."""
    return getattr(builtins, name, None) or {kind.__name__: kind for kind in _ENGINES}.get(name)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<its text could not be made: __str__ failed>"


def _trace(error: BaseException) -> str:
    try:
        summary = traceback.TracebackException.from_exception(error, compact=True)
    except Exception:
        return f"{type(error).__name__}: {_text(error)}"
    _leave_out_ours(summary, seen=set())
    text = with_public_names("".join(summary.format()))
    if len(text) <= _LONGEST_TRACE:
        return text
    return text[: _LONGEST_TRACE // 2] + "\n  [...]\n" + text[-_LONGEST_TRACE // 2 :]


def _leave_out_ours(summary: traceback.TracebackException, seen: set[int]) -> None:
    if id(summary) in seen:
        return
    seen.add(id(summary))
    users = [frame for frame in summary.stack if not _is_ours(frame.filename)]
    summary.stack = traceback.StackSummary.from_list(users)
    for other in (summary.__cause__, summary.__context__):
        if other is not None:
            _leave_out_ours(other, seen)


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen importlib")) or filename == _IMPORTER


def _place(error: BaseException, root: str) -> list[Any] | None:
    """File and line of the user's innermost frame."""
    if isinstance(error, SyntaxError) and error.filename:
        return [error.filename, error.lineno or 1]
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [place for place in frames if place[0].startswith(root) and "site-packages" not in place[0]] if root else []
    others = [place for place in frames if not _is_ours(place[0])]
    found = own or others
    return list(found[-1]) if found else None
