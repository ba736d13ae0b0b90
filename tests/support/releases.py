"""A later release's migration, for tests: applied to a ledger as it is, and thrown away with the test."""

import asyncio
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from ajo_worker.ledger import schema

MIGRATION = '''"""A later release."""

from pathlib import Path

from ajo_worker.ledger.schema import run_scripts
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """What changes in tables."""
    run_scripts(op.get_bind(), [Path(__file__).with_suffix(".sql")])
'''


def release(url: str, folder: Path, statements: str, views: Mapping[str, str] | None = None) -> None:
    """Upgrade to the next release, which changes tables by these statements, and has these files of views as well.

    Of two in the same folder, the second one comes after the first.
    """
    migrations = folder / "migrations"
    if not migrations.exists():
        shutil.copytree(schema.migrations(), migrations)
    revisions = len(list((migrations / "versions").glob("[0-9]*.py")))
    file = migrations / "versions" / f"{revisions + 1:04}_later.py"
    file.write_text(MIGRATION.format(revision=f"{revisions + 1:04}", before=f"{revisions:04}"), encoding="utf-8")
    file.with_suffix(".sql").write_text(statements, encoding="utf-8")
    for name, text in (views or {}).items():
        (migrations / "sql" / "views" / name).write_text(text, encoding="utf-8")
    with mock.patch.object(schema, "migrations", return_value=migrations), ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, schema.upgrade(url, lambda _: None)).result()
