"""What a relay tells Prometheus."""

from ajo_producers.outbox.lag import Lag, Way, metrics
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
