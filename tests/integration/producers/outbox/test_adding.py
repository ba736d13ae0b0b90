"""Adding is part of the caller's transaction, with whichever library it is open."""

import json
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncpg
import django
import psycopg
import pytest
from ajo_producers import CheckedTrigger, outbox
from ajo_producers.contract.batch import decode_trigger
from ajo_producers.contract.sealing import Sealer, new_key
from ajo_producers.outbox import NoTransaction, Outbox
from ajo_producers.outbox.settings import KEYS
from django.conf import settings as django_settings
from django.db import connections, transaction
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.support.database import query

Made = Callable[..., CheckedTrigger]
ORDER = "insert into orders values ('A-1')"


class RolledBackError(Exception):
    """What goes wrong after everything was added."""


def rows(url: str) -> list[dict[str, Any]]:
    return query(url, "select * from ajo_outbox order by id")


def with_sqlalchemy(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session, session.begin():
        session.connection().exec_driver_sql(ORDER)
        for trigger in triggers:
            outbox.add(session, trigger)
        if fail:
            raise RolledBackError


def with_scoped_session(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    session = scoped_session(sessionmaker(engine))
    with session.begin():
        session.connection().exec_driver_sql(ORDER)
        outbox.add_many(session, triggers)
        if fail:
            raise RolledBackError


async def with_async_sqlalchemy(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with AsyncSession(engine) as session, session.begin():
            await (await session.connection()).exec_driver_sql(ORDER)
            for trigger in triggers:
                await outbox.add(session, trigger)
            if fail:
                raise RolledBackError
    finally:
        await engine.dispose()


def with_psycopg(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(ORDER)
        for trigger in triggers:
            outbox.add(connection, trigger)
        if fail:
            raise RolledBackError


async def with_async_psycopg(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection, connection.transaction():
        await connection.execute(ORDER)
        await outbox.add_many(connection, triggers)
        if fail:
            raise RolledBackError


async def with_asyncpg(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    async with asyncpg.create_pool(url, min_size=1) as pool, pool.acquire() as connection, connection.transaction():
        await connection.execute(ORDER)
        for trigger in triggers:
            await outbox.add(connection, trigger)
        if fail:
            raise RolledBackError


def with_django(url: str, triggers: Iterable[CheckedTrigger], fail: bool) -> None:
    with django_at(url):
        connection = connections["default"]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(ORDER)
            for trigger in triggers:
                outbox.add(connection, trigger)
            if fail:
                raise RolledBackError


class django_at:  # noqa: N801 - reads as a function
    """Django's default connection leads to this database, in this thread."""

    def __init__(self, url: str) -> None:
        user, _, rest = url.removeprefix("postgresql://").partition(":")
        password, _, rest = rest.partition("@")
        host, _, name = rest.partition("/")
        self._settings = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": user, "PASSWORD": password,
                          "HOST": host.partition(":")[0], "PORT": host.partition(":")[2]}  # fmt: skip

    def __enter__(self) -> None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the tests' loop is none of its business
        if not django_settings.configured:
            django_settings.configure(DATABASES={"default": self._settings}, USE_TZ=True)
            django.setup()
        connections["default"].settings_dict.update(self._settings)

    def __exit__(self, *_: object) -> None:
        connections["default"].close()


WAYS = [with_sqlalchemy, with_scoped_session, with_async_sqlalchemy, with_psycopg, with_async_psycopg, with_asyncpg,
        with_django]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_committed_is_in_the_outbox_in_its_order_and_what_is_rolled_back_is_not(
    shop_url: str, order_shipped: Made, way: Callable[..., Awaitable[None] | None]
) -> None:
    for fail in (True, False):
        triggers = [order_shipped(f"A-{number}") for number in range(3)]
        try:
            done = way(shop_url, triggers, fail)
            if done is not None:
                await done
        except RolledBackError:
            pass
        assert len(query(shop_url, "select from orders")) == (not fail)
        assert [row["request_id"] for row in rows(shop_url)] == ([] if fail else [each.request_id for each in triggers])
    (row, *_) = rows(shop_url)
    assert (row["campaign"], row["lane"], row["priority"]) == ("order-shipped", "standard", "normal")
    assert row["key_id"] is row["published_at"] is row["fault"] is None
    found = decode_trigger(row["payload"])
    assert found.recipients == triggers[0].trigger.recipients
    assert found.outbox_at is not None
    assert found.outbox_at <= row["added_at"]


async def test_outside_of_a_transaction_nothing_is_added(shop_url: str, order_shipped: Made) -> None:
    connection = await asyncpg.connect(shop_url)
    try:
        with pytest.raises(NoTransaction, match="use it within 'async with"):
            await outbox.add(connection, order_shipped("A-1"))
    finally:
        await connection.close()
    with (
        psycopg.connect(shop_url, autocommit=True) as autocommit,
        pytest.raises(NoTransaction, match="autocommit mode: use it within"),
    ):
        outbox.add(autocommit, order_shipped("A-1"))
    with django_at(shop_url), pytest.raises(NoTransaction, match="use it within 'with transaction"):
        outbox.add(connections["default"], order_shipped("A-1"))
    assert rows(shop_url) == []


@pytest.mark.parametrize("of_engine", [True, False])
async def test_where_sqlalchemy_commits_each_statement_nothing_is_added(
    shop_url: str, order_shipped: Made, of_engine: bool
) -> None:
    level: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
    options: dict[str, Any] = level if of_engine else {"execution_options": level}
    engine = create_engine(shop_url.replace("postgresql://", "postgresql+psycopg://"), **options)
    with Session(engine) as session, engine.connect() as connection:
        for one in (session, connection):
            with pytest.raises(NoTransaction, match="has the isolation level AUTOCOMMIT"):
                outbox.add(one, order_shipped("A-1"))
    async_engine = create_async_engine(shop_url.replace("postgresql://", "postgresql+asyncpg://"), **options)
    async with AsyncSession(async_engine) as async_session, async_engine.connect() as async_connection:
        with pytest.raises(NoTransaction, match="has the isolation level AUTOCOMMIT"):
            await outbox.add(async_session, order_shipped("A-1"))
        with pytest.raises(NoTransaction, match="has the isolation level AUTOCOMMIT"):
            await outbox.add(async_connection, order_shipped("A-1"))
    await async_engine.dispose()
    assert rows(shop_url) == []


def test_many_are_added_in_few_statements_and_all_arrive(shop_url: str, order_shipped: Made) -> None:
    triggers = [order_shipped(f"A-{number}", to=f"person{number}@example.com") for number in range(1_001)]
    with psycopg.connect(shop_url) as connection:
        assert outbox.add_many(connection, triggers) == [each.request_id for each in triggers]
    assert [row["request_id"] for row in rows(shop_url)] == [each.request_id for each in triggers]


def test_with_a_key_nobody_reads_the_payload_without_it(shop_url: str, order_shipped: Made) -> None:
    key = new_key()
    trigger = order_shipped("A-1")
    with psycopg.connect(shop_url) as connection:
        Outbox.from_env({KEYS: key}).add(connection, trigger)
    (row,) = rows(shop_url)
    assert b"ada@example.com" not in row["payload"]
    opened = Sealer.from_keys(key).open(row["key_id"], row["payload"])
    assert json.loads(opened)["recipients"][0]["user_id"] == "ada@example.com"
