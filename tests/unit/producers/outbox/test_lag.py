"""What a relay tells Prometheus, and what it says of what is away."""

from itertools import pairwise

from ajo_producers.outbox.lag import Lag, Way, metrics
from ajo_producers.outbox.troubles import LONGEST_SECONDS, Trouble
from prometheus_client.parser import text_string_to_metric_families

LAG = Lag((Way("standard", "urgent", 0, None), Way("standard", "normal", 12, 61.5)), 0, 3, ())


def values(text: str) -> dict[str, float]:
    return {
        "".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_are_what_prometheus_reads() -> None:
    assert values(metrics(LAG, published=7, broker=False, late=60)) == {
        "ajo_outbox_up": 1,
        "ajo_outbox_broker_up": 0,
        "ajo_outbox_published_total": 7,
        "ajo_outbox_waitingstandardurgent": 0,
        "ajo_outbox_waitingstandardnormal": 12,
        "ajo_outbox_oldest_secondsstandardurgent": 0,
        "ajo_outbox_oldest_secondsstandardnormal": 61.5,
        "ajo_outbox_late": 1,
        "ajo_outbox_faulty": 3,
    }
    assert values(metrics(LAG, published=7, broker=True, late=62))["ajo_outbox_late"] == 0


def test_without_a_database_nothing_is_claimed_of_the_outbox() -> None:
    found = values(metrics(None, published=7, broker=True, late=60))
    assert found == {"ajo_outbox_up": 0, "ajo_outbox_broker_up": 1, "ajo_outbox_published_total": 7}


def test_a_trouble_is_said_once_for_each_reason_with_growing_pauses_and_so_is_its_end() -> None:
    said: list[str] = []
    trouble = Trouble("the broker", said.append)
    trouble.over()
    assert said == []
    pauses = [trouble.met("no answer") for _ in range(9)]
    assert all(later > earlier for earlier, later in pairwise(pauses[:7]))
    assert 0 < min(pauses) < 1
    assert LONGEST_SECONDS * 0.75 <= max(pauses) <= LONGEST_SECONDS
    trouble.met("refused")
    assert [line.partition(";")[0] for line in said] == ["no answer", "refused"]
    trouble.over()
    trouble.over()
    assert len(said) == 3
    assert said[2].startswith("the broker is back, after ")
    assert trouble.met("no answer") < 1
