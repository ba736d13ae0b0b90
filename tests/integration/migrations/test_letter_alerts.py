"""Dead letters and unconfirmed triggers are alerts by campaign; thresholds and audiences are rows."""

import pytest

from tests.support.alert_rows import alerts, put_known, put_many
from tests.support.database import query
from tests.support.dead_letters import put_letter
from tests.support.ledger_rows import ago

CAMPAIGN = "order-shipped"
MANY, SHARE = ("dead-letters", f"{CAMPAIGN}/bad-request"), ("dead-letters-share", f"{CAMPAIGN}/bad-request")


@pytest.fixture(autouse=True)
def known(database_url: str) -> None:
    put_known(database_url)


def test_more_than_ten_dead_letters_of_a_campaign_for_one_reason_are_an_alert(database_url: str) -> None:
    put_many(database_url, 10_000)
    put_many(database_url, 10, state="rejected", reason="bad-request")
    put_many(database_url, 10, state="rejected", reason="forbidden")
    put_many(database_url, 10, state="rejected", reason="bad-request", received_at=ago(minutes=61))
    assert not {MANY, SHARE} & set(alerts(database_url))
    put_many(database_url, 1, state="rejected", reason="bad-request")
    found = alerts(database_url)
    assert SHARE not in found, "the graver one alone is told"
    assert (found[MANY]["value"], found[MANY]["severity"], found[MANY]["audience"]) == (11, "page", "producers")
    assert found[MANY]["summary"].endswith(
        "; first: ajo-dispatch dead list --campaign order-shipped --reason bad-request --since 1h"
    )


def test_a_few_are_an_alert_if_they_are_more_than_a_hundredth_of_the_campaigns_triggers(database_url: str) -> None:
    put_many(database_url, 99)
    put_many(database_url, 1, state="rejected", reason="bad-request")
    assert SHARE not in alerts(database_url)
    put_many(database_url, 1, state="rejected", reason="bad-request")
    found = alerts(database_url)[SHARE]
    assert found["value"] == pytest.approx(2 / 101)
    assert (found["severity"], found["audience"]) == ("ticket", "producers")


def test_a_trigger_that_waited_long_and_died_just_now_counts(database_url: str) -> None:
    """What was parked through an outage and then expired was received hours ago."""
    put_letter(database_url, ended_at=ago(hours=5), state="expired", reason="expires-at")
    found = alerts(database_url)["dead-letters-share", f"{CAMPAIGN}/expires-at"]
    assert (found["value"], found["audience"]) == (1, "operators")


def test_names_of_campaigns_that_no_worker_knows_are_told_together_and_not_shown(database_url: str) -> None:
    for number in range(11):
        put_letter(database_url, campaign=f"ada{number}@example.com", reason="definition-unknown", status=None)
    found = alerts(database_url)
    assert found["dead-letters", "(unknown)/definition-unknown"]["value"] == 11
    assert "example.com" not in str(found)


def test_an_unconfirmed_trigger_is_a_ticket_and_more_than_a_hundredth_of_them_a_page(database_url: str) -> None:
    ticket, page = ("unconfirmed", CAMPAIGN), ("unconfirmed-share", CAMPAIGN)
    put_many(database_url, 99)
    put_many(database_url, 50, state="unconfirmed", reason="conflict", received_at=ago(minutes=61))
    assert not {ticket, page} & set(alerts(database_url))
    put_many(database_url, 1, state="unconfirmed", reason="conflict")
    found = alerts(database_url)
    assert (found[ticket]["value"], found[ticket]["severity"]) == (1, "ticket")
    assert page not in found
    put_many(database_url, 1, state="unconfirmed", reason="budget-spent")
    found = alerts(database_url)
    assert ticket not in found
    assert (found[page]["severity"], found[page]["audience"]) == ("page", "adobe-support")
    assert found[page]["value"] == pytest.approx(2 / 101)
    assert not [scope for alert, scope in found if alert.startswith("dead-letters")], "told once"


def test_operators_change_thresholds_severities_and_audiences_by_update(database_url: str) -> None:
    put_many(database_url, 11, state="rejected", reason="bad-request")
    change = "update ledger.alert_thresholds set threshold = 10.5, severity = 'ticket' where alert = 'dead-letters'"
    query(database_url, change)
    query(database_url, "update ledger.alert_audiences set audience = 'campaign-owners' where reason = 'bad-request'")
    found = alerts(database_url)[MANY]
    assert (found["threshold"], found["severity"], found["audience"]) == (10.5, "ticket", "campaign-owners")
    query(database_url, "delete from ledger.alert_audiences where reason = 'bad-request'")
    assert alerts(database_url)[MANY]["audience"] == "operators"
    query(database_url, "update ledger.alert_thresholds set threshold = 'Infinity' where alert ~ '^dead-letters'")
    assert not {MANY, SHARE} & set(alerts(database_url))


def test_a_measure_is_told_whether_its_alert_holds_or_not(database_url: str) -> None:
    put_many(database_url, 20)
    rows = query(database_url, "select alert, value, threshold from audit.alert_measures where scope = 'standard'")
    assert {row["alert"]: row["threshold"] for row in rows} == {"budget-burn": 0.05, "queue-age": 60}
    assert {row["alert"]: row["value"] for row in rows}["budget-burn"] == 0
