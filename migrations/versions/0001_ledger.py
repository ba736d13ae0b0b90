"""The ledger: triggers and attempts in daily partitions, and what is said about them."""

from pathlib import Path

from ajo_worker.ledger.schema import run_scripts
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0001_ledger"


def upgrade() -> None:
    """Make the tables, and the rows that they begin with."""
    run_scripts(op.get_bind(), sorted(SQL.glob("[0-9]*.sql")))


def downgrade() -> None:
    """Drop them, with all that is recorded, and all that is made of them."""
    run_scripts(op.get_bind(), [SQL / "downgrade.sql"])
