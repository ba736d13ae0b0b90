"""``audit.outages``: how long each lasted, what probes found, and which one is the scope's present one."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.alert_rows import DESTINATION, put_outage
from tests.support.database import query
from tests.support.ledger_rows import ago

PROBE = """
    insert into ledger.probes (outage_id, probed_at, request_id, worker, accepted, found)
    values ($1, $2, gen_random_uuid(), $3, $4, $5)
"""


def outages(url: str) -> dict[int, dict[str, Any]]:
    return {row["outage_id"]: row for row in query(url, "select * from audit.outages")}


def test_an_outage_that_lasts_has_no_end_and_counts_its_probes(database_url: str) -> None:
    number = put_outage(database_url, DESTINATION, "sustained-failures", ago(seconds=90))
    row = outages(database_url)[number]
    assert (row["state"], row["ended_at"], row["probes"], row["last_probe_found"]) == ("open", None, 0, None)
    assert 90 <= row["duration_seconds"] < 150
    last = ago(seconds=10)
    query(database_url, PROBE, number, ago(seconds=40), uuid4(), False, "503")
    query(database_url, PROBE, number, last, uuid4(), False, "504")
    row = outages(database_url)[number]
    assert (row["probes"], row["last_probe_at"], row["last_probe_found"]) == (2, last, "504")


def test_one_that_is_over_lasted_until_its_end(database_url: str) -> None:
    began = ago(hours=2)
    number = put_outage(database_url, DESTINATION, "sustained-failures", began, "recovering")
    query(database_url, "update ledger.outages set ended_at = $1, ended_by = 'olga'", ago(hours=1))
    row = outages(database_url)[number]
    assert (row["state"], row["ended_by"]) == ("recovering", "olga")
    assert row["duration_seconds"] == pytest.approx(3600, abs=1)
    query(database_url, "update ledger.circuits set state = 'closed'")
    assert outages(database_url)[number]["state"] == "over"


def test_a_hold_in_the_middle_of_an_outage_takes_its_place(database_url: str) -> None:
    first = put_outage(database_url, DESTINATION, "sustained-failures", ago(minutes=10))
    query(database_url, "delete from ledger.circuits")
    second = put_outage(database_url, DESTINATION, "held", ago(minutes=4), "held")
    other = put_outage(database_url, "campaign:order-shipped", "campaign-failing", ago(minutes=1))
    found = outages(database_url)
    assert (found[first]["state"], found[second]["state"], found[other]["state"]) == ("over", "held", "open")
    assert found[first]["duration_seconds"] == pytest.approx(360, abs=1)
    assert found[second]["ended_at"] is None
