"""The ledger: triggers and attempts in daily partitions, and the audit views over them."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0001_ledger"
SCRIPTS = (
    "01_tables",
    "02_partitions",
    "03_audit",
    "04_operations",
    "05_feedback",
    "06_attribution",
    "07_phases",
    "07_delays",
    "08_rollups",
    "09_audit_views",
    "10_outages",
    "10_rates",
    "10_clock",
    "11_alerts",
    "12_network",
    "13_evidence",
    "13_retention",
    "13_readers",
    "13_digests",
    "14_roles",
)


def upgrade() -> None:
    """Make tables, functions and views."""
    for name in SCRIPTS:
        run_script(name)


def downgrade() -> None:
    """Drop them, with all that is recorded."""
    run_script("downgrade")


def run_script(name: str) -> None:
    """Run a file of many statements: over asyncpg itself, since SQLAlchemy prepares each statement by itself."""
    script = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(script))
