"""Every SQL statement of README and docs runs on a ledger as it is."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.support.documents import FILES, Block, blocks

STATEMENTS = {file: found for file in FILES if (found := [block for block in blocks(file) if block.language == "sql"])}
ROLES = re.compile(r"(?:TO|FROM) (monitor|closer|dispatch|ada)\b")


@pytest.mark.parametrize("file", STATEMENTS, ids=lambda file: file.name)
async def test_the_documented_statements_run(file: Path, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    wrong: list[str] = []
    try:
        for block in STATEMENTS[file]:
            await connection.execute("begin")
            try:
                await run(connection, block)
            except asyncpg.PostgresError as error:
                wrong.append(f"{block}: {error}")
            await connection.execute("rollback")
    finally:
        await connection.close()
    assert not wrong, "\n".join(wrong)


async def run(connection: asyncpg.Connection, block: Block) -> None:
    """Run each statement of a block, for the last day where it asks for a while."""
    now = datetime.now(UTC)
    for role in sorted(set(ROLES.findall(block.text))):
        await connection.execute(f"create role {role}")
    for statement in re.sub(r"--.*", "", block.text).split(";"):
        values = [now - timedelta(days=1), now][: len(set(re.findall(r"\$\d", statement)))]
        if statement.strip():
            await connection.fetch(statement, *values)
