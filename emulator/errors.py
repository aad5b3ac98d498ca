"""
Every error we raise.

EmulatorError            the user can put it right: one clear line, exit code 1
├── ConfigError          the config is wrong; carries every Problem, not just the first
├── DurationError        a duration nobody can read
├── CronError            a cron expression the platform would refuse; names the field
├── StateInUse           another emulator holds the state folder
├── StoreError           the store cannot be read or written (full disk, foreign file)
├── PortTaken            somebody else listens on the port
├── TokenNeeded          others could use the emulator; exit code 2
├── WorkerError          the user's code failed; carries the traceback with the user's frames first
│   └── WorkerGone       the user's process ended before it could answer
└── WorkflowError        a call on a workflow binding failed; has the platform's code
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class EmulatorError(Exception):
    """Something is wrong that the user can put right."""


@dataclass(frozen=True)
class Problem:
    """One complaint about the config: `file:line: path: message`."""

    path: str
    message: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(EmulatorError):
    """The config is wrong. `warnings` are what else was noticed until then."""

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)


class DurationError(EmulatorError, ValueError):
    """A duration is a number of milliseconds, a timedelta, or text such as "5 minutes"."""


class CronError(EmulatorError, ValueError):
    """A cron expression the platform would refuse."""

    def __init__(self, expression: str, field: str, why: str) -> None:
        # Of the expression as a whole no field need be named.
        self.complaint = why if field == "expression" else f"{field}: {why}"
        super().__init__(f'cron "{expression}": {self.complaint}')
        self.expression = expression
        self.field = field
        self.why = why


class StateInUse(EmulatorError):
    """Another emulator holds the state folder."""


class StoreError(EmulatorError):
    """The store cannot be read or written."""


class PortTaken(EmulatorError):
    """Somebody else listens on the port."""


class TokenNeeded(EmulatorError):
    """Others than this machine could use the emulator, and there is no token to keep them out."""


class WorkerError(EmulatorError):
    """
    The user's code failed.

    `kind` is the name of the exception's class, `message` its text, `trace` the printed traceback, user frames first.
    """

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.message = message
        self.trace = trace


class WorkerGone(WorkerError):
    """The user's process ended before it could answer."""

    def __init__(self, why: str) -> None:
        super().__init__("WorkerGone", why)


class WorkflowError(EmulatorError):
    """A call on a workflow binding failed: `(code) message`, codes as on the platform (`instance.not_found`, …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"({code}) {message}")
        self.code = code
        self.message = message
