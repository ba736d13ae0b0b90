"""Savepoints: what one takes back is never sent, and what stands around it is, at once."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg
import psycopg
import pytest
from ajo_producers import CheckedTrigger, Publisher, outbox
from django.db import connections, transaction
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.integration.producers.outbox.test_adding import RolledBackError, django_at
from tests.integration.producers.outbox.test_relay import arrived, left, publisher, relaying, settings, until
from tests.support.database import query

Made = Callable[..., CheckedTrigger]
__all__ = ["publisher"]
SLEEPS = "select 1 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted"


def with_sqlalchemy(url: str, triggers: Sequence[CheckedTrigger]) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session, session.begin():
        with suppress(RolledBackError), session.begin_nested():
            outbox.add(session, triggers[0])
            raise RolledBackError
        outbox.add(session, triggers[1])
        with session.begin_nested():
            outbox.add(session, triggers[2])
            with suppress(RolledBackError), session.begin_nested():
                outbox.add(session, triggers[3])
                raise RolledBackError


async def with_async_sqlalchemy(url: str, triggers: Sequence[CheckedTrigger]) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with AsyncSession(engine) as session, session.begin():
        with suppress(RolledBackError):
            async with session.begin_nested():
                await outbox.add(session, triggers[0])
                raise RolledBackError
        await outbox.add(session, triggers[1])
        async with session.begin_nested():
            await outbox.add(session, triggers[2])
            with suppress(RolledBackError):
                async with session.begin_nested():
                    await outbox.add(session, triggers[3])
                    raise RolledBackError
    await engine.dispose()


def with_psycopg(url: str, triggers: Sequence[CheckedTrigger]) -> None:
    with psycopg.connect(url) as connection:
        with suppress(RolledBackError), connection.transaction():
            outbox.add(connection, triggers[0])
            raise RolledBackError
        outbox.add(connection, triggers[1])
        with connection.transaction():
            outbox.add(connection, triggers[2])
            with suppress(RolledBackError), connection.transaction():
                outbox.add(connection, triggers[3])
                raise RolledBackError


async def with_asyncpg(url: str, triggers: Sequence[CheckedTrigger]) -> None:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        with suppress(RolledBackError):
            async with connection.transaction():
                await outbox.add(connection, triggers[0])
                raise RolledBackError
        await outbox.add(connection, triggers[1])
        async with connection.transaction():
            await outbox.add(connection, triggers[2])
            with suppress(RolledBackError):
                async with connection.transaction():
                    await outbox.add(connection, triggers[3])
                    raise RolledBackError
    await connection.close()


def with_django(url: str, triggers: Sequence[CheckedTrigger]) -> None:
    with django_at(url), transaction.atomic():
        connection = connections["default"]
        with suppress(RolledBackError), transaction.atomic():
            outbox.add(connection, triggers[0])
            raise RolledBackError
        outbox.add(connection, triggers[1])
        with transaction.atomic():
            outbox.add(connection, triggers[2])
            with suppress(RolledBackError), transaction.atomic():
                outbox.add(connection, triggers[3])
                raise RolledBackError


@pytest.mark.parametrize("way", [with_sqlalchemy, with_async_sqlalchemy, with_psycopg, with_asyncpg, with_django])
async def test_what_a_savepoint_takes_back_is_not_sent_and_the_rest_wakes_a_relay_that_sleeps(
    shop_url: str,
    rabbitmq_url: str,
    queue_prefix: str,
    publisher: Publisher,
    order_shipped: Made,
    way: Callable[..., Awaitable[None] | None],
) -> None:
    """The relay looks once an hour, so it is the notification of what was committed that wakes it."""
    triggers = [order_shipped(f"A-{number}") for number in range(4)]
    async with relaying(settings(shop_url), publisher) as relay:
        await until(lambda: len(query(shop_url, SLEEPS)) == 2)
        done = way(shop_url, triggers)
        if done is not None:
            await done
        await until(lambda: relay.counts.published == 2)
    assert left(shop_url) == []
    found = [each.request_id for each in arrived(rabbitmq_url, f"{queue_prefix}")]
    assert found == [triggers[1].request_id, triggers[2].request_id]
