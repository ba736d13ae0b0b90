"""An update of a trigger stays inside its page and touches no index (HOT): docs/ledger.md has the figures."""

import random

import asyncpg
from ajo_worker.ledger.admission import admit
from ajo_worker.ledger.attempts import Intent, Record, intend, record

from tests.integration.worker.ledger.rows import BUSY, admission, after, attempt, ending
from tests.support.database import query

INDEXED = """
    select distinct attname from pg_index i join pg_attribute a on a.attrelid = indrelid and attnum = any(indkey)
    where indrelid = any(select inhrelid from pg_inherits where inhparent = 'ledger.triggers'::regclass)
"""
UPDATES = """
    select sum(n_tup_upd)::int as updates, sum(n_tup_hot_upd)::int as hot
    from pg_stat_user_tables where schemaname = 'ledger' and relname ~ '^triggers_'
"""


def test_no_index_of_the_triggers_holds_a_column_that_ever_changes(database_url: str) -> None:
    assert {row["attname"] for row in query(database_url, INDEXED)} == {"request_id", "received_at"}


async def test_intents_and_ends_of_mingled_triggers_stay_inside_their_pages(connection: asyncpg.Connection) -> None:
    triggers = [admission() for _ in range(1_000)]
    for begin in range(0, 1_000, 100):
        await admit(connection, triggers[begin : begin + 100])
    random.Random(1).shuffle(triggers)
    retried = triggers[::10]
    await record(connection, [Record(attempt(trigger, **BUSY), None) for trigger in retried])
    await intend(connection, [Intent(trigger.request_id, 1, 2, after(1), None) for trigger in retried])
    for begin in range(0, 1_000, 100):
        ended = [(trigger, 2 if trigger in retried else 1) for trigger in triggers[begin : begin + 100]]
        await record(connection, [Record(attempt(one, n), ending(one, attempts_started=n)) for one, n in ended])
    await connection.execute("select pg_stat_force_next_flush()")
    counted = await connection.fetchrow(UPDATES)
    assert counted["updates"] == 1_100
    assert counted["hot"] == 1_100
