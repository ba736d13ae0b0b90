"""RabbitMQ's management API: the only place where policies can be seen."""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import httpx2
import msgspec
from ajo_producers.contract.authority import authority
from ajo_producers.contract.broker import BrokerAddress

from ajo_worker.doctor.check import Check, failed, ok, skipped
from ajo_worker.doctor.rabbitmq import LIMIT

OK = 200
PORTS_APART = 10_000
"""By default 15672 beside 5672, and 15671 beside 5671 (https://www.rabbitmq.com/docs/networking#ports)."""
LAST_PORT = 65_535


class QueueView(NamedTuple):
    """The API's answer of a queue: its status, and what it shows where it shows something."""

    status: int
    queue: dict[str, Any]


async def view_of(broker: BrokerAddress, queue: str, seconds: float) -> QueueView | Check:
    """How the API sees a queue, if this user may see it; a check that was skipped without an API that answers."""
    parts, port = urlsplit(broker.url), broker.port + PORTS_APART
    if port > LAST_PORT:
        return skipped(
            policy_check(queue), f"not visible: no management API can be {PORTS_APART:,} above {broker.port}"
        )
    user = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
    path = f"api/queues/{quote(unquote(parts.path[1:]) or '/', safe='')}/{quote(queue, safe='')}"
    try:
        async with asyncio.timeout(seconds), httpx2.AsyncClient(auth=user, trust_env=False, timeout=None) as client:
            answer = await client.get(f"{'https' if broker.tls else 'http'}://{authority(broker.host, port)}/{path}")
        view = msgspec.json.decode(answer.content, type=dict[str, Any]) if answer.status_code == OK else {}
    except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError, TimeoutError):
        return skipped(policy_check(queue), f"not visible: no management API at port {port}")
    return QueueView(answer.status_code, view)


def policy_check(queue: str) -> str:
    """The check's name."""
    return f"policy of {queue}"


def consumer_timeout_of(view: QueueView | Check) -> float | None:
    """The seconds after which a queue's policy has an unanswered message's channel closed; None if none does. Pure.

    RabbitMQ 3.12 and later (https://www.rabbitmq.com/docs/consumers#per-queue-delivery-timeouts-using-policy).
    """
    policy = {} if isinstance(view, Check) else view.queue.get("effective_policy_definition") or {}
    milliseconds = policy.get("consumer-timeout") if isinstance(policy, dict) else None
    return milliseconds / 1000 if isinstance(milliseconds, int) and milliseconds > 0 else None


def judge_view(queue: str, view: QueueView) -> Check:
    """What the API's answer says of policies. Pure.

    Of two limits RabbitMQ takes the lower one (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling; a
    negative one, known from 4.0 on, is none). The other keys drop messages that nobody has read.
    """
    match view.status:
        case 200:
            return _judge_queue(policy_check(queue), view.queue)
        case 401 | 403:
            return skipped(policy_check(queue), "not visible: the broker's user lacks the tag management")
        case 404:
            return skipped(policy_check(queue), "the queue is not there yet")
    return skipped(policy_check(queue), f"not visible: the management API answers with status {view.status}")


def _judge_queue(check: str, view: dict[str, Any]) -> Check:
    if (kind := view.get("type")) != "quorum":
        return failed(check, f"the queue's type is {kind}", "empty it, delete it, and start a worker: it makes it anew")
    if "effective_policy_definition" not in view:  # seen with 3.10: some 10 s after the queue was made
        return skipped(check, "not visible yet: RabbitMQ gathers what it knows of a new queue; ask again in a minute")
    names = [str(view[field]) for field in ("policy", "operator_policy") if view.get(field)]
    if not names:
        return ok(check, "none")
    said = f"{' and '.join(names)}: "
    if wrong := _overruling(view.get("effective_policy_definition") or {}):
        return failed(check, said + ", ".join(wrong), "take this out of the policy, or except the queue from it")
    return ok(check, f"{said}overrules nothing")


def _overruling(definition: dict[str, Any]) -> list[str]:
    wrong = [
        f"{key} {definition[key]} drops messages unread" for key in ("message-ttl", "expires") if key in definition
    ]
    limit = definition.get("delivery-limit")
    if isinstance(limit, int) and 0 <= limit < LIMIT:
        wrong.append(f"delivery-limit {limit} drops a message that workers have handed back so often")
    if not str(definition.get("overflow", "")).startswith("reject-publish"):
        lengths = [key for key in ("max-length", "max-length-bytes") if key in definition]
        wrong += [f"{key} {definition[key]} drops the oldest messages" for key in lengths]
    return wrong
