"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gateway.store import open_store
from gateway.store.schema import metadata
from tests.postgresql import running_postgresql


@pytest.fixture(scope="session")
def postgresql_url():
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gateway.db"
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


@pytest.fixture
def store(store_url):
    store = open_store(store_url)
    yield store
    store.close()
