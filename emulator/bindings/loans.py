"""Which objects of a worker are held by others: whoever lent one is told when nobody holds it any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emulator.errors import WorkerGone
from emulator.generation import Generation

Address = tuple[str, int, int]
"""The worker's name, the number of its generation, the number of the object there."""


@dataclass(eq=False)
class Loan:
    """An object that its owner has lent, and who holds it how many times; None stands for one on its way."""

    owner: Generation
    number: int
    holders: Counter[Generation | None] = field(default_factory=Counter)

    async def ready(self) -> Generation:
        """Whose object it is. Raises WorkerGone when that generation has ended."""
        if not self.owner.alive:
            raise WorkerGone("the worker that made this object has ended")
        return self.owner


class Loans:
    """All loans between the workers of this emulator."""

    def __init__(self) -> None:
        self._loans: dict[Address, Loan] = {}

    def find(self, address: Any) -> Loan | None:
        """The loan of an object; None when its worker has been reloaded, or has ended."""
        return self._loans.get(_address(address))

    def begin(self, sender: Generation, lent: Iterable[Any]) -> list[Address]:
        """A value is on its way with these objects of the sender's, or with such as the sender holds."""
        found = []
        for address in map(_address, lent):
            if address[:2] == (sender.worker, sender.number):
                self._loans.setdefault(address, Loan(sender, address[2]))
            if address in self._loans:
                self._loans[address].holders[None] += 1
                found.append(address)
        return found

    def hand(self, lent: Iterable[Address], to: Generation | None) -> None:
        """The value has come to this worker; to nobody, when it could not be delivered."""
        for address in lent:
            loan = self._loans.get(address)
            if loan is not None:
                if to is not None and to.alive:
                    loan.holders[to] += 1
                self._less(address, loan, None)

    def give_back(self, holder: Generation, address: Address) -> None:
        """A worker holds an object once less."""
        loan = self._loans.get(address)
        if loan is not None and loan.holders[holder] > 0:
            self._less(address, loan, holder)

    def forget(self, ended: Generation) -> None:
        """A generation has ended: its objects are gone, and it holds nothing any more."""
        for address, loan in list(self._loans.items()):
            if loan.owner is ended:
                del self._loans[address]
            elif loan.holders.pop(ended, 0):
                self._look(address, loan)

    def _less(self, address: Address, loan: Loan, holder: Generation | None) -> None:
        loan.holders[holder] -= 1
        if not loan.holders[holder]:
            del loan.holders[holder]
        self._look(address, loan)

    def _look(self, address: Address, loan: Loan) -> None:
        if not loan.holders:
            del self._loans[address]
            loan.owner.send("drop", loan.number)


def _address(given: Any) -> Address:
    worker, generation, number = given
    return worker, generation, number
