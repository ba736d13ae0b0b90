"""RabbitMQ: what its answers say of the queues and of the user's rights. Pure; ``rabbitmq_wire`` asks."""

import re
import ssl
from typing import Literal, NamedTuple, TypeAlias

from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from amqp.exceptions import AccessRefused, NotAllowed

from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.network.reasons import reason_of

BROKER, PERMISSIONS, CONFIRMS = "broker", "broker permissions", "broker confirms"
LIMIT = int(str(QUORUM_ARGUMENTS["x-delivery-limit"]))

ACCESS_REFUSED = 403
"""A reply code of AMQP 0-9-1, as are those below."""

OTHERWISE = re.compile(r"inequivalent arg '([\w-]+)'.* but current is (?:'([^']*)'|none)")
"""How RabbitMQ (3.10, 4.1) says in which way a queue is not as declared."""

Right: TypeAlias = Literal["configure", "write", "read"]


class Refusal(NamedTuple):
    """The broker's refusal; its text may name the user, so only what is known of it is ever shown."""

    code: int
    text: str = ""


class Publication(NamedTuple):
    """What came of a message to a temporary queue: what was refused, or how many seconds until the confirm."""

    refused: Right | None = None
    refusal: Refusal | None = None
    blocked: bool = False
    seconds: float | None = None


def judge_connection(shown: str, fault: Exception) -> Check:
    """Why there is no connection; the server's own words are not shown, since they name the user."""
    match fault:
        case AccessRefused():
            why, advice = "user or password refused", "correct AJO_BROKER_URL, or the user's password"
        case NotAllowed():
            why = "there is no such virtual host, or it is not for this user"
            advice = "correct the end of AJO_BROKER_URL (// is the virtual host /), or rabbitmqctl set_permissions"
        case ssl.SSLCertVerificationError():
            why = f"TLS: {reason_of(fault)}"
            advice = "renew the broker's certificate, or name its authority in SSL_CERT_FILE"
        case TimeoutError():
            why, advice = "no answer", "is it the broker's port, and does a firewall let us through?"
        case OSError():
            why = reason_of(fault)
            advice = "start the broker, or correct host and port of AJO_BROKER_URL"
        case _:
            why, advice = type(fault).__name__, "the broker's log says why"
    return failed(BROKER, f"{shown}: {why}", advice)


def queue_check(name: str) -> str:
    """The name of a queue's check."""
    return f"queue {name}"


def judge_queue(name: str, refusal: Refusal | None) -> Check:
    """Whether a lane's queue is there, and as workers and publishers declare it."""
    check = queue_check(name)
    match refusal:
        case None:
            return ok(check, f"quorum, with a delivery limit of {LIMIT:,}")
        case Refusal(code=404):
            return warning(check, "not there yet", "start a worker, or publish: whoever is first makes it")
        case Refusal(code=403):
            return failed(check, "the user may not declare it", _grant(name))
        case Refusal(code=406, text=text) if different := OTHERWISE.search(text):
            argument, current = different.groups()
            return failed(
                check,
                f"{argument} is {current or 'not set'}, and not {QUORUM_ARGUMENTS.get(argument, 'as it must be')}",
                "no worker can use it: empty it (shovel its messages to another queue), delete it, "
                "and start a worker, which makes it anew",
            )
    return failed(check, f"refused with code {refusal.code}", "the broker's log says why")


def judge_permissions(prefix: str, found: Publication) -> Check:
    """Whether the user may configure, write and read."""
    if found.refused is None:
        return ok(PERMISSIONS, f"configure, write and read of queues that begin with {prefix}.")
    if found.refusal is not None and found.refusal.code == ACCESS_REFUSED:
        return failed(PERMISSIONS, f"the user may not {found.refused}", _grant(f"{prefix}.…"))
    code = f"code {found.refusal.code}" if found.refusal else "no code"
    return failed(PERMISSIONS, f"to {found.refused} was refused with {code}", "the broker's log says why")


def judge_confirms(found: Publication) -> Check:
    """Whether what is published gets confirmed."""
    if found.blocked:
        return failed(
            CONFIRMS,
            "the broker blocks publishers: its alarm of memory or disk is on",
            "free memory or disk on the broker: rabbitmq-diagnostics alarms says which",
        )
    if found.seconds is None:
        return skipped(CONFIRMS, "nothing could be published: see broker permissions")
    return ok(CONFIRMS, f"a message to a temporary queue was confirmed after {found.seconds:.3f} s")


def _grant(name: str) -> str:
    return (
        f"grant it configure, write and read: rabbitmqctl set_permissions; its patterns must match {name}, "
        "amq.default (to write), and celery's own celeryev and celery.pidbox"
    )
