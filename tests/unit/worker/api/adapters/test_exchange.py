"""What is known of a call under way, and what becomes of it."""

import time

import pytest
from ajo_worker.api.adapters.exchange import MOST_DETAIL, Exchange


def test_before_the_headers_a_failure_is_what_it_is() -> None:
    failure = Exchange(began=time.monotonic() - 5).failure("reset", detail="x")
    assert (failure.kind, failure.perhaps_processed, failure.detail) == ("reset", True, "x")
    assert (failure.status, failure.to_headers) == (None, None)
    assert failure.elapsed >= 5


def test_only_a_proof_makes_a_failure_harmless() -> None:
    assert not Exchange().failure("refused", nothing_sent=True).perhaps_processed


@pytest.mark.parametrize(("kind", "shown"), [("reset", "body"), ("internal", "body"), ("timeout", "timeout")])
def test_after_the_headers_a_failure_is_the_bodys_and_has_the_status(kind: str, shown: str) -> None:
    exchange = Exchange(began=time.monotonic() - 5)
    exchange.headers_came(202)
    failure = exchange.failure(kind)  # type: ignore[arg-type] # pytest's parameters are plain text
    assert (failure.kind, failure.perhaps_processed, failure.status) == (shown, True, 202)
    assert failure.to_headers is not None
    assert 5 <= failure.to_headers <= failure.elapsed


def test_a_detail_is_short() -> None:
    assert len(Exchange().failure("tls", detail="x" * 10_000).detail) == MOST_DETAIL


@pytest.mark.parametrize(
    ("body", "kept", "truncated"), [(b"", b"", False), (b"abc", b"abc", False), (b"abcd", b"abc", True)]
)
def test_a_body_beyond_the_bound_is_cut_and_said_to_be(body: bytes, kept: bytes, truncated: bool) -> None:
    exchange = Exchange()
    exchange.headers_came(500)
    answer = exchange.answer({"a": "b"}, body, most=3)
    assert (answer.status, answer.headers, answer.body, answer.truncated) == (500, {"a": "b"}, kept, truncated)
    assert answer.to_headers <= answer.to_body


def test_an_answer_counts_from_its_arrival_and_what_passed_since_then_is_lag() -> None:
    now = time.monotonic()
    exchange = Exchange(began=now - 5)
    exchange.headers_came(202, now - 4)
    answer = exchange.answer({}, b"", most=3, at=now - 3)
    assert (answer.to_headers, answer.to_body) == (pytest.approx(1), pytest.approx(2))
    assert answer.lag >= 3


@pytest.mark.parametrize("at", [-100.0, 100.0])
def test_an_arrival_lies_between_the_beginning_and_now(at: float) -> None:
    now = time.monotonic()
    exchange = Exchange(began=now - 5)
    exchange.headers_came(202, now + at)
    answer = exchange.answer({}, b"", most=3, at=now + at)
    assert 0 <= answer.to_headers <= answer.to_body
    assert answer.to_body + answer.lag == pytest.approx(time.monotonic() - exchange.began, abs=1)


def test_a_time_out_that_is_noticed_late_is_no_longer_than_it_was_set() -> None:
    failure = Exchange(timeout=2, began=time.monotonic() - 5).failure("timeout")
    assert failure.elapsed == pytest.approx(2)
    assert failure.lag >= 3


def test_what_passes_before_the_call_begins_is_our_own() -> None:
    exchange = Exchange(began=time.monotonic() - 5)
    exchange.begins()
    failure = exchange.failure("reset")
    assert failure.start_lag >= 5
    assert failure.elapsed < 5
