"""Open, lock, migrate, and the transaction: all writes of one turn of the loop share one synced commit."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from emulator.clock import wake
from emulator.errors import StoreError
from emulator.store.events import Events
from emulator.store.instances import Instances
from emulator.store.lock import FolderLock
from emulator.store.messages import Messages
from emulator.store.pulls import Pulls
from emulator.store.steps import Steps
from emulator.store.streams import Streams

log = logging.getLogger("emulator")

_FULL, _NORMAL = 2, 1
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": _FULL,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "busy_timeout": 5000,
    "journal_size_limit": 67_108_864,
}
_CHECKED_UP_TO = 200 << 20
_REMEDIES = {
    "FULL": "; make room on the disk, and all goes on by itself",
    "IOERR": "; the disk is full, gone or broken: when it can be written again, all goes on by itself",
}


class Store:
    """The state folder, opened and locked. Synchronous; `durable` is the one thing to await."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _make(folder)
        self.lock = FolderLock(folder)
        try:
            self._db = _open(folder / "state.db")
        except BaseException:
            self.lock.release()
            raise
        self._path = folder / "state.db"
        self._complaint = ""
        self.on_refusal: Callable[[], None] = lambda: None
        # Who waits for the end of the turn; None while nothing was written in it.
        self._waiting: list[asyncio.Future[None]] | None = None
        self._within = False
        self._synced = True
        self.instances = Instances(self._db)
        self.steps = Steps(self._db)
        self.events = Events(self._db)
        self.messages = Messages(self._db)
        self.pulls = Pulls(self._db)
        self.streams = Streams(self._db)

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[None]:
        """
        What happens inside happens whole or not at all, and is on disk once `durable` returns. No await inside.

        What is not synced survives the death of this process, but perhaps not that of the machine. A transaction within
        a transaction is part of it: an error must leave both. Raises StoreError for what the disk, or the schema,
        refuses.
        """
        if self._within:
            yield
            return
        self._join_this_turn(synced)
        self._run("savepoint here")
        self._within = True
        try:
            yield
        except sqlite3.Error as error:
            self._undo()
            raise self._refusal(error) from error
        except BaseException:
            self._undo()
            raise
        else:
            self._run("release here")
        finally:
            self._within = False

    async def durable(self) -> None:
        """Return when all that was written in this turn is on disk. Raises StoreError if it could not be."""
        if self._waiting is not None:
            await self._end_of_turn()

    @property
    def commit(self) -> asyncio.Future[None] | None:
        """The end of this turn, for who can await it in a later one only, when `durable` would say nothing of it."""
        return None if self._waiting is None else self._end_of_turn()

    def _end_of_turn(self) -> asyncio.Future[None]:
        assert self._waiting is not None
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def close(self) -> None:
        """Commit, fold the log into the file, let go of the lock."""
        self._end_turn()
        self._db.close()
        self.lock.release()

    def _undo(self) -> None:
        """What was begun is no more. A disk that is full has made sqlite give up the whole turn by itself."""
        if self._db.in_transaction:
            self._run("rollback to here")
            self._run("release here")

    def _join_this_turn(self, synced: bool) -> None:
        if self._waiting is None:
            self._begin(synced)
            self._waiting = []
            asyncio.get_running_loop().call_soon(self._end_turn)
            return
        if not self._db.in_transaction:
            raise StoreError(f"{self._path}: what was written a moment ago was refused, and this with it")
        if synced and not self._synced:
            self._run("commit")
            self._begin(synced)

    def _begin(self, synced: bool) -> None:
        # Sqlite takes the setting between transactions only.
        if synced is not self._synced:
            self._run(f"pragma synchronous = {_FULL if synced else _NORMAL}")
            self._synced = synced
        self._run("begin immediate")

    def _end_turn(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        try:
            self._run("commit")
        except StoreError as error:
            if self._db.in_transaction:
                self._db.rollback()
            for waiter in waiting:
                _refuse(waiter, error)
            return
        for waiter in waiting:
            wake(waiter)
        if self._complaint:
            self._complaint = ""
            log.warning("%s can be written again; what was refused is tried again by itself", self._path)

    def _run(self, sql: str) -> None:
        try:
            self._db.execute(sql)
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def _refusal(self, error: sqlite3.Error) -> StoreError:
        """Whoever asked for the write is told; for writes that nobody waits for it is said, once."""
        cause = getattr(error, "sqlite_errorname", "") or ""
        remedy = _REMEDIES.get(cause.split("_")[1] if "_" in cause else "", "")
        refusal = StoreError(f"{self._path}: {error}; nothing of this change was kept{remedy}")
        if str(refusal) != self._complaint:
            self._complaint = str(refusal)
            log.error("%s", refusal)
        self.on_refusal()
        return refusal


def _refuse(waiter: asyncio.Future[None], error: StoreError) -> None:
    if not waiter.done():
        waiter.set_exception(error)
        # Who has left meanwhile does not look at it.
        waiter.exception()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise StoreError(f"the state folder {folder} cannot be made: {error.strerror}; give --persist-to") from error


def _open(path: Path) -> sqlite3.Connection:
    unclean = path.with_name(path.name + "-wal").exists()
    try:
        db = sqlite3.connect(path, isolation_level=None)
        with _closed_on_error(db):
            path.chmod(0o600)
            _set_pragmas(db, path)
            if unclean and path.stat().st_size < _CHECKED_UP_TO:
                _check(db, path)
            _migrate(db, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}; move it away, or start over with `emulator reset`") from error
    return db


@contextmanager
def _closed_on_error(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


def _set_pragmas(db: sqlite3.Connection, path: Path) -> None:
    for name, wanted in _PRAGMAS.items():
        db.execute(f"pragma {name} = {wanted}")
        found = _value(db, f"pragma {name}")
        if found != wanted:
            raise StoreError(f"{path}: sqlite refused {name} = {wanted} (it says {found}); is it on a network disk?")


def _check(db: sqlite3.Connection, path: Path) -> None:
    found = _value(db, "pragma quick_check(1)")
    if found != "ok":
        raise StoreError(f"{path} is damaged ({found}); move it away, or start over with `emulator reset`")


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    scripts = sorted(
        (
            entry
            for entry in (resources.files("emulator.store") / "migrations").iterdir()
            if entry.name.endswith(".sql")
        ),
        key=lambda entry: entry.name,
    )
    version = _value(db, "pragma user_version")
    if version > len(scripts):
        raise StoreError(
            f"{path} was written by a newer emulator (schema {version}, ours is {len(scripts)}); update this one"
        )
    for number, script in enumerate(scripts[version:], version + 1):
        db.execute("begin immediate")
        for statement in _statements(script.read_text("utf-8")):
            db.execute(statement)
        db.execute(f"pragma user_version = {number}")
        db.execute("commit")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _value(db: sqlite3.Connection, sql: str) -> Any:
    row = db.execute(sql).fetchone()
    return row[0] if row else None
