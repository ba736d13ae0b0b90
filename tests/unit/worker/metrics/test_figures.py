"""What an answer of the ledger becomes, as metrics."""

from typing import Any

from ajo_worker.metrics.figures import FIGURES, gauge, of_measures

MEASURE = {"severity": "page", "audience": "operators"}


def measured(alert: str, scope: str, value: float, *, holds: bool = False) -> dict[str, Any]:
    return {**MEASURE, "alert": alert, "scope": scope, "value": value, "holds": holds}


def samples(family: Any) -> list[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for sample in family.samples]


def test_an_alert_is_told_if_it_holds_and_what_it_measures_in_any_case() -> None:
    rows = [measured("queue-age", "standard", 1.0), measured("queue-age", "high-throughput", 1.5, holds=True)]
    alerts, values, _ = of_measures(rows)
    assert samples(alerts) == [
        ({"alert": "queue-age", "severity": "page", "audience": "operators", "scope": "high-throughput"}, 1.0)
    ]
    assert samples(values) == [
        ({"alert": "queue-age", "scope": "standard"}, 1.0),
        ({"alert": "queue-age", "scope": "high-throughput"}, 1.5),
    ]


def test_the_oldest_trigger_of_all_lanes_is_told_and_0_without_any() -> None:
    rows = [measured("sending-age", "standard", 3.0), measured("sending-age", "high-throughput", 5.0)]
    assert samples(of_measures([*rows, measured("queue-age", "standard", 9.0)])[2]) == [({}, 5.0)]
    assert samples(of_measures([])[2]) == [({}, 0.0)]


def test_a_gauge_has_a_sample_for_each_row() -> None:
    figure = gauge("ajo_parked", "Parked triggers.", ("campaign",), "SELECT 1")
    (family,) = figure.families([{"campaign": "order-shipped", "value": 2, "more": None}])
    assert (figure.name, family.name, family.documentation, family.type) == (
        "ajo_parked",
        "ajo_parked",
        "Parked triggers.",
        "gauge",
    )
    assert samples(family) == [({"campaign": "order-shipped"}, 2.0)]


def test_every_figure_has_a_name_of_its_own_which_its_first_metric_has_too() -> None:
    names = [family.name for figure in FIGURES for family in figure.families([])]
    assert len(names) == len(set(names))
    assert [figure.families([])[0].name for figure in FIGURES] == [figure.name for figure in FIGURES]
