"""RabbitMQ: what its answers say of the queues and of the user's rights. Pure; ``rabbitmq_wire`` asks."""

import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from amqp.exceptions import AccessRefused, NotAllowed
from kombu.entity import Exchange

from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.intake.consumer_timeout import EARLY
from ajo_worker.network.reasons import reason_of

BROKER, PERMISSIONS, CONFIRMS = "broker", "broker permissions", "broker confirms"
CELERY, CONSUMER_TIMEOUT = "celery permissions", "consumer time-out"
LIMIT = int(str(QUORUM_ARGUMENTS["x-delivery-limit"]))

ACCESS_REFUSED = 403
"""A reply code of AMQP 0-9-1, as are those below."""

OTHERWISE = re.compile(r"inequivalent arg '([\w-]+)'.* but current is (?:'([^']*)'|none)")
"""How RabbitMQ (3.10, 4.1) says in which way a queue is not as declared."""

Right: TypeAlias = Literal["configure", "write", "read"]


class BrokerRefusal(NamedTuple):
    """The broker's refusal; its text may name the user, so only what is known of it is ever shown."""

    code: int
    text: str = ""


class Publication(NamedTuple):
    """What came of a message to a temporary queue: what was refused, or how many seconds until the confirm."""

    refused: Right | None = None
    refusal: BrokerRefusal | None = None
    blocked: bool = False
    seconds: float | None = None


class CelerysOwn(NamedTuple):
    """What a worker uses beside our queues: it tells Flower of tasks, takes remote control, and answers it."""

    events: Exchange
    control: Exchange
    replies: Exchange
    queue: str
    """That of a worker with its default name: each worker has its own."""


class MissingRight(NamedTuple):
    """A right that the user lacks, and of what."""

    right: Right
    name: str


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


def judge_queue(name: str, refusal: BrokerRefusal | None) -> Check:
    """Whether a lane's queue is there, and as workers and publishers declare it."""
    check = queue_check(name)
    match refusal:
        case None:
            return ok(check, f"quorum, with a delivery limit of {LIMIT:,}")
        case BrokerRefusal(code=404):
            return warning(check, "not there yet", "start a worker, or publish: whoever is first makes it")
        case BrokerRefusal(code=403):
            return failed(check, "the user may not declare it", _grant(name))
        case BrokerRefusal(code=406, text=text) if different := OTHERWISE.search(text):
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


def judge_celery(celery: CelerysOwn, refused: Sequence[MissingRight] | None) -> Check:
    """Whether the user may do what Celery does for itself: without, no worker comes as far as taking a message."""
    if refused is None:
        return skipped(CELERY, "see broker confirms")
    own = [celery.events.name, celery.control.name, celery.replies.name]
    if not refused:
        return ok(CELERY, f"what it needs of {', '.join(own)} and each worker's {_own(celery)}")
    shown = [f"{one.right} {_own(celery) if one.name == celery.queue else one.name}" for one in refused]
    return failed(
        CELERY,
        f"the user may not {', '.join(shown)}",
        "no worker takes a message without: rabbitmqctl set_permissions; docs/configuration.md has the patterns",
    )


def _own(celery: CelerysOwn) -> str:
    return f"ajo-dispatch-….{celery.control.name}"


def judge_consumer_timeout(
    assumed: float, by_policy: Mapping[str, float], budget: float, slowest: tuple[str, float] | None
) -> Check:
    """Whether what is in hand for long goes back in time, and how often; all in seconds.

    ``assumed`` is the setting (0: there is none), ``by_policy`` what policies say of queues, ``budget`` the longest of
    a call's, ``slowest`` the campaign whose rate limit lets what a worker has in hand wait longest, and how long.
    """
    queue, told = min(by_policy.items(), key=lambda one: one[1], default=("", 0.0))
    if told and (not assumed or told < assumed):
        return warning(
            CONSUMER_TIMEOUT,
            f"{told:g} s by the policy of {queue}, and AJO_CONSUMER_TIMEOUT is {assumed:g}",
            f"set AJO_CONSUMER_TIMEOUT={told:g}: a channel is closed before workers learn of it",
        )
    if not assumed:
        return ok(CONSUMER_TIMEOUT, "none, by AJO_CONSUMER_TIMEOUT")
    after = EARLY * assumed
    found = (
        f"{assumed:g} s by AJO_CONSUMER_TIMEOUT (the server doesn't tell): what is in hand for {after:g} s goes back"
    )
    waits = {f"the longest budget is {budget:g} s": budget}
    if slowest is not None:
        waits[f"what one worker has in hand of {slowest[0]} may take {slowest[1]:,.0f} s by its rate limit"] = slowest[
            1
        ]
    if long := [text for text, seconds in waits.items() if seconds >= after]:
        return warning(
            CONSUMER_TIMEOUT,
            f"{found}, and {', '.join(long)}",
            "such messages are handed out again and again, and join the work in hand: raise the server's "
            "consumer_timeout (or a policy's consumer-timeout) and AJO_CONSUMER_TIMEOUT with it, or lower AJO_PREFETCH",
        )
    return ok(CONSUMER_TIMEOUT, f"{found}; {', '.join(waits)}")


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
        "and amq.default (to write)"
    )
