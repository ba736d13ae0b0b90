"""Scripted errors and Retry-After."""

import json
from email.utils import parsedate_to_datetime
from typing import get_args

import pytest
from ajo_simulator.cosmos import CAUSES, USUAL, WORDINGS, wording
from ajo_simulator.errors import error_of, retry_after
from ajo_simulator.faults import (
    CallFault,
    Cosmos,
    CosmosCode,
    CutResponse,
    Hang,
    HugeBody,
    InvalidJson,
    OddAnswer,
    Outage,
    RateLimit,
    Redirect,
    ResetAfter,
    ResetBefore,
    Slow,
    SlowBody,
    StalledBody,
    Status,
    Stray,
    TokenExpired,
    Vanish,
)
from ajo_simulator.validation import Execution
from hypothesis import given
from hypothesis import strategies as st

EXECUTION = Execution("id", "c", (), "{as it came}")


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Status(), 503, "aep/errors/CJMRT-000001-503"),
        (Status(status=409, error_code="CJMRT-000032-409", title="Conflict"), 409, '"title":"Conflict"'),
        (Status(status=504, shape="gateway"), 504, '"error_code":"504000"'),
        (Status(status=403, shape="gateway", error_code="403025"), 403, '"error_code":"403025"'),
        (RateLimit(), 429, "Too many requests"),
        (TokenExpired(), 401, '"error_code":"401013"'),
        (Status(status=400, echo=True), 400, '"received":"{as it came}"'),
        (Cosmos(), 500, "CJMRT-110100-500"),
        (Cosmos(status=403, code=4002), 403, "no longer has permission"),
        (Cosmos(status=403, code=4002, shape="gateway"), 403, '"error_code":"403000"'),
        (Cosmos(shape="detail"), 500, '"title":"Internal Server Error"'),
        (Cosmos(text="Access is revoked", shape="text"), 500, "Access is revoked"),
        (Outage(), 500, ""),
    ],
)
def test_what_a_scripted_error_says(fault: CallFault, status: int, words: str) -> None:
    problem = error_of(fault, EXECUTION)
    assert problem is not None
    assert problem.status == status
    assert words in problem.body.decode()


def test_an_outage_has_no_body_at_all() -> None:
    problem = error_of(Outage(), EXECUTION)
    assert problem is not None
    assert problem.body == b""


def test_both_texts_of_the_cosmos_outage_come_up_whatever_an_id_ends_with() -> None:
    problems = [error_of(Cosmos(), Execution(f"order-{letter}", "c", ())) for letter in "abcdefghijklmnopqrstuvwxyz"]
    assert {json.loads(problem.body)["title"] for problem in problems if problem} == set(USUAL)


def test_every_code_has_its_texts_and_any_is_all_of_them() -> None:
    assert set(get_args(CosmosCode)) == {"any", *CAUSES}
    ids = [f"id-{number}" for number in range(1000)]
    assert {wording("any", one) for one in ids} == set(WORDINGS)
    for code, cause in CAUSES.items():
        assert all(cause in wording(code, one) for one in ids[:20])


@pytest.mark.parametrize(
    "fault",
    [
        Redirect(),
        Hang(),
        Vanish(),
        OddAnswer(),
        Stray(),
        ResetBefore(),
        ResetAfter(),
        Slow(),
        SlowBody(),
        StalledBody(),
        CutResponse(),
        HugeBody(),
        InvalidJson(),
    ],
)
def test_every_other_fault_is_no_error_answer(fault: CallFault) -> None:
    assert error_of(fault, EXECUTION) is None


@pytest.mark.parametrize(
    ("value", "header"),
    [(1.0, "1"), (0.0, "0"), (0.5, "0.5"), (31_536_000.0, "31536000"), (1e9, "1000000000"), ("soon", "soon"), ("", "")],
)
def test_retry_after_is_sent_as_seconds_or_as_the_text_that_was_given(value: float | str, header: str) -> None:
    assert retry_after(value) == {"retry-after": header}


def test_without_retry_after_there_is_no_header() -> None:
    assert retry_after(None) == retry_after(None, "date") == {}


@given(st.integers(0, 10**9))
def test_as_a_date_retry_after_lies_so_many_seconds_ahead(seconds: int) -> None:
    now = parsedate_to_datetime(retry_after(0.0, "date")["retry-after"])
    then = parsedate_to_datetime(retry_after(float(seconds), "date")["retry-after"])
    assert 0 <= (then - now).total_seconds() - seconds <= 60  # the clock goes on between the two
