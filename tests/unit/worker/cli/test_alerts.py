"""How an alert is told on one line."""

from datetime import UTC, datetime

from ajo_worker.cli.alerts import line
from ajo_worker.views.alerts import Alert

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_a_line_says_how_urgent_for_whom_about_what_since_when_and_what_to_do() -> None:
    alert = Alert("queue-age", "page", "operators", "standard", NOON, 61, 60, "1 in 20 waited; first: look")
    assert line(alert) == (
        "page    operators        queue-age standard since 2026-11-25 12:00:00 UTC: 1 in 20 waited; first: look"
    )


def test_what_is_of_no_scope_or_moment_is_left_out() -> None:
    alert = Alert("no-worker", "ticket", "campaign-owners", None, None, float("inf"), 30, "nobody lives")
    assert line(alert) == "ticket  campaign-owners  no-worker: nobody lives"
