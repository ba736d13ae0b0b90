"""Asking the ledger, from tests that run an event loop and from those that don't."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

COPIED = "strategy file_copy"
"""How a template of a thousand small files is copied for half the CPU: file by file, and not through the log."""


async def _query(url: str, sql: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        await connection.close()


def query(url: str, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """The rows of one statement, on a connection of its own."""
    with ThreadPoolExecutor(1) as thread:  # a test may be inside a running loop, which can't run another
        return thread.submit(asyncio.run, _query(url, sql, arguments)).result()
