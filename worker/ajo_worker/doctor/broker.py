"""The broker: RabbitMQ, or Redis or Valkey, whichever the address names."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import uuid4

from ajo_producers.campaigns.definition import Definition
from ajo_producers.contract.lanes import queues_of
from celery.events.event import event_exchange
from redis.exceptions import RedisError

from ajo_worker.doctor import management, rabbitmq, rabbitmq_wire, valkey, valkey_rights
from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check, skipped
from ajo_worker.doctor.settings import Readable, unread
from ajo_worker.intake.application import make_app
from ajo_worker.intake.program import default_name, node_name
from ajo_worker.settings import Settings

BROKER = "broker"
SOONER = 0.9
"""Part of the time after which a blocking call gives up by itself: it knows better why nothing came."""


async def examine_broker(
    readable: Readable, definitions: Callable[[], Awaitable[Sequence[Definition]]], seconds: float
) -> list[Check]:
    """The checks of this subject; ``definitions`` gives those of the campaigns, as far as they can be read."""
    if wrong := readable.wrong_of("broker_url", "queue_prefix", "lanes"):
        return [unread(BROKER, wrong)]
    if readable.settings.broker.kind == "valkey":
        return await _examine_valkey(readable.settings, seconds)
    return await _examine_rabbitmq(readable.settings, definitions, seconds)


async def _examine_rabbitmq(
    settings: Settings, definitions: Callable[[], Awaitable[Sequence[Definition]]], seconds: float
) -> list[Check]:
    address, prefix, short = settings.broker, settings.queue_prefix, SOONER * seconds
    names = list(queues_of(prefix, settings.lanes))
    reached = await bounded(BROKER, seconds, asyncio.to_thread(rabbitmq_wire.reach, address, short))
    if reached.status == "failed":
        others = [*map(rabbitmq.queue_check, names), *map(management.policy_check, names)]
        others += [rabbitmq.PERMISSIONS, rabbitmq.CELERY, rabbitmq.CONFIRMS, rabbitmq.CONSUMER_TIMEOUT]
        return [reached, *(skipped(other, "there is no connection") for other in others)]

    async def queue(name: str) -> Check:
        refusal = await asyncio.to_thread(rabbitmq_wire.look_at_queue, address, name, short)
        return rabbitmq.judge_queue(name, refusal)

    async def publication() -> tuple[Check, Check]:
        publish = asyncio.to_thread(rabbitmq_wire.publish_once, address, prefix, short)
        found = await bounded(rabbitmq.CONFIRMS, seconds, publish)
        if isinstance(found, Check):
            return skipped(rabbitmq.PERMISSIONS, "see broker confirms"), found
        return rabbitmq.judge_permissions(prefix, found), rabbitmq.judge_confirms(found)

    async def celerys_own() -> Check:
        own = _celerys_own(settings)
        return rabbitmq.judge_celery(own, await asyncio.to_thread(rabbitmq_wire.rights_refused, address, own, short))

    published, celery = asyncio.create_task(publication()), bounded(rabbitmq.CELERY, seconds, celerys_own())
    looks = [
        bounded(management.policy_check(name), seconds, management.view_of(address, name, short)) for name in names
    ]
    views = asyncio.gather(*looks)
    queues = await asyncio.gather(*(bounded(rabbitmq.queue_check(name), seconds, queue(name)) for name in names))
    seen = dict(zip(names, await views, strict=True))
    policies = [view if isinstance(view, Check) else management.judge_view(name, view) for name, view in seen.items()]
    told = {name: limit for name, view in seen.items() if (limit := management.consumer_timeout_of(view)) is not None}
    permissions, confirms = await published
    timeout = _judge_consumer_timeout(settings, await definitions(), told)
    return [reached, *queues, *policies, permissions, await celery, confirms, timeout]


def _celerys_own(settings: Settings) -> rabbitmq.CelerysOwn:
    mailbox, name = make_app(settings).control.mailbox, node_name(default_name(uuid4()))
    return rabbitmq.CelerysOwn(event_exchange, mailbox.exchange, mailbox.reply_exchange, mailbox.get_queue(name).name)


def _judge_consumer_timeout(
    settings: Settings, definitions: Sequence[Definition], by_policy: Mapping[str, float]
) -> Check:
    budget = max([settings.budget_seconds, *(one.budget for one in definitions if one.budget is not None)])
    limited = {one.name: settings.prefetch / one.rate_limit for one in definitions if one.rate_limit is not None}
    slowest = max(limited.items(), key=lambda one: one[1], default=None)
    return rabbitmq.judge_consumer_timeout(settings.consumer_timeout, by_policy, budget, slowest)


async def _examine_valkey(settings: Settings, seconds: float) -> list[Check]:
    address, short = settings.broker, SOONER * seconds

    async def ask() -> valkey.Info | Exception:
        try:
            return await valkey.info(address, short)
        except (RedisError, OSError) as fault:
            return fault

    async def rights() -> Check:
        queues = list(queues_of(settings.queue_prefix, settings.lanes))
        found = await valkey_rights.refusals(address, settings.queue_prefix, queues, short)
        return valkey_rights.judge_permissions(found)

    found = await bounded(BROKER, seconds, ask())
    if isinstance(found, Check | Exception):
        server = found if isinstance(found, Check) else valkey.judge_refusal(address.shown, found)
        checks = [server, *(skipped(name, "see broker") for name in (valkey.EVICTION, valkey.PERSISTENCE))]
    else:
        server = valkey.judge_server(address.shown, found)
        checks = [server, valkey.judge_eviction(found), valkey.judge_persistence(found)]
    if server.status == "failed":
        return [*checks, skipped(valkey_rights.PERMISSIONS, "see broker")]
    return [*checks, await bounded(valkey_rights.PERMISSIONS, seconds, rights())]
