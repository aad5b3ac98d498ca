"""The five fields of a cron expression, and how the text of one becomes numbers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ITEM = re.compile(r"(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:/([0-9]+))?", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


@dataclass(frozen=True)
class Field:
    """One place of an expression: the numbers it takes, and the names of them, the lowest first."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    @property
    def everything(self) -> frozenset[int]:
        return frozenset(range(self.lowest, self.highest + 1))

    def numbers(self, text: str) -> frozenset[int]:
        """The numbers a whole field means: `*`, or items with commas between them."""
        if text == "*":
            return self.everything
        first = text.split(",")[0]
        if first.startswith("*") and not first.startswith("*/"):
            raise ValueError(f'after "*" nothing may follow but a step, got "{text}"')
        return frozenset(number for item in self.ranges(text) for number in item.numbers)

    def ranges(self, text: str) -> list[Range]:
        """The items of a list, each as its range."""
        return [self._item(item) for item in text.split(",")]

    def number(self, text: str) -> int:
        """The number that digits or a name stand for."""
        if not _DIGITS.fullmatch(text):
            return self._named(text)
        # What has more than three digits is too large, however large.
        number = int(text.lstrip("0")[:4] or "0")
        if not self.lowest <= number <= self.highest:
            raise ValueError(f"{text} is out of range, expected {self._expected}{self._hint(number)}")
        return number

    def word(self, number: int) -> str:
        """A number as it is best written."""
        return self.names[number - self.lowest] if self.names else str(number)

    def _item(self, text: str) -> Range:
        match = _ITEM.fullmatch(text)
        if match is None:
            raise ValueError(self._unreadable(text))
        first, last, step = match.groups()
        start = self.lowest if first == "*" else self.number(first)
        if last is not None:
            end = self.number(last)
        else:
            end = start if step is None else self.highest
        return Range(self, text, start, end, None if step is None else self._step(step))

    def _step(self, text: str) -> int:
        largest = self.highest - self.lowest
        step = int(text.lstrip("0")[:4] or "0")
        if not 1 <= step <= largest:
            raise ValueError(f"step {text} is out of range, expected 1 to {largest}")
        return step

    def _named(self, text: str) -> int:
        if text.upper() in self.names:
            return self.lowest + self.names.index(text.upper())
        if text[:3].upper() in self.names:
            raise ValueError(f'unknown name "{text}", names have three letters: {text[:3].upper()}')
        raise ValueError(self._unreadable(text))

    def _unreadable(self, text: str) -> str:
        if not text:
            return "a value is missing; a list is numbers with one comma between them"
        if text == "?":
            return 'there is no "?" here; write "*"'
        if set(text) & set("LW#lw") and not set(text) - set("0123456789LW#lw-"):
            return f'cannot read "{text}"; {self._special}'
        return f'cannot read "{text}", expected {self._expected}'

    @property
    def _special(self) -> str:
        match self.name:
            case "day of month":
                return "L, L-3, LW, L-3W and 15W, in capitals, stand alone in the field"
            case "day of week":
                return "L, 6L and 6#2, in capitals, stand alone in the field"
            case _:
                return "L, W and # belong in the day fields"

    @property
    def _expected(self) -> str:
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.lowest} to {self.highest}{names}"

    def _hint(self, number: int) -> str:
        is_sunday = self.name == "day of week" and number == 0
        return "; Sunday is 1 or SUN" if is_sunday else ""


@dataclass(frozen=True)
class Range:
    """An item of a field: from start to end, over the field's end and round again where the start is the later."""

    field: Field
    text: str
    start: int
    end: int
    step: int | None

    @property
    def wraps(self) -> bool:
        return self.start > self.end

    @property
    def numbers(self) -> list[int]:
        """From the start on, in the order of the range."""
        lowest, size = self.field.lowest, self.field.highest - self.field.lowest + 1
        span = (self.end - self.start) % size
        return [(self.start - lowest + distance) % size + lowest for distance in range(0, span + 1, self.step or 1)]


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"))
WEEKDAY = Field("day of week", 1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))

FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)
