"""The ledger: triggers and attempts in daily partitions, and the audit views over them."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0001_ledger"


def upgrade() -> None:
    """Make tables, functions and views."""
    for name in ("1_tables", "2_partitions", "3_audit", "4_delays", "5_operations", "6_alerts", "7_outages"):
        run_script(name)


def downgrade() -> None:
    """Drop them, with all that is recorded."""
    run_script("downgrade")


def run_script(name: str) -> None:
    """Run a file of many statements: over asyncpg itself, since SQLAlchemy prepares each statement by itself."""
    script = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(script))
