"""RabbitMQ: what its answers mean. The texts are those of RabbitMQ 3.10.8."""

import ssl
from typing import Any

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.rabbitmq import (
    BrokerRefusal,
    CelerysOwn,
    MissingRight,
    Publication,
    judge_celery,
    judge_confirms,
    judge_connection,
    judge_consumer_timeout,
    judge_permissions,
    judge_queue,
)
from amqp.exceptions import AccessRefused, ConnectionForced, NotAllowed
from kombu.entity import Exchange

REFUSED = BrokerRefusal(403, "ACCESS_REFUSED - access to queue 'shop.standard' in vhost '/' refused for user 'hunter2'")
DIFFERS = "PRECONDITION_FAILED - inequivalent arg '{}' for queue 'shop.standard' in vhost '/': received {}"


def different(argument: str, rest: str) -> BrokerRefusal:
    return BrokerRefusal(406, DIFFERS.format(argument, rest))


@pytest.mark.parametrize(
    ("refusal", "status", "text"),
    [
        (None, "ok", "quorum, with a delivery limit of 1,000,000"),
        (BrokerRefusal(404, "NOT_FOUND - no queue"), "warning", "not there yet"),
        (REFUSED, "failed", "the user may not declare it"),
        (
            different("x-queue-type", "the value 'quorum' of type 'longstr' but current is none"),
            "failed",
            "x-queue-type is not set, and not quorum",
        ),
        (
            different("x-queue-type", "'quorum' but current is 'stream'"),
            "failed",
            "x-queue-type is stream, and not quorum",
        ),
        (
            different("x-delivery-limit", "'1000000' but current is '20'"),
            "failed",
            "x-delivery-limit is 20, and not 1000000",
        ),
        (different("durable", "'true' but current is 'false'"), "failed", "durable is false, and not as it must be"),
        (BrokerRefusal(405, "RESOURCE_LOCKED - hunter2"), "failed", "refused with code 405"),
    ],
)
def test_a_queue_is_judged_by_how_our_declaration_is_refused(
    refusal: BrokerRefusal | None, status: Status, text: str
) -> None:
    found = judge_queue("shop.standard", refusal)
    assert (found.check, found.status, found.found) == ("queue shop.standard", status, text)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("publication", "permissions", "confirms"),
    [
        (Publication(seconds=0.01), "ok", "ok"),
        (Publication(blocked=True), "ok", "failed"),
        (Publication("configure", REFUSED), "failed", "skipped"),
        (Publication("write", REFUSED), "failed", "skipped"),
        (Publication("read", REFUSED), "failed", "skipped"),
        (Publication("configure", BrokerRefusal(541)), "failed", "skipped"),
    ],
)
def test_rights_and_confirms_are_judged_by_one_message(
    publication: Publication, permissions: Status, confirms: Status
) -> None:
    found = judge_permissions("shop", publication), judge_confirms(publication)
    assert [check.status for check in found] == [permissions, confirms]
    assert "hunter2" not in repr(found)
    if publication.refused:
        assert publication.refused in found[0].found


def verification_error(message: str) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, "broken")
    fault.verify_message = message
    return fault


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (AccessRefused("ACCESS_REFUSED - hunter2"), "user or password refused"),
        (NotAllowed("vhost hunter2 not found"), "there is no such virtual host, or it is not for this user"),
        (verification_error("certificate has expired"), "TLS: certificate has expired"),
        (TimeoutError("timed out"), "no answer"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("hunter2"), "no address takes a connection"),
        (ConnectionForced("hunter2"), "ConnectionForced"),
    ],
)
def test_a_connection_that_fails_says_why_and_nothing_of_what_the_server_said(fault: Any, text: str) -> None:
    found = judge_connection("amqp://…@broker.example.com", fault)
    assert (found.status, found.found) == ("failed", f"amqp://…@broker.example.com: {text}")
    assert "hunter2" not in repr(found)


OWN = CelerysOwn(
    Exchange("celeryev"), Exchange("celery.pidbox"), Exchange("reply.celery.pidbox"), "ajo-dispatch-0a@h.celery.pidbox"
)


def test_what_celery_needs_for_itself_is_told_by_right_and_name() -> None:
    assert judge_celery(OWN, []).status == "ok"
    found = judge_celery(OWN, [MissingRight("configure", "celeryev"), MissingRight("read", OWN.queue)])
    assert (found.status, found.found) == (
        "failed",
        "the user may not configure celeryev, read ajo-dispatch-….celery.pidbox",
    )


@pytest.mark.parametrize(
    ("assumed", "by_policy", "budget", "slowest", "status", "text"),
    [
        (1800, {}, 60, None, "ok", "what is in hand for 1530 s goes back; the longest budget is 60 s"),
        (1800, {}, 60, ("sale", 500), "ok", "what one worker has in hand of sale may take 500 s by its rate limit"),
        (1800, {}, 60, ("sale", 2000), "warning", "sale may take 2,000 s"),
        (60, {}, 60, None, "warning", "goes back, and the longest budget is 60 s"),
        (1800, {"a": 300, "b": 20}, 60, None, "warning", "20 s by the policy of b, and AJO_CONSUMER_TIMEOUT is 1800"),
        (0, {"a": 300}, 60, None, "warning", "300 s by the policy of a, and AJO_CONSUMER_TIMEOUT is 0"),
        (300, {"a": 300}, 60, None, "ok", "300 s by AJO_CONSUMER_TIMEOUT"),
        (0, {}, 60, ("sale", 9000), "ok", "none"),
    ],
)
def test_the_consumer_time_out_is_compared_with_what_may_happen(
    assumed: float,
    by_policy: dict[str, float],
    budget: float,
    slowest: tuple[str, float] | None,
    status: Status,
    text: str,
) -> None:
    found = judge_consumer_timeout(assumed, by_policy, budget, slowest)
    assert found.status == status
    assert text in found.found
