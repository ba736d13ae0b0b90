"""Redis and Valkey: what INFO, and its refusal, mean."""

from typing import Any

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.valkey import judge_eviction, judge_persistence, judge_refusal, judge_server
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


def unreached() -> Exception:
    fault = RedisConnectionError("Error 111 connecting to hunter2")
    fault.__cause__ = ConnectionRefusedError(111, "Connection refused")
    return fault


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (AuthenticationError("hunter2"), "failed", "user or password refused"),
        (NoPermissionError("hunter2"), "warning", "answers, but not to INFO"),
        (BusyLoadingError("hunter2"), "failed", "it is still loading its data"),
        (ResponseError("DB index is out of range"), "failed", "it refuses"),
        (RedisTimeoutError("hunter2"), "failed", "no answer"),
        (unreached(), "failed", "Connection refused"),
        (RedisConnectionError("hunter2"), "failed", "no connection"),
    ],
)
def test_a_refusal_says_why_and_nothing_of_what_the_server_said(fault: Exception, status: Status, text: str) -> None:
    found = judge_refusal("redis://…@h/0", fault)
    assert (found.status, found.found) == (status, f"redis://…@h/0: {text}")
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("info", "status", "text"),
    [
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2", "role": "master"}, "ok", "Valkey 9.1.2 at"),
        ({"redis_version": "8.0.0"}, "ok", "Redis 8.0.0 at"),
        ({"role": "slave"}, "failed", "a replica, which takes no writes"),
        ({"hello": {b"mode": b"cluster"}}, "failed", "is a node of a Redis Cluster"),
    ],
)
def test_a_server_must_take_writes(info: dict[str, Any], status: Status, text: str) -> None:
    found = judge_server("redis://h/0", info)
    assert found.status == status
    assert text in found.found


@pytest.mark.parametrize(
    ("info", "status"),
    [
        ({"maxmemory_policy": "noeviction", "maxmemory": 0, "used_memory": 5}, "ok"),
        ({"maxmemory_policy": "noeviction", "maxmemory": 100, "used_memory": 89}, "ok"),
        ({"maxmemory_policy": "noeviction", "maxmemory": 100, "used_memory": 90}, "warning"),
        ({"maxmemory_policy": "allkeys-lru"}, "failed"),
        ({"maxmemory_policy": "volatile-ttl"}, "failed"),
        ({}, "failed"),
    ],
)
def test_messages_must_never_be_thrown_away_for_want_of_memory(info: dict[str, Any], status: Status) -> None:
    assert judge_eviction(info).status == status


@pytest.mark.parametrize(
    ("info", "status"),
    [
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, "ok"),
        ({"aof_enabled": 1, "appendfsync": "always"}, "ok"),
        ({"aof_enabled": 1, "appendfsync": "everysec"}, "warning"),
        ({"aof_enabled": 1, "appendfsync": "no"}, "warning"),
        ({"aof_enabled": 0}, "warning"),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "failed"),
        ({"aof_enabled": 1, "aof_last_bgrewrite_status": "err"}, "failed"),
        ({"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, "failed"),
    ],
)
def test_messages_should_outlive_the_server(info: dict[str, Any], status: Status) -> None:
    assert judge_persistence(info).status == status
