"""`Date`: milliseconds since 1970."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.sdk.workers.proxy import JsException, JsProxy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Date(JsProxy):
    """A moment. Its parts are in UTC, the platform's time zone."""

    def __init__(self, *parts: Any) -> None:
        match parts:
            case ():
                self._ms: float = Date.now()
            case (Date() as other,):
                self._ms = other._ms
            case (datetime() as moment,):
                self._ms = math.floor(moment.timestamp() * 1000)
            case (str() as text,):
                self._ms = Date.parse(text)
            case (number,):
                self._ms = math.trunc(number)
            case (year, month, *rest):
                self._ms = Date.UTC(year, month, *rest)
            case _:
                raise TypeError(f"no Date can be made of {parts}")

    @staticmethod
    def now() -> int:
        return time.time_ns() // 1_000_000

    @staticmethod
    def parse(text: str) -> float:
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            return math.nan
        return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    @staticmethod
    def UTC(
        year: int, month: int = 0, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0
    ) -> int:
        years, months = divmod(month, 12)
        start = datetime(year + years, months + 1, 1, tzinfo=UTC)
        rest = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second, milliseconds=ms)
        return _milliseconds(start + rest)

    def setTime(self, milliseconds: float) -> float:
        self._ms = math.trunc(milliseconds)
        return self._ms

    def getTime(self) -> Any:
        return self._ms

    valueOf = getTime

    def toISOString(self) -> str:
        return self._moment().strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(self._ms) % 1000:03}Z"

    def toJSON(self) -> Any:
        return None if math.isnan(self._ms) else self.toISOString()

    def toUTCString(self) -> str:
        return self._moment().strftime("%a, %d %b %Y %H:%M:%S GMT")

    def getFullYear(self) -> int:
        return self._moment().year

    def getMonth(self) -> int:
        return self._moment().month - 1

    def getDate(self) -> int:
        return self._moment().day

    def getDay(self) -> int:
        return self._moment().isoweekday() % 7

    def getHours(self) -> int:
        return self._moment().hour

    def getMinutes(self) -> int:
        return self._moment().minute

    def getSeconds(self) -> int:
        return self._moment().second

    def getMilliseconds(self) -> int:
        return int(self._ms) % 1000

    getUTCFullYear = getFullYear
    getUTCMonth = getMonth
    getUTCDate = getDate
    getUTCDay = getDay
    getUTCHours = getHours
    getUTCMinutes = getMinutes
    getUTCSeconds = getSeconds

    def getTimezoneOffset(self) -> int:
        return 0

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        """The naive UTC datetime: a Date can cross wherever a datetime can."""
        return self._moment().replace(tzinfo=None)

    def __str__(self) -> str:
        if math.isnan(self._ms):
            return "Invalid Date"
        return self._moment().strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")

    __repr__ = __str__

    def _moment(self) -> datetime:
        if math.isnan(self._ms):
            raise JsException("RangeError", "Invalid time value")
        return _EPOCH + timedelta(milliseconds=self._ms)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
