"""Each worked example as it stands: an order that is taken sends its message, one that is rolled back sends nothing."""

import importlib.util
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import psycopg
import pytest
from ajo_local.postgres import Postgres
from ajo_local.processes import Processes, environment
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.outbox.alembic import include_name
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from tests.integration.producers.publishing.queues import as_bytes, take
from tests.support import brokers
from tests.support.database import query
from tests.support.programs import PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = {"number": "A-1", "email": "ada@example.com", "card": "valid"}
REFUSED = {"number": "A-2", "email": "bob@example.com", "card": "expired"}
DJANGO = """
import django, json, sys
from django.core.management import call_command
from django.test import Client
django.setup()
call_command("migrate", verbosity=0)
orders = json.loads(sys.argv[1])
print([Client().post("/orders", json.dumps(order), content_type="application/json").status_code for order in orders])
"""


@pytest.fixture
def shop_url(session_postgres: Postgres) -> Iterator[str]:
    """The shop's own database, still empty; the examples find it in their environment."""
    name = f"shop_{secrets.token_hex(6)}"
    query(session_postgres.url, f"create database {name}")
    yield session_postgres.url_of(name)
    query(session_postgres.url, f"drop database {name} with (force)")


def example(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One of the examples, imported anew."""
    monkeypatch.setenv("SHOP_DATABASE_URL", url)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def make_outbox_by_hand(url: str) -> None:
    """As docs/outbox.md has it: ajo-dispatch outbox sql | psql."""
    made = subprocess.run([PROGRAM, "outbox", "sql"], capture_output=True, text=True, check=True, env=environment())
    with psycopg.connect(url) as connection:
        connection.execute(made.stdout)


def make_outbox_with_alembic(url: str) -> None:
    """As a migration does it; once taken back, and made again."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        operations: Any = Operations(MigrationContext.configure(connection))
        operations.create_ajo_outbox()
        operations.drop_ajo_outbox()
        operations.create_ajo_outbox()
        tables = inspect(connection).get_table_names()
    assert [name for name in tables if include_name(name, "table", {})] == []
    engine.dispose()


def with_flask(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_outbox_by_hand(url)
    shop = example("flask_shop", url.replace("postgresql://", "postgresql+psycopg://"), monkeypatch)
    shop.app.test_cli_runner().invoke(shop.create_tables)
    client = shop.app.test_client()
    assert [client.post("/orders", json=order).status_code for order in (GOOD, REFUSED)] == [201, 402]
    shop.engine.dispose()


async def with_fastapi(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_outbox_with_alembic(url)
    shop = example("fastapi_shop", url.replace("postgresql://", "postgresql+asyncpg://"), monkeypatch)
    async with shop.engine.begin() as connection:
        await connection.run_sync(shop.Base.metadata.create_all)
    transport = httpx2.ASGITransport(shop.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        codes = [(await client.post("/orders", json=order)).status_code for order in (GOOD, REFUSED)]
    assert codes == [201, 402]
    await shop.engine.dispose()


def with_django(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = EXAMPLES / "django_shop"
    env = {**os.environ, "SHOP_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    orders = json.dumps([GOOD, REFUSED])
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, orders], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[201, 402]\n"), done.stderr


def with_celery(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_outbox_by_hand(url)
    query(url, "create table orders (number text primary key, email text, placed_at timestamptz)")
    shop = example("celery_shop", url, monkeypatch)
    assert shop.place_order.apply(kwargs=GOOD).get() == "A-1"
    assert shop.place_order.apply(kwargs=GOOD).get() == "A-1", "a task may run twice"
    assert shop.place_order.apply(kwargs=REFUSED).state == "FAILURE"


@pytest.mark.parametrize("way", [with_flask, with_fastapi, with_django, with_celery])
async def test_an_order_sends_its_message_and_a_rolled_back_one_nothing(
    way: Any, shop_url: str, rabbitmq_url: str, processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prefix = f"test-{secrets.token_hex(6)}"
    done = way(shop_url, monkeypatch)
    if done is not None:
        await done
    assert [row["number"] for row in query(shop_url, "select number from orders")] == ["A-1"]
    env = {"AJO_OUTBOX_URL": shop_url, "AJO_BROKER_URL": rabbitmq_url, "AJO_QUEUE_PREFIX": prefix}
    relay = processes.start("relay", [PROGRAM, "outbox", "relay"], env=env, cwd=tmp_path)
    relay.wait_for_output("relaying ", timeout=DEADLINE_SECONDS)
    try:
        wait_until(lambda: query(shop_url, "select from ajo_outbox") == [], what="the outbox is empty")
        found = {each.request_id: each.recipients[0].user_id for each in arrived(rabbitmq_url, f"{prefix}.standard")}
        assert list(found.values()) == [GOOD["email"]]
    finally:
        relay.stop()
        brokers.delete_queues(rabbitmq_url, prefix)


def arrived(url: str, queue: str) -> list[Any]:
    """The triggers in a queue, taken out."""
    return [decode_trigger(raw) for message in take(url, queue) for raw in decode_body(as_bytes(message.body)).triggers]
