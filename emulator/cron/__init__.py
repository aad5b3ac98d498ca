"""The platform's cron dialect: an expression, read into explicit numbers. Times are in `times`, words in `words`."""

from emulator.cron.expression import Cron, parse

__all__ = ["Cron", "parse"]
