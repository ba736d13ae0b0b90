"""Databases of one migration test."""

import secrets
from collections.abc import Iterator

import pytest
from ajo_local.postgres import Postgres

from tests.support.database import query


@pytest.fixture
def empty_database_url(session_postgres: Postgres) -> Iterator[str]:
    """The address of a database that has never seen a migration."""
    name = f"empty_{secrets.token_hex(6)}"
    query(session_postgres.url, f"create database {name}")
    yield session_postgres.url_of(name)
    query(session_postgres.url, f"drop database {name} with (force)")
