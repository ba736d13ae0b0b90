"""Where a reader of a document is, and what every stage may use there."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support import programs
from tests.support.database import query
from tests.support.terminal import Terminal


@dataclass
class Place:
    """Where a reader of a document is: a folder, a terminal, and what runs on this machine."""

    folder: Path
    terminal: Terminal
    start_worker: Callable[..., programs.Worker]
    start_simulator: Callable[..., programs.Simulator]
    database_url: str
    settings: dict[str, str] = field(repr=False)
    closing: ExitStack
    rabbitmq_url: Callable[[], str] = field(default=str)
    known: dict[str, str] = field(default_factory=dict)
    simulator: programs.Simulator | None = None
    worker: programs.Worker | None = None

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger."""
        return query(self.database_url, statement, *values)

    def write(self, name: str, text: str | bytes) -> None:
        """Put a file into the folder."""
        (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def credentials(simulator: programs.Simulator) -> dict[str, str]:
    """The settings that lead to a simulator."""
    return {
        "AJO_BASE_URL": simulator.url,
        "AJO_TOKEN_URL": simulator.token_url,
        "AJO_CLIENT_ID": "shop",
        "AJO_CLIENT_SECRET": "planted",
    }


def letter(place: Place) -> UUID:
    """The newest that was rejected."""
    found = place.rows(
        "select request_id from ledger.held_payloads join ledger.triggers using (request_id) "
        "where state = 'rejected' order by completed_at desc limit 1"
    )
    return UUID(str(found[0]["request_id"]))
