"""The database: SQLite in write-ahead mode by default, PostgreSQL by URL; brought up to date when it is opened."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from gateway.core.errors import ConfigurationError, TransientError

HEAD = "0006"
"""The revision that this version of the gateway works with."""

BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Store:
    """An open database. Every change goes through :meth:`begin`: all of it takes effect, or nothing."""

    engine: Engine
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @contextmanager
    def begin(self, *, read: bool = False) -> Iterator[Connection]:
        """A transaction; errors of the database become sentences for people. ``read``: it takes no write lock."""
        try:
            with (
                self._in_turn(read),
                self.engine.connect().execution_options(read=read) as connection,
                connection.begin(),
            ):
                yield connection
        except OperationalError as error:
            raise TransientError(
                f"The database could not be used: {_first_line(error)}",
                hint="See whether its disk is full, it is read-only, or another program holds it; then run again.",
                code="store.unavailable",
            ) from error

    @contextmanager
    def _in_turn(self, read: bool) -> Iterator[None]:
        """Threads that write into SQLite wait for each other here: it would let them sleep, and ask again in vain."""
        if read or self.engine.dialect.name != "sqlite":
            yield
            return
        mine = self._turn.acquire(timeout=BUSY_SECONDS)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def rows(self, query: sa.Select[Any], values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """All rows of a query, as mappings; ``values`` fill its parameters."""
        with self.begin(read=True) as connection:
            return [dict(row) for row in connection.execute(query, values).mappings()]

    def row(self, query: sa.Select[Any], values: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """The first row of a query, if there is one."""
        return next(iter(self.rows(query, values)), None)

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open the database at ``url`` (``sqlite:///…`` or ``postgresql://…``) and bring its tables up to date.

    Raises :class:`ConfigurationError` (``store.url``, ``store.newer``) or :class:`TransientError`.
    """
    store = Store(_engine(url))
    try:
        _bring_up_to_date(store)
    except BaseException:
        store.close()
        raise
    return store


def lock_of(name: str) -> int:
    """The number of a lock that PostgreSQL holds until the transaction ends (``pg_advisory_xact_lock``)."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _bring_up_to_date(store: Store) -> None:
    revision = _revision(store)
    if revision is not None and revision > HEAD:
        raise ConfigurationError(
            f"The database was written by a newer version of the gateway (revision {revision}, this one: {HEAD}).",
            hint="Install that version again, or restore a backup from before the upgrade.",
            code="store.newer",
        )
    if revision != HEAD:
        _upgrade(store)


def _engine(url: str) -> Engine:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        made = sa.make_url(url)
        if made.get_backend_name() == "sqlite" and made.database:
            Path(made.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(made, hide_parameters=True, pool_pre_ping=made.get_backend_name() != "sqlite")
    except (sa.exc.ArgumentError, ImportError) as error:
        raise ConfigurationError(
            f"The database URL cannot be used: {type(error).__name__}.",
            hint="Write sqlite:///path/to/file.db or postgresql://user@host/name "
            "(the latter needs the extra mastery-gateway[postgresql]).",
            code="store.url",
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once, so that it waits for others instead of failing half-way."""
    read = connection.get_execution_options().get("read", False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Write-ahead log; wait for other writers; let SQLAlchemy, not the driver, begin transactions."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _revision(store: Store) -> str | None:
    with store.begin(read=True) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(store: Store) -> None:
    from alembic import command  # 220 ms to import, needed once in a database's life
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _first_line(error: DatabaseError) -> str:
    return str(error.orig or error).strip().splitlines()[0][:200]
