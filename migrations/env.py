"""What Alembic runs: it applies migrations over the connection that ``ajo_worker.ledger.schema`` opened.

All of it is one transaction under one lock: a migration happens wholly or not at all, and of two at once the second
says that it waits for the first. The table of applied migrations lives in the schema ``ledger``, which comes before the
first migration and goes after the last.

Migrations change tables. Views, functions and triggers are made anew after them, from the files in ``sql/views``: these
say what there is as of the newest migration.
"""

from pathlib import Path

from ajo_worker.ledger.schema import run_scripts
from ajo_worker.ledger.taking_turns import take_turn
from alembic import context
from sqlalchemy import text

LOCK = "ajo-dispatch: migrations"
# Every transaction of a worker that writes to several tables begins with this one: so none is cut in two. Behind a
# long reader it gives up soon, since all writers wait behind it. Later waits end before PostgreSQL looks for deadlocks,
# whose victim may be a worker.
BESIDE_WORKERS = """
    SET LOCAL lock_timeout = '2s';
    LOCK TABLE ledger.triggers IN ACCESS EXCLUSIVE MODE;
    SET LOCAL lock_timeout = '500ms';
"""
VIEWS = Path(__file__).parent / "sql" / "views"

progress = context.config.attributes["progress"]
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table_schema="ledger",
    on_version_apply=context.config.attributes["on_version_apply"],
)
with context.begin_transaction():
    connection.execute(text("SELECT"))  # only with its first statement does SQLAlchemy begin the transaction
    connection.connection.dbapi_connection.run_async(
        lambda asyncpg_connection: take_turn(asyncpg_connection, LOCK, "migrates this database", progress)
    )
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS ledger"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS audit"))
    before = context.get_context().get_current_heads()
    if before:
        connection.connection.dbapi_connection.run_async(
            lambda asyncpg_connection: asyncpg_connection.execute(BESIDE_WORKERS)
        )
    context.run_migrations()
    after = context.get_context().get_current_heads()
    if after != before and after == tuple(context.script.get_heads()):
        run_scripts(connection, sorted(VIEWS.glob("*.sql")))
    if not after:
        connection.execute(text("DROP TABLE IF EXISTS ledger.alembic_version"))
        connection.execute(text("DROP SCHEMA audit"))
        connection.execute(text("DROP SCHEMA ledger"))
