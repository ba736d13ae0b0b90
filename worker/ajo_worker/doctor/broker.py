"""The broker: RabbitMQ, or Redis or Valkey, whichever the address names."""

import asyncio

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import queue_names
from redis.exceptions import RedisError

from ajo_worker.doctor import management, rabbitmq, rabbitmq_wire, valkey
from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check, skipped
from ajo_worker.doctor.settings import Readable

BROKER = "broker"
SOONER = 0.9
"""Part of the time after which a blocking call gives up by itself: it knows better why nothing came."""


async def examine_broker(readable: Readable, seconds: float) -> list[Check]:
    """The checks of this subject."""
    if wrong := readable.wrong_of("broker_url", "queue_prefix", "lanes"):
        return [skipped(BROKER, f"{' and '.join(wrong)} can't be read: see settings")]
    address, prefix = readable.settings.broker, readable.settings.queue_prefix
    if address.kind == "valkey":
        return await _examine_valkey(address, seconds)
    return await _examine_rabbitmq(
        address, prefix, [name for lane in readable.settings.lanes for name in queue_names(prefix, lane)], seconds
    )


async def _examine_rabbitmq(address: BrokerAddress, prefix: str, names: list[str], seconds: float) -> list[Check]:
    short = SOONER * seconds
    reached = await bounded(BROKER, seconds, asyncio.to_thread(rabbitmq_wire.reach, address, short))
    if reached.status == "failed":
        others = [*map(rabbitmq.queue_check, names), *map(management.policy_check, names)]
        others += [rabbitmq.PERMISSIONS, rabbitmq.CONFIRMS]
        return [reached, *(skipped(other, "there is no connection") for other in others)]

    async def queue(name: str) -> Check:
        refusal = await asyncio.to_thread(rabbitmq_wire.look_at_queue, address, name, short)
        return rabbitmq.judge_queue(name, refusal)

    async def publication() -> list[Check]:
        publish = asyncio.to_thread(rabbitmq_wire.publish_once, address, prefix, short)
        found = await bounded(rabbitmq.CONFIRMS, seconds, publish)
        if isinstance(found, Check):
            return [skipped(rabbitmq.PERMISSIONS, "see broker confirms"), found]
        return [rabbitmq.judge_permissions(prefix, found), rabbitmq.judge_confirms(found)]

    published = asyncio.create_task(publication())
    queues = [bounded(rabbitmq.queue_check(name), seconds, queue(name)) for name in names]
    policies = [
        bounded(management.policy_check(name), seconds, management.look_at_policy(address, name, short))
        for name in names
    ]
    return [reached, *await asyncio.gather(*queues, *policies), *await published]


async def _examine_valkey(address: BrokerAddress, seconds: float) -> list[Check]:
    async def ask() -> valkey.Info | Exception:
        try:
            return await valkey.info(address, SOONER * seconds)
        except (RedisError, OSError) as fault:
            return fault

    found = await bounded(BROKER, seconds, ask())
    if isinstance(found, Check | Exception):
        server = found if isinstance(found, Check) else valkey.judge_refusal(address.shown, found)
        return [server, *(skipped(name, "see broker") for name in (valkey.EVICTION, valkey.PERSISTENCE))]
    return [valkey.judge_server(address.shown, found), valkey.judge_eviction(found), valkey.judge_persistence(found)]
