"""The operation that makes the outbox's table, in databases that are PostgreSQL."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from django.db import router
from django.db.migrations.operations.base import Operation

from ajo_producers.outbox.settings import read_table
from ajo_producers.outbox.table import create_statements, drop_statements


class CreateOutbox(Operation):
    """Make the table of ``AJO_OUTBOX_TABLE``; other databases, such as the SQLite of tests, are left alone."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """No model is made."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it."""
        _execute(app_label, schema_editor, create_statements)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove it, with all that waits in it."""
        _execute(app_label, schema_editor, drop_statements)

    def describe(self) -> str:
        """What ``migrate --plan`` shows."""
        return "Make the outbox of ajo-dispatch"


def _execute(app_label: str, schema_editor: Any, statements: Callable[[str], Sequence[str]]) -> None:
    connection = schema_editor.connection
    if connection.vendor == "postgresql" and router.allow_migrate(connection.alias, app_label):
        for statement in statements(read_table(os.environ)):
            schema_editor.execute(statement, params=None)
