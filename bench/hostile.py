"""
Have every harm of tests/hostile.py done in every handler, and take the time of the emulator's own routes meanwhile.

    python bench/hostile.py [--only TEXT]

Prints a table, one row a harm: in how many handlers it ended as it should, how long health and the list of workflows
took to answer (p50, p99, the longest), and how long another route of the worker took to answer again. Exit code 1 if
anything was not as it should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from hostile import HARMS, Control, Harm, Hostile, hostile

_PAUSE = 0.005
_BAR_MS = 100
_COLUMNS = ("what a handler does", "ends", "handlers", "own routes p50", "p99", "longest", "back after", "")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came of one harm, in all its handlers."""

    harm: Harm
    wrong: list[str]
    milliseconds: list[float]
    back: float

    @property
    def p99(self) -> float:
        return quantiles(self.milliseconds, n=100, method="inclusive")[-1]

    @property
    def is_met(self) -> bool:
        return not self.wrong and self.p99 <= _BAR_MS

    def cells(self) -> tuple[str, ...]:
        tried = len(self.harm.handlers)
        failed = len({text.partition(":")[0] for text in self.wrong})
        middle = quantiles(self.milliseconds, n=2, method="inclusive")[0]
        figures = (f"{figure:.1f} ms" for figure in (middle, self.p99, max(self.milliseconds)))
        verdict = "ok" if self.is_met else "MISSED"
        return self.harm.name, self.harm.ends, f"{tried - failed}/{tried}", *figures, f"{self.back:.2f} s", verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="harms with this in their name")
    only = parser.parse_args().only
    rows = []
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, hostile(Path(folder)) as served:
        for harm in HARMS:
            if only in harm.name:
                print(f"{harm.name} ...", file=sys.stderr)
                rows.append(_row(served, harm))
    print(_table(rows))
    for row in rows:
        for text in row.wrong:
            print(f"\n{row.harm.name}, {text}")
    sys.exit(0 if all(row.is_met for row in rows) else 1)


def _row(served: Hostile, harm: Harm) -> Row:
    with _asking(served) as control:
        wrong = [f"{handler}: {text}" for handler in harm.handlers for text in served.does(harm, handler)]
    back = max(served.seconds_to_come_back[-len(harm.handlers) :])
    return Row(harm=harm, wrong=wrong, milliseconds=[each * 1000 for each in control.seconds], back=back)


@contextmanager
def _asking(served: Hostile) -> Iterator[Control]:
    """The emulator's own routes are asked all the time, by one that does nothing else."""
    control, over = Control(served.dev), threading.Event()

    def ask() -> None:
        while not over.is_set():
            control.ask()
            time.sleep(_PAUSE)

    control.ask()
    control.seconds.clear()
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield control
    finally:
        over.set()
        thread.join()
        control.close()


def _table(rows: list[Row]) -> str:
    lines = [_COLUMNS, *(row.cells() for row in rows)]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    shown = (lines[0], rule, *lines[1:])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in shown
    )


if __name__ == "__main__":
    main()
