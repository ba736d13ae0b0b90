"""The decisions on an execution that need no connection: errors, limits, Retry-After."""

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import pytest
from ajo_simulator.executions import COSMOS_TEXTS, CallLimit, error_of, retry_after
from ajo_simulator.faults import (
    CallFault,
    Cosmos,
    CutResponse,
    Hang,
    HugeBody,
    InvalidJson,
    Outage,
    RateLimit,
    Redirect,
    ResetAfter,
    ResetBefore,
    Slow,
    SlowBody,
    StalledBody,
    Status,
    TokenExpired,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Status(), 503, "aep/errors/CJMRT-000001-503"),
        (Status(status=409, error_code="CJMRT-000032-409", title="Conflict"), 409, '"title":"Conflict"'),
        (Status(status=504, shape="gateway"), 504, '"error_code":"504000"'),
        (Status(status=403, shape="gateway", error_code="403025"), 403, '"error_code":"403025"'),
        (RateLimit(), 429, "Too many requests"),
        (TokenExpired(), 401, '"error_code":"401013"'),
        (Cosmos(), 500, "CJMRT-110100-500"),
        (Outage(), 500, ""),
    ],
)
def test_what_a_scripted_error_says(fault: CallFault, status: int, words: str) -> None:
    problem = error_of(fault, "id")
    assert problem is not None
    assert problem.status == status
    assert words in problem.body.decode()


def test_an_outage_has_no_body_at_all() -> None:
    problem = error_of(Outage(), "id")
    assert problem is not None
    assert problem.body == b""


def test_both_texts_of_the_cosmos_outage_come_up_whatever_an_id_ends_with() -> None:
    problems = [error_of(Cosmos(), f"order-{letter}") for letter in "abcdefghijklmnopqrstuvwxyz"]
    assert {json.loads(problem.body)["title"] for problem in problems if problem} == set(COSMOS_TEXTS)


@pytest.mark.parametrize(
    "fault",
    [
        Redirect(),
        Hang(),
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
    assert error_of(fault, "id") is None


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


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_lets_so_many_calls_of_each_second_pass() -> None:
    clock = Clock()
    limit = CallLimit(clock)
    assert [limit.exceeded(2) for _ in range(4)] == [False, False, True, True]
    clock.now += 1
    assert [limit.exceeded(2) for _ in range(3)] == [False, False, True]


def test_without_a_limit_none_is_exceeded() -> None:
    limit = CallLimit(Clock())
    assert not any(limit.exceeded(None) for _ in range(1000))
