"""The role ajo_auditor runs every command that the docs for auditors name, and reads nothing that it must not."""

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from ajo_local.postgres import Postgres
from ajo_producers.contract.timed_ids import floor_of
from ajo_worker.evidence.chunks import begin_of
from ajo_worker.recipients import hashing_key, recipient_hash

from tests.support.conservation import write_definition
from tests.support.database import query
from tests.support.documents import blocks
from tests.support.held_payloads import put_held
from tests.support.ledger_rows import accepted_after_retries, after, ago, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]

ADDRESS = "planted.person@example.com"
HASH_KEY = "the-workers-hash-key"
DOCS = Path(__file__).parents[4] / "docs"
FOR_AUDITORS = ("audit.md", "evidence.md", "reports.md")
COMMAND = re.compile(r"ajo-dispatch (audit [a-z]+|outage list|[a-z]+)")
NOT_AN_AUDITORS = {"audit close"}
"""It writes; docs/evidence.md gives it a role of its own."""
REFUSED = (
    ("audit", "close"),
    ("dead", "list"),
    ("dead", "export", "-"),
    ("quarantine",),
    ("keys", "list"),
    ("outage", "hold", "standard", "--why", "curiosity"),
)


@pytest.fixture
def auditor_url(session_postgres: Postgres, database_url: str) -> Iterator[str]:
    """The address of the test's database, for a login with no rights but the auditor's."""
    role, password = f"ada_{secrets.token_hex(6)}", secrets.token_hex(12)
    query(database_url, f"create role {role} login password '{password}' in role ajo_auditor")
    yield database_url.replace(f"ajo:{session_postgres.password}", f"{role}:{password}")
    query(database_url, f"drop role {role}")


@pytest.fixture
def batch_id(database_url: str, run_cli: Cli) -> UUID:
    """A ledger with a sealed day, a parked trigger, quarantine, an outage and a worker; the batch of a trigger."""
    digest, batch_id = recipient_hash(ADDRESS, hashing_key(HASH_KEY)), uuid4()
    accepted_after_retries(database_url)
    put_trigger(
        database_url, ago(minutes=2), batch_id=batch_id, state="rejected", reason="bad-request",
        completed_at=after(ago(minutes=2), 3), recipient_hashes=[digest],
    )  # fmt: skip
    put_held(database_url, [(None, ADDRESS.encode())])
    query(
        database_url,
        "insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, headers, body) "
        "values (now(), gen_random_uuid(), 9, 'q', $1, jsonb_build_object('id', $1::text), $1::text::bytea)",
        ADDRESS,
    )
    query(
        database_url,
        "insert into ledger.outages (opened_at, scope, reason, opened_by, evidence) "
        "values (now(), 'destination:standard@ajo.example.com', 'no-answers', 'w', '{}')",
    )
    day = datetime.now(UTC).date() - timedelta(days=6)
    query(database_url, "select ledger.make_partitions($1, $1)", day)
    at = begin_of(day) + timedelta(hours=13)
    request_id = UUID(int=floor_of(at).int | uuid4().int >> 64)
    put_trigger(database_url, at, request_id=request_id, state="accepted", completed_at=at)
    assert run_cli("audit", "close", env={"AJO_DATABASE_URL": database_url}).code == 0
    return batch_id


def asked_in_sql(file: Path) -> list[str]:
    """The questions of a document, without what sets something."""
    statements = [one for block in blocks(file) if block.language == "sql" for one in block.text.split(";")]
    found = [one for one in statements if one.strip().startswith("SELECT")]
    assert found
    return found


def test_an_auditor_runs_every_command_that_the_docs_for_auditors_name(
    auditor_url: str, batch_id: UUID, database_url: str, run_cli: Cli, tmp_path: Path
) -> None:
    env = {"AJO_DATABASE_URL": auditor_url, "AJO_HASH_KEY": HASH_KEY, "AJO_CAMPAIGNS": str(tmp_path / "campaigns")}
    write_definition(tmp_path / "campaigns")
    [failed] = query(database_url, f"select request_id from audit.triggers where batch_id = '{batch_id}'")
    run: dict[str, tuple[tuple[str, ...], int, str]] = {
        "audit verify": (("audit", "verify"), 0, "intact"),
        "audit head": (("audit", "head"), 0, ""),
        "audit recipient": (("audit", "recipient", ADDRESS), 0, str(failed["request_id"])),
        "status": (("status",), 0, "bad-request"),
        "outage list": (("outage", "list"), 0, "no-answers"),
        "report": (("report", "--html", str(tmp_path / "report.html"), "--csv", str(tmp_path)), 0, "written"),
        "delays": (("delays",), 0, "Phase"),
        "network": (("network",), 0, ""),
        "top": (("top", "--once"), 0, ""),
        "alerts": (("alerts",), 1, "quarantine"),
    }
    named = {found[1] for name in FOR_AUDITORS for found in COMMAND.finditer((DOCS / name).read_text(encoding="utf-8"))}
    assert named - NOT_AN_AUDITORS <= run.keys(), "the docs tell auditors to run what is not tried here"
    for statement in asked_in_sql(DOCS / "audit.md"):
        query(auditor_url, statement, *[ago(days=1), ago()][: len(set(re.findall(r"\$\d", statement)))])
    more = [("status", str(batch_id)), ("status", str(failed["request_id"])), ("outage", "show", "1")]
    for arguments, code, said in [*run.values(), *((one, 0, "") for one in more)]:
        done = run_cli(*arguments, env=env)
        assert (done.code, "refuses" in done.err) == (code, False), (arguments, done.err)
        assert said in done.out, arguments
        assert ADDRESS not in done.out + done.err


def test_what_an_auditor_must_not_do_or_read_is_refused_in_a_line(
    auditor_url: str, batch_id: UUID, run_cli: Cli, tmp_path: Path
) -> None:
    assert batch_id
    write_definition(tmp_path / "campaigns")
    env = {"AJO_DATABASE_URL": auditor_url, "AJO_CAMPAIGNS": str(tmp_path / "campaigns")}
    for arguments in REFUSED:
        done = run_cli(*arguments, env=env)
        assert (done.code, done.out) == (1, ""), arguments
        assert "permission denied" in done.err, arguments
        assert len(done.err.splitlines()) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        query(auditor_url, "select payload from ledger.held_payloads")
    views = query(
        auditor_url, "select relname from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'v'"
    )
    shown = [
        row for view in views for row in query(auditor_url, f"select v::text as row from audit.{view['relname']} v")
    ]
    assert shown
    assert [row for row in shown if "planted.person" in row["row"]] == []
