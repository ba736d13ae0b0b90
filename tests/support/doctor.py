"""What ``ajo-dispatch doctor`` says, and the surroundings in which all is well."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ajo_producers.contract.lanes import QUORUM_ARGUMENTS, queues_of
from ajo_producers.contract.sealing import new_key
from kombu import Connection

from tests.support.conservation import write_definition
from tests.support.database import query
from tests.support.delivery import worker_environment
from tests.support.programs import Finished, Simulator

Cli = Callable[..., Finished]
Found = dict[str, dict[str, str | None]]
Diagnose = Callable[..., tuple[int, Found]]

PASSWORD = "planted-password-77c1"
RIGHTS = ("usage on schema ledger", "select, insert, update, delete on all tables in schema ledger")
"""What docs/ledger.md says that a worker needs."""


def read(done: Finished) -> tuple[int, Found]:
    """The exit code, and each check by its name, of ``doctor --json``."""
    assert done.err == ""
    checks = json.loads(done.out)
    assert all(check["advice"] for check in checks if check["status"] in {"failed", "warning"})
    return done.code, {check["check"]: check for check in checks}


def statuses(found: Found, status: str) -> set[str]:
    """The names of the checks that ended so."""
    return {name for name, check in found.items() if check["status"] == status}


def surroundings(broker_url: str, database_url: str, queue_prefix: str, api: Simulator, folder: Path) -> dict[str, str]:
    """An environment in which all is well; RabbitMQ has its queues."""
    write_definition(folder / "campaigns")
    if broker_url.startswith("amqp"):
        declare(broker_url, queue_prefix, QUORUM_ARGUMENTS)
    usual = worker_environment(broker_url, queue_prefix, api, folder / "campaigns")
    own = {"AJO_DATABASE_URL": database_url, "AJO_OWNER_TIMEOUT": "120", "AJO_PAYLOAD_KEYS": new_key()}
    return {**usual, **own}


def declare(broker_url: str, queue_prefix: str, arguments: dict[str, object]) -> None:
    """Make the queues of every lane."""
    with Connection(broker_url) as connection, connection.channel() as channel:
        for name in queues_of(queue_prefix):
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)


@contextmanager
def role(database_url: str, *rights: str) -> Iterator[str]:
    """The address of the same database for a role with these rights and no more, dropped afterwards."""
    name = f"role_{secrets.token_hex(6)}"
    query(database_url, f"create role {name} login password '{PASSWORD}'")
    for right in rights:
        query(database_url, f"grant {right} to {name}")
    try:
        yield f"postgresql://{name}:{PASSWORD}@{database_url.partition('@')[2]}"
    finally:
        query(database_url, f"drop owned by {name}")
        query(database_url, f"drop role {name}")
