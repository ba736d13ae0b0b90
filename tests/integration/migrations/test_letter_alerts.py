"""Dead letters and unconfirmed triggers are alerts by campaign; thresholds and audiences are rows."""

import pytest

from tests.support.alert_rows import alerts, put_known, put_many, put_outage
from tests.support.database import query
from tests.support.dead_letters import put_letter
from tests.support.ledger_rows import ago

CAMPAIGN = "order-shipped"
TICKET, PAGE = ("dead-letters", f"{CAMPAIGN}/bad-request"), ("dead-letters-share", f"{CAMPAIGN}/bad-request")


@pytest.fixture(autouse=True)
def known(database_url: str) -> None:
    put_known(database_url)


@pytest.mark.parametrize(
    ("letters", "others", "alert", "value"),
    [
        (1, 9_999, "dead-letters", 1),
        (11, 9_989, "dead-letters", 11),  # a thousandth wakes nobody, however many that are
        (1, 0, "dead-letters", 1),  # nor does one, whatever share that is
        (9, 0, "dead-letters", 9),
        (10, 190, "dead-letters", 10),  # a twentieth is not above a twentieth
        (10, 189, "dead-letters-share", 10 / 199),
        (10, 0, "dead-letters-share", 1),
    ],
)
def test_dead_letters_are_a_ticket_and_a_page_only_if_they_are_both_many_and_a_large_share(
    database_url: str, letters: int, others: int, alert: str, value: float
) -> None:
    if others:
        put_many(database_url, others)
    put_many(database_url, letters, state="rejected", reason="bad-request")
    put_many(database_url, 30, state="rejected", reason="bad-request", received_at=ago(minutes=61))
    found = {name: row for (name, _), row in alerts(database_url).items() if name.startswith("dead-letters")}
    assert found.keys() == {alert}, "one of the two is told, and the graver if both hold"
    row = found[alert]
    severity = "page" if alert == "dead-letters-share" else "ticket"
    assert (row["value"], row["severity"], row["audience"]) == (pytest.approx(value), severity, "producers")
    assert row["summary"].startswith(f"dead letters in the last hour: {letters}, which is ")
    assert row["summary"].endswith(
        "; first: ajo-dispatch dead list --campaign order-shipped --reason bad-request --since 1h"
    )


def test_a_trigger_that_waited_long_and_died_just_now_counts(database_url: str) -> None:
    """What was parked through an outage and then expired was received hours ago."""
    put_letter(database_url, ended_at=ago(hours=5), state="expired", reason="expires-at")
    found = alerts(database_url)["dead-letters", f"{CAMPAIGN}/expires-at"]
    assert (found["value"], found["audience"]) == (1, "operators")


def test_names_of_campaigns_that_no_worker_knows_are_told_together_and_not_shown(database_url: str) -> None:
    for number in range(11):
        put_letter(database_url, campaign=f"ada{number}@example.com", reason="definition-unknown", status=None)
    found = alerts(database_url)
    assert found["dead-letters-share", "(unknown)/definition-unknown"]["count"] == 11
    assert "example.com" not in str(found)


def test_unconfirmed_triggers_are_a_ticket_and_ten_or_more_that_are_above_a_hundredth_a_page(database_url: str) -> None:
    ticket, page = ("unconfirmed", CAMPAIGN), ("unconfirmed-share", CAMPAIGN)
    put_many(database_url, 50, state="unconfirmed", reason="conflict", received_at=ago(minutes=61))
    assert not {ticket, page} & set(alerts(database_url))
    put_many(database_url, 1, state="unconfirmed", reason="conflict")
    found = alerts(database_url)
    assert (found[ticket]["value"], found[ticket]["severity"], found[ticket]["audience"]) == (1, "ticket", "operators")
    assert page not in found, "one of one is 100 %, and nothing to wake Adobe's support for"
    put_many(database_url, 8, state="unconfirmed", reason="conflict")
    assert page not in alerts(database_url), "nine of nine are not ten"
    put_many(database_url, 991)
    put_many(database_url, 1, state="unconfirmed", reason="budget-spent")
    assert page not in alerts(database_url), "10 of 1,001 are not above a hundredth"
    put_many(database_url, 1, state="unconfirmed", reason="budget-spent")
    found = alerts(database_url)
    assert ticket not in found
    assert (found[page]["severity"], found[page]["audience"]) == ("page", "adobe-support")
    assert (found[page]["value"], found[page]["count"], found[page]["floor"]) == (pytest.approx(11 / 1002), 11, 10)
    assert not [scope for alert, scope in found if alert.startswith("dead-letters")], "told once"


def test_operators_change_thresholds_floors_severities_and_audiences_by_update(database_url: str) -> None:
    put_many(database_url, 11, state="rejected", reason="bad-request")
    change = "update ledger.alert_thresholds set threshold = 0.9, floor = 11, severity = 'ticket' where alert = $1"
    query(database_url, change, PAGE[0])
    query(database_url, "update ledger.alert_audiences set audience = 'campaign-owners' where reason = 'bad-request'")
    row = alerts(database_url)[PAGE]
    assert (row["threshold"], row["floor"], row["severity"], row["audience"]) == (0.9, 11, "ticket", "campaign-owners")
    query(database_url, "delete from ledger.alert_audiences where reason = 'bad-request'")
    assert alerts(database_url)[PAGE]["audience"] == "operators"
    query(database_url, "update ledger.alert_thresholds set floor = 12 where alert = $1", PAGE[0])
    assert (TICKET in alerts(database_url), PAGE in alerts(database_url)) == (True, False)
    query(database_url, "update ledger.alert_thresholds set threshold = 'Infinity' where alert ~ '^dead-letters'")
    assert not {TICKET, PAGE} & set(alerts(database_url))


@pytest.mark.parametrize(("ended", "letters"), [(None, 12), (1, 12), (None, 3)])
def test_what_had_its_campaign_paused_is_a_ticket_for_the_campaign_s_owners_and_blames_no_producer(
    database_url: str, ended: int | None, letters: int
) -> None:
    """It was refused in words that name nobody; that the campaign fails is the outage's alert."""
    put_many(database_url, letters, state="rejected", reason="bad-request")
    put_many(database_url, 1, state="rejected", reason="invalid-payload")
    put_outage(
        database_url, f"campaign:{CAMPAIGN}", "campaign-failing", ago(hours=2), "open" if not ended else "closed"
    )
    evidence = 'update ledger.outages set evidence = \'{"rejected": "bad-request"}\', ended_at = $1'
    query(database_url, evidence, ago(minutes=ended) if ended else None)
    found = alerts(database_url)
    assert PAGE not in found
    assert (found[TICKET]["value"], found[TICKET]["audience"]) == (letters, "campaign-owners")
    assert found["dead-letters", f"{CAMPAIGN}/invalid-payload"]["audience"] == "producers", "this is none of it"
    query(database_url, "update ledger.outages set ended_at = now() - interval '61 minutes'")
    query(database_url, "update ledger.circuits set state = 'closed'")
    assert alerts(database_url)[PAGE if letters > 9 else TICKET]["audience"] == "producers"


def test_a_measure_is_told_whether_its_alert_holds_or_not(database_url: str) -> None:
    put_many(database_url, 20)
    rows = query(database_url, "select alert, value, threshold from audit.alert_measures where scope = 'standard'")
    assert {row["alert"]: row["threshold"] for row in rows} == {"budget-burn": 0.05, "queue-age": 60}
    assert {row["alert"]: row["value"] for row in rows}["budget-burn"] == 0
