"""Stages of a ledger whose rows were put there: alerts, keys, sealed days."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from ajo_producers.contract.sealing import Sealer, new_key

from tests.acceptance.docs.place import Place
from tests.acceptance.docs.scenes.machines import another_terminal
from tests.support import alert_rows
from tests.support.dead_letters import put_letter
from tests.support.held_payloads import put_held
from tests.support.ledger_rows import accepted_after_retries, ago, put_attempt, put_trigger, put_worker


def alerting(place: Place) -> None:
    """Something wrong with producers, clocks and messages."""
    url = place.database_url
    put_worker(url, hostname="node-2", clock_skew_seconds=2.4)
    alert_rows.put_many(url, 40, state="rejected", reason="invalid-payload")
    alert_rows.put_many(url, 20, state="unconfirmed", reason="budget-spent")
    alert_rows.put_outage(url, "campaign:flash-sale", "campaign-failing", ago(minutes=4))
    alert_rows.put_unread(url, ago(minutes=20))
    place.terminal.env |= {"AJO_DATABASE_URL": url}


def three_keys(place: Place) -> None:
    """Payloads under the present key, an older one that is known, one that is not, and under none."""
    known, unknown = new_key(), new_key()
    with (place.folder / "payload_keys").open("a", encoding="utf-8") as keys:
        keys.write(f"{known}\n")
    held = [Sealer.from_keys(key).seal(b"{}") for key in (known, unknown)]
    put_held(place.database_url, [*held, (None, b"{}")])
    kept = place.terminal.env["AJO_PAYLOAD_KEYS_FILE"]
    another_terminal(place)
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_PAYLOAD_KEYS_FILE": kept}


def two_campaigns(place: Place) -> None:
    """What was accepted after retries, what was refused, and what is under way for long."""
    url = place.database_url
    put_trigger(url, ago(seconds=183), state="sending", first_dispatched_at=ago(seconds=182.5))
    put_letter(url, campaign="flash-sale", reason="invalid-payload", status=None)
    accepted_after_retries(url)
    place.rows("update ledger.triggers set received_at = now() where execution_id = 'UMA-1234'")
    put_trigger(url, ago(seconds=9), campaign="flash-sale", state="accepted", completed_at=ago(seconds=1))
    place.terminal.env |= {"AJO_DATABASE_URL": url}


def old_days(place: Place) -> None:
    """Three days that are over for long enough."""
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_EVIDENCE_KEY": "planted"}
    first = datetime.now(UTC).date() - timedelta(days=7)
    place.rows("select ledger.make_partitions($1, $2)", first, first + timedelta(days=3))
    for day in range(3):
        at = datetime.combine(first, time(13), UTC) + timedelta(days=day)
        number = int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | day
        done = {"state": "accepted", "received_at": at, "first_dispatched_at": at, "completed_at": at}
        put_attempt(place.database_url, put_trigger(place.database_url, at, request_id=UUID(int=number), **done), 1, at)
        put_letter(place.database_url, ended_at=at, received_at=at, request_id=UUID(int=number + 100), status=None)


def forged(place: Place) -> None:
    """A dead letter was redriven; and somebody has moved an end, past the ledger's own record of changes."""
    done = place.terminal.type("ajo-dispatch dead redrive --all --yes --why 'the template is repaired'")
    assert done.code == 0, done.err
    move_an_end(place, timedelta(milliseconds=500))


def move_an_end(place: Place, by: timedelta) -> None:
    """Change a row, past the ledger's own record of changes."""
    place.rows(
        "with off as (select set_config('session_replication_role', 'replica', true)) "
        "update ledger.triggers set completed_at = completed_at + $1 "
        "from off where request_id = (select request_id from ledger.triggers order by 1 limit 1)",
        by,
    )


def keyless(place: Place) -> None:
    """The rows are what they were, and the auditor was not given the key."""
    move_an_end(place, timedelta(milliseconds=-500))
    del place.terminal.env["AJO_EVIDENCE_KEY"]
