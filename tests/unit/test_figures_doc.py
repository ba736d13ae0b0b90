"""Figures that docs give of the code are the code's: whoever changes one is told where it stands."""

from pathlib import Path

import pytest
from ajo_producers.cli.stopping import GRACE
from ajo_producers.cli.trigger_text import MOST_WHOLE
from ajo_producers.contract import reading
from ajo_producers.entrance import body
from ajo_producers.events import lines
from ajo_producers.events.authentication import TOLERANCE_SECONDS
from ajo_producers.outbox.adding import ROWS_AT_ONCE
from ajo_worker.api.adapters.tcp import KEEPALIVE
from ajo_worker.cli.worker.restarting import FIRST_PAUSE_SECONDS, SETTLED_SECONDS
from ajo_worker.dispatch import opening
from ajo_worker.feedback import receiver
from ajo_worker.intake import (
    acknowledging,
    consumer,
    consumer_timeout,
    envelope,
    events,
    pool,
    reconnecting,
    valkey,
    valkey_unacked,
)
from ajo_worker.ledger import passes, quarantine
from ajo_worker.ledger.ledger import CONNECTIONS
from ajo_worker.network.probing import STEP_SECONDS
from ajo_worker.outages import answers, silences

DOCS = Path(__file__).parents[2] / "docs"


def text_of(page: str) -> str:
    return " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("page", "told", "figure"),
    [
        ("architecture", "of what arrived {} messages of each queue are taken in a turn", consumer.AT_ONCE),
        ("architecture", "after {} triggers of a queue were opened", opening.AT_ONCE),
        ("architecture", "notes up to {} messages and pops them in one step", valkey_unacked.MOST_AT_ONCE),
        ("architecture", "looks {} times a second", 1 / valkey.IDLE_POLL),
        ("architecture", "what is in hand for {} % of that time goes back", 100 * consumer_timeout.EARLY),
        ("architecture", "goes singly after {} s", acknowledging.HELD),
        ("architecture", "events of tasks together for {} s", events.TOGETHER),
        ("architecture", "No answer of RabbitMQ's is waited for longer than {} s", events.LONGEST_WAIT),
        ("architecture", "with pauses that grow to {} s", reconnecting.LONGEST_PAUSE),
        ("architecture", "changes hands after {} ms", 1000 * pool.SWITCH_SECONDS),
        ("architecture", "of an item above {} MB only the begin is taken", envelope.MOST_ENVELOPE_BYTES / 1_000_000),
        ("configuration", "nothing comes out of it for {} s", reading.PATIENCE),
        ("configuration", "what has more than {} MB", reading.MOST_BYTES / 1_000_000),
        ("dead-letters", "Each {} are one transaction", passes.BATCH),
        ("deployment", "| a worker | up to **{}**", CONNECTIONS),
        ("deployment", "is started again after {} s", FIRST_PAUSE_SECONDS),
        ("deployment", "once it has lived for {} s", SETTLED_SECONDS),
        ("events", "over several lines ({} MB at most)", lines.MAX_WHOLE_BYTES / 1_000_000),
        ("feedback", "or {} requests are in hand", body.MOST_OPEN),
        ("feedback", "has more than {} items", receiver.MOST_ITEMS),
        ("message-format", "its first {} KiB", quarantine.MOST_BYTES / 1024),
        ("network", "Each step has {} s", STEP_SECONDS),
        ("network", "after {} s without a packet it asks", KEEPALIVE.quiet),
        ("network", "times every {} s; what was sent", KEEPALIVE.every),
        ("network", "not acknowledged within {} s ends the connection", KEEPALIVE.seconds),
        ("outages", "but for {} triggers that wait for their turn", silences.STOCK),
        ("outbox", "needs one statement for {}", ROWS_AT_ONCE),
        ("publishing", "have {} characters at most", MOST_WHOLE),
        ("states", "the last {} of", answers.MOST_TIMES),
        ("states", "of {} minutes, by what this worker has seen", answers.RECENT / 60),
    ],
)
def test_a_figure_is_that_of_the_code(page: str, told: str, figure: float) -> None:
    assert told.format(f"{figure:,.10g}") in text_of(page)


def test_spans_of_time_in_words_are_those_of_the_code() -> None:
    assert (GRACE, TOLERANCE_SECONDS) == (3, 300)
    assert "gets three seconds for its confirm" in text_of("publishing")
    assert "older than five minutes is refused" in text_of("events")
