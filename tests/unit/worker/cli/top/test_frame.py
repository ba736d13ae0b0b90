"""One frame of ``ajo-dispatch top``."""

from datetime import UTC, datetime, timedelta
from io import StringIO

from ajo_worker.cli.top.frame import frame
from ajo_worker.reports.pulse import Now, Pulse
from ajo_worker.reports.value import OutageRow, PhaseRow, SystemRow, TriggerSpread
from ajo_worker.views.alerts import Alert
from ajo_worker.views.backlog import Backlog, Queue, SlowRate, Waiting
from msgspec import structs
from rich.console import Console

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SEEN = AT - timedelta(seconds=3)
EMPTY = Backlog(AT, [], [Queue("ajo-dispatch.standard", "standard", SEEN, 0, 0, 0, 1)], [])
FULL = Backlog(
    AT,
    [SlowRate("campaign:flash-sale", "standard", "flash-sale", "throttle", "429", SEEN, None, SEEN, 0.25, 125, 500)],
    [Queue("ajo-dispatch.standard", "standard", SEEN, 804, 100, 1, 1)],
    [Waiting("standard", "flash-sale", 480, 0)],
)
QUIET = Pulse(AT, Now(0, 0, 0, 0, None), [], [], [], [], EMPTY)
BUSY = Pulse(
    AT,
    Now(1234.5, 1200, 3, 812, 0.25),
    [SystemRow("none", 9, 0), SystemRow("broker", 4, 12.0), SystemRow("adobe-api", 7, 90.0)],
    [
        PhaseRow(name, "worker", "", number, 1.0, TriggerSpread(0.1, number, number, number, 5))
        for number, name in enumerate(("slot", "token", "ledger", "other", "headers", "body", "full"))
    ],
    [OutageRow(3, "campaign:flash-sale", "held", "held", AT, None, 120.0, 2)],
    [Alert("queue-age", "page", "operators", "standard", AT, 99.0, 60.0, "too old\x1b[2J")],
    FULL,
)


def shown(pulse: Pulse, trouble: str | None = None) -> str:
    out = StringIO()
    Console(file=out, width=160, highlight=False).print(frame(pulse, trouble))
    return out.getvalue()


def test_a_busy_frame_shows_all_that_goes_on() -> None:
    text = shown(BUSY)
    for part in (
        "2026-11-25 12:00:00",
        "1,234.5",
        "812",
        "0.25 s",
        "campaign:flash-sale is held for 2 min, held, 2 probes",
        "25%: 125 of 500 calls/s  Adobe answers 429, the last 3 s ago",
        "804 messages  100 messages",
    ):
        assert part in text
    assert text.index("Adobe's API") < text.index("the broker")
    assert "page    operators        queue-age standard" in text


def test_only_the_slowest_phases_are_shown_the_slowest_first() -> None:
    text = shown(BUSY)
    found = [name for name in ("full", "body", "headers", "other", "ledger") if f"\n{name} " in text]
    assert found == ["full", "body", "headers", "other", "ledger"]
    assert text.index("\nfull ") < text.index("\nbody ")
    assert "\ntoken " not in text


def test_a_text_from_outside_steers_no_terminal() -> None:
    assert "\x1b" not in shown(BUSY)


def test_an_outage_that_is_over_is_not_said_to_recover_for_as_long_as_it_lasted() -> None:
    ended = OutageRow(3, "campaign:flash-sale", "held", "recovering", AT, AT + timedelta(seconds=120), 120.0, 2)
    assert "campaign:flash-sale is recovering after 2 min, held, 2 probes" in shown(
        structs.replace(QUIET, outages=[ended])
    )


def test_a_quiet_frame_says_so_in_words() -> None:
    text = shown(QUIET)
    for line in (
        "Nobody is charged",
        "No phase of the last 5 minutes",
        "No outage lasts.",
        "No alert",
        "Nothing waits",
    ):
        assert line in text


def test_a_frame_that_is_old_says_why() -> None:
    assert "can't be read now: connection refused" in shown(QUIET, "connection refused")
