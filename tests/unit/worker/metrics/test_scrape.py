"""What is told of a scrape that is not whole."""

import pytest
from ajo_worker.metrics.figures import FIGURES
from ajo_worker.metrics.scrape import Scrape, missing, told
from prometheus_client.core import GaugeMetricFamily

NAMES = [figure.name for figure in FIGURES]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Scrape(read=NAMES), None),
        (Scrape(late=["ajo_parked", "ajo_workers"]), "not read in time: ajo_parked, ajo_workers"),
        (Scrape(late=["ajo_parked"], fault="can't reach it"), "can't reach it"),
        (
            Scrape(late=["ajo_parked"], refused={"ajo_workers": "integer out of range"}),
            "not read in time: ajo_parked; ajo_workers can't be read: integer out of range",
        ),
    ],
)
def test_people_are_told_why_something_is_missing(found: Scrape, said: str | None) -> None:
    assert missing(found) == said


@pytest.mark.parametrize(("fault", "up"), [(None, 1.0), ("can't reach it", 0.0)])
def test_a_scrape_tells_whether_the_ledger_is_up_and_what_was_read(fault: str | None, up: float) -> None:
    families = [GaugeMetricFamily("ajo_parked", "Parked triggers.", value=1)]
    ledger_up, figure_read, *others = told(Scrape(families=[*families], read=["ajo_parked"], fault=fault))
    assert [sample.value for sample in ledger_up.samples] == [up]
    assert {sample.labels["figure"]: sample.value for sample in figure_read.samples} == {
        name: float(name == "ajo_parked") for name in NAMES
    }
    assert others == families
