"""Redis and Valkey: whether the user may do all that a worker does with messages, giving them back included."""

from collections.abc import Sequence
from typing import NamedTuple

from ajo_producers.contract.broker import BrokerAddress
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from ajo_worker.doctor.check import Check, failed, ok, skipped

PERMISSIONS = "broker permissions"
UNABLE = ("MISCONF", "NOREPLICAS", "OOM", "READONLY", "LOADING", "BUSY")
"""How the server's answer begins where it is not the user's rights."""

# KEYS: unacknowledged, its index, the queues. What is put somewhere is taken away in the same step, so nobody sees it;
# and put only once it is known that it can be. An RPOP of what is no list takes nothing. Answers with what was refused.
_TRY = """
    local refused = {}
    local function try(...)
        local command, key = ...
        local reply = redis.pcall(...)
        if type(reply) ~= 'table' or not reply.err then return true end
        refused[#refused + 1] = {command, key or '', reply.err}
    end
    local unacked, index = KEYS[1], KEYS[2]
    if try('HDEL', unacked, '') and try('HSET', unacked, '', '') then redis.call('HDEL', unacked, '') end
    if try('ZREM', index, '') and try('ZADD', index, 0, '') then redis.call('ZREM', index, '') end
    try('HGET', unacked, '')
    try('ZRANGE', index, 0, 0)
    try('ZRANGEBYSCORE', index, 1, 0)
    try('TIME')
    local pop = redis.pcall('RPOP', index)
    local pops = type(pop) ~= 'table' or not pop.err or string.sub(pop.err, 1, 9) == 'WRONGTYPE'
    if not pops then refused[#refused + 1] = {'RPOP', index, pop.err} end
    for queue = 3, #KEYS do
        try('LLEN', KEYS[queue])
        if try('LINDEX', KEYS[queue], -1) and pops and try('RPUSH', KEYS[queue], '') then
            try('RPOP', KEYS[queue])
        end
    end
    return refused
"""


class RefusedCommand(NamedTuple):
    """A command that was refused, its key ("" if it has none), and the server's words, which may name the user."""

    command: str
    key: str
    words: str


async def refusals(broker: BrokerAddress, prefix: str, queues: Sequence[str], seconds: float) -> list[RefusedCommand]:
    """What a worker would be refused; nothing stays changed.

    Raises:
        RedisError, OSError: it can't be reached.
    """
    options = {"socket_timeout": seconds, "socket_connect_timeout": seconds, **(broker.ssl or {})}
    unacked, index = f"{prefix}.unacked", f"{prefix}.unacked.index"
    async with Redis.from_url(broker.url, retry=Retry(NoBackoff(), 0), **options) as client:
        try:
            refused = await client.eval(_TRY, 2 + len(queues), unacked, index, *queues)
        except ResponseError as refusal:
            return [RefusedCommand("EVAL", "", str(refusal) or "NOPERM")]
        found = [RefusedCommand(*(word.decode(errors="replace") for word in one)) for one in refused]
        if not found:
            try:
                pipe = client.pipeline(transaction=True)
                pipe.zrem(index, "")
                pipe.hdel(unacked, "")
                await pipe.execute()
            except ResponseError:
                found.append(RefusedCommand("MULTI", "", "NOPERM"))
    return found


def judge_permissions(found: Sequence[RefusedCommand]) -> Check:
    """Whether nothing was refused: without all of it messages are lost to nobody, but wait where they are. Pure."""
    if not found:
        return ok(PERMISSIONS, "the user may take messages, acknowledge them and give them back")
    if unable := [one.words for one in found if one.words.startswith(UNABLE)]:
        return skipped(PERMISSIONS, f"the server takes no writes ({unable[0].split()[0]}): see broker persistence")
    if other := [one.key for one in found if one.words.startswith("WRONGTYPE")]:
        return failed(
            PERMISSIONS,
            f"{_listed(other)}: neither a queue nor what workers keep there, but something else",
            "another program uses this name: set another AJO_QUEUE_PREFIX, or rename or delete what is there",
        )
    commands = _listed([f"{one.command} {one.key}".rstrip() for one in found])
    return failed(
        PERMISSIONS,
        f"refused: {commands}",
        "allow the user these commands and keys (ACL SETUSER; docs/configuration.md has all of them)",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
