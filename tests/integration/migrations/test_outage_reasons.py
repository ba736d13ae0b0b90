"""SQL says of the reasons of outages what Python says of them."""

import re
from typing import get_args

from ajo_worker.api.answer import FailureKind
from ajo_worker.reasons import OF_AN_ANSWER, OF_AN_OUTAGE, OURS_TO_MEND, OWN

from tests.support.alert_rows import put_outage
from tests.support.database import query
from tests.support.ledger_rows import ago

COMMENT = """
    SELECT col_description(attrelid, attnum) AS text FROM pg_attribute
    WHERE attrelid = 'ledger.outages'::regclass AND attname = 'reason'
"""
CHARGED = """
    SELECT o.reason, p.system FROM ledger.outages o
    JOIN ledger.stretches s ON lower(s.during) = o.opened_at
    JOIN ledger.phases p ON p.phase = s.kind
"""


def test_the_ledger_names_all_reasons_of_outages_and_no_other(database_url: str) -> None:
    [comment] = query(database_url, COMMENT)
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)*", comment["text"].removeprefix("Why: "))) - {"or"} == OF_AN_OUTAGE


def test_what_waits_for_us_is_charged_to_us_and_all_else_to_adobe(database_url: str) -> None:
    for number, reason in enumerate(sorted(OF_AN_OUTAGE), start=1):
        put_outage(database_url, f"destination:standard@{reason}.example.com", reason, ago(minutes=number))
    charged = {row["reason"]: row["system"] for row in query(database_url, CHARGED)}
    assert charged == {one: "worker" if one in OURS_TO_MEND else "adobe-api" for one in OF_AN_OUTAGE}


def test_alerts_are_for_somebody_by_reasons_that_there_are(database_url: str) -> None:
    known = OWN | OF_AN_ANSWER | OF_AN_OUTAGE | set(get_args(FailureKind))
    assert {row["reason"] for row in query(database_url, "SELECT reason FROM ledger.alert_audiences")} <= known
