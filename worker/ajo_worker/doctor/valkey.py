"""Redis and Valkey: whether they keep what they were given."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import redis.exceptions
from ajo_producers.contract.broker import BrokerAddress, unfit
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, ResponseError

from ajo_worker.doctor.check import Check, failed, ok, warning
from ajo_worker.network.reasons import reason_of

BROKER, EVICTION, PERSISTENCE = "broker", "broker eviction", "broker persistence"
FULL = 0.9
"""Part of ``maxmemory`` from which on there is little left."""

Info = Mapping[str, Any]
"""What INFO tells (https://valkey.io/commands/info/), as redis-py reads it, and ``appendfsync``."""
LOSSES = {"everysec": "the last two seconds", "no": "the last half minute"}
"""What is confirmed and may be nowhere but in the server's memory, by ``appendfsync``. With ``everysec`` it answers for
two seconds without even having written, while a sync goes on (``flushAppendOnlyFile`` in Valkey's src/aof.c)."""


async def info(broker: BrokerAddress, seconds: float) -> Info:
    """All that INFO tells of server, memory, persistence and replication; ``hello`` and ``appendfsync``, where they
    may be asked for. A PING comes first.

    Raises:
        RedisError, OSError: it can't be reached, or refuses.
    """
    options = {"socket_timeout": seconds, "socket_connect_timeout": seconds, **(broker.ssl or {})}
    client = Redis.from_url(broker.url, retry=Retry(NoBackoff(), 0), **options)  # by default it tries again by itself
    async with client:
        await client.ping()
        found: dict[str, Any] = await client.info()
        with suppress(ResponseError):  # too old to know the command, or it is not for this user
            found["hello"] = await client.execute_command("HELLO")  # type: ignore[no-untyped-call] # redis-py
        with suppress(ResponseError):  # as above; a hoster may have taken it away
            found["appendfsync"] = (await client.config_get("appendfsync")).get("appendfsync")
    return found


def judge_refusal(shown: str, fault: Exception) -> Check:
    """Why INFO gave no answer. The server's own words are not shown, since they may name the user."""
    match fault:
        case AuthenticationError():
            why, advice = "user or password refused", "correct AJO_BROKER_URL, or the user's password"
        case NoPermissionError():
            return warning(
                BROKER, f"{shown}: answers, but not to INFO", "allow the user INFO, so that it can be checked"
            )
        case BusyLoadingError():
            why, advice = "it is still loading its data", "wait until it has"
        case ResponseError():
            why, advice = "it refuses", "does the number at the end of AJO_BROKER_URL name a database that it has?"
        case _:
            advice = "start it, or correct host, port and scheme (redis, or rediss for TLS) of AJO_BROKER_URL"
            why = _unreached(fault)
    return failed(BROKER, f"{shown}: {why}", advice)


def judge_server(shown: str, found: Info) -> Check:
    """Whether it is of a kind that holds messages, and takes writes."""
    if reason := unfit(found.get("hello")):
        return failed(BROKER, f"{shown}: {reason.partition(': ')[0]}", reason.partition(": ")[2])
    if found.get("role") in {"slave", "replica"}:
        return failed(BROKER, f"{shown}: a replica, which takes no writes", "point AJO_BROKER_URL to the primary")
    return ok(BROKER, f"{_version(found)} at {shown}")


def judge_eviction(found: Info) -> Check:
    """Whether messages may be thrown away for want of memory, and whether there is some left."""
    policy, most, used = (found.get(name) for name in ("maxmemory_policy", "maxmemory", "used_memory"))
    if policy != "noeviction":
        return failed(
            EVICTION,
            f"maxmemory-policy is {policy}: messages may be thrown away when memory is short",
            "set maxmemory-policy noeviction, in its configuration too",
        )
    if most and used and used >= FULL * most:
        return warning(EVICTION, f"{used / most:.0%} of maxmemory are in use", "raise maxmemory, or start more workers")
    return ok(EVICTION, "maxmemory-policy is noeviction")


def judge_persistence(found: Info) -> Check:
    """Whether messages outlive the server's process."""
    kinds = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
    if bad := [kind for kind in kinds if found.get(kind, "ok") != "ok"]:
        return failed(
            PERSISTENCE,
            f"{', '.join(bad)}: not ok",
            "it can't write to its disk, and may refuse messages: its log says why (disk full, missing rights)",
        )
    if not found.get("aof_enabled"):
        return warning(
            PERSISTENCE,
            "appendonly is off: a crash of the server loses the messages since its last snapshot",
            "set appendonly yes, in its configuration too",
        )
    if lost := LOSSES.get(str(found.get("appendfsync"))):
        return warning(
            PERSISTENCE,
            f"appendfsync is {found['appendfsync']}: a crash of the server may cost {lost} of confirmed messages",
            "set appendfsync always, in its configuration too",
        )
    return ok(PERSISTENCE, "appendonly is on, and its last writes went well")


def _unreached(fault: Exception) -> str:
    """Why, by the operating system's error that redis-py has wrapped once or twice."""
    if isinstance(fault, redis.exceptions.TimeoutError):
        return "no answer"
    cause: BaseException | None = fault
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return "no connection"
    return f"TLS: {reason_of(cause)}" if isinstance(cause, ssl.SSLError) else reason_of(cause)


def _version(found: Info) -> str:
    if version := found.get("valkey_version"):
        return f"Valkey {version}"
    return f"Redis {found.get('redis_version', '?')}"
