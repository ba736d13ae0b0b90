"""The rights that docs/alerts.md gives to whoever serves the metrics are enough, and reach no payload."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from ajo_local.postgres import Postgres

from tests.support.database import query
from tests.support.programs import Finished

TEXT = (Path(__file__).parents[4] / "docs/alerts.md").read_text(encoding="utf-8")
(GRANTS,) = [block for block in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL) if "GRANT" in block]


@pytest.fixture
def monitor_url(session_postgres: Postgres, database_url: str) -> Iterator[str]:
    """The address of the test's database, for a role with these rights alone."""
    role, password = f"monitor_{secrets.token_hex(6)}", secrets.token_hex(12)
    query(database_url, f"create role {role} login password '{password}'")
    for grant in GRANTS.split(";")[:-1]:
        query(database_url, grant.replace("TO monitor", f"TO {role}"))
    yield database_url.replace(f"ajo:{session_postgres.password}", f"{role}:{password}")
    query(database_url, f"drop owned by {role}")
    query(database_url, f"drop role {role}")


def test_they_are_enough_for_alerts_and_metrics(monitor_url: str, run_cli: Callable[..., Finished]) -> None:
    done = run_cli("metrics", "--once", env={"AJO_DATABASE_URL": monitor_url})
    assert (done.code, done.err) == (0, "")
    done = run_cli("alerts", env={"AJO_DATABASE_URL": monitor_url})
    assert (done.code, done.err) == (1, ""), "there is no worker, and no fault"


def test_they_reach_no_payload(monitor_url: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        query(monitor_url, "select payload from ledger.held_payloads")
