"""How passes of an instance are held while a test runs: parked, given up at every wait, or cut after every record."""

from datetime import timedelta

from emulator.workflows.ledger import Ledger
from emulator.workflows.owners import Limits
from emulator.workflows.run import Leaving

PARKED = "parked"
MODES = (PARKED, "replayed", "cut")


def limits(mode):
    """Parked passes stay in memory for a while; the others are given up at once where they wait."""
    return Limits(hot_window=timedelta(seconds=1) if mode == PARKED else timedelta())


def cut(monkeypatch):
    """
    After each record of something finished the pass ends and another one begins, as after a crash at that moment.

    Attempts that are under way beside it are let finish first: a crash would run them again.
    """
    for name in ("end_attempt", "end"):
        monkeypatch.setattr(Ledger, name, _and_leave(getattr(Ledger, name)))


def _and_leave(record):
    def record_and_leave(ledger, run, *arguments, **options):
        found = record(ledger, run, *arguments, **options)
        if run.leaving is None and not run.is_rolling_back:
            run.leaving = Leaving.GIVE_WAY
        return found

    return record_and_leave
