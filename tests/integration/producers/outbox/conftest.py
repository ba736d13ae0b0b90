"""An application's own database with an outbox, and triggers to add."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ajo_local.postgres import Postgres
from ajo_producers import Campaigns, CheckedTrigger
from ajo_producers.outbox import create_statements

from tests.support.conservation import write_definition
from tests.support.database import query


@pytest.fixture
def shop_url(session_postgres: Postgres) -> Iterator[str]:
    """The address of a database that has the outbox and a table of orders, and nothing of the ledger."""
    name = f"shop_{secrets.token_hex(6)}"
    query(session_postgres.url, f"create database {name}")
    url = session_postgres.url_of(name)
    for statement in (*create_statements(), "create table orders (number text primary key)"):
        query(url, statement)
    yield url
    query(session_postgres.url, f"drop database {name} with (force)")


@pytest.fixture
def order_shipped(tmp_path: Path) -> Callable[..., CheckedTrigger]:
    """Makes triggers of a campaign: ``order_shipped("A-1", to="ada@example.com")``."""
    write_definition(tmp_path / "campaigns")
    campaign = Campaigns.load(tmp_path / "campaigns")["order-shipped"]

    def made(number: str, to: str | None = "ada@example.com", **more: Any) -> CheckedTrigger:
        return campaign.trigger(to=to, context={"orderId": number} if to else None, **more)

    return made
