"""The outbox's table in migrations of Alembic: ``op.create_ajo_outbox()`` and ``op.drop_ajo_outbox()``.

    from alembic import op
    import ajo_producers.outbox.alembic  # noqa: F401 - the operations

    def upgrade() -> None:
        op.create_ajo_outbox()

    def downgrade() -> None:
        op.drop_ajo_outbox()

No model describes the table, so ``alembic revision --autogenerate`` would drop it: give ``include_name`` to
``context.configure`` in ``env.py``.
"""

from collections.abc import Mapping
from typing import Any

from alembic.operations import MigrateOperation, Operations

from ajo_producers.contract.setting_rules import OUTBOX_TABLE
from ajo_producers.outbox.table import create_statements, drop_statements


@Operations.register_operation("create_ajo_outbox")
class CreateOutbox(MigrateOperation):
    """Make the outbox's table."""

    def __init__(self, table: str = OUTBOX_TABLE) -> None:
        self.table = table

    @classmethod
    def create_ajo_outbox(cls, operations: Operations, table: str = OUTBOX_TABLE) -> None:
        """Make the outbox's table, with its indexes and the trigger that wakes relays."""
        operations.invoke(cls(table))

    def reverse(self) -> "DropOutbox":
        """What takes it back."""
        return DropOutbox(self.table)


@Operations.register_operation("drop_ajo_outbox")
class DropOutbox(MigrateOperation):
    """Remove the outbox's table, with all that waits in it."""

    def __init__(self, table: str = OUTBOX_TABLE) -> None:
        self.table = table

    @classmethod
    def drop_ajo_outbox(cls, operations: Operations, table: str = OUTBOX_TABLE) -> None:
        """Remove the outbox's table, with all that waits in it."""
        operations.invoke(cls(table))

    def reverse(self) -> CreateOutbox:
        """What takes it back."""
        return CreateOutbox(self.table)


@Operations.implementation_for(CreateOutbox)
def _create(operations: Operations, operation: CreateOutbox) -> None:
    for statement in create_statements(operation.table):
        operations.execute(statement)


@Operations.implementation_for(DropOutbox)
def _drop(operations: Operations, operation: DropOutbox) -> None:
    for statement in drop_statements(operation.table):
        operations.execute(statement)


def include_name(name: str | None, type_: str, parent_names: Mapping[str, Any]) -> bool:  # noqa: ARG001 - Alembic's signature
    """Whether autogenerate has anything to do with it: not with the outbox, which no model describes."""
    return not (type_ == "table" and name == OUTBOX_TABLE)
