"""Faults of the broker: each is seen, and the other checks stay good."""

import shutil
import ssl
from pathlib import Path

import pytest
import redis
import trustme
from ajo_local.processes import Processes
from ajo_local.valkey import Valkey, start_valkey
from ajo_producers.contract.lanes import LANES, queue_names

from tests.support.brokers import delete_queues
from tests.support.doctor import PASSWORD, Diagnose, declare, statuses
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until


def test_a_wrong_password_of_the_broker_fails_alone(env: dict[str, str], broker_url: str, diagnose: Diagnose) -> None:
    scheme, _, rest = broker_url.partition("://")
    url = f"{scheme}://ada:{PASSWORD}@{rest.partition('@')[2]}"
    code, found = diagnose(env | {"AJO_BROKER_URL": url})
    assert (code, statuses(found, "failed")) == (1, {"broker"})
    assert "user or password refused" in str(found["broker"]["found"])
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_is_away_fails_alone(env: dict[str, str], closed: int, scheme: str, diagnose: Diagnose) -> None:
    code, found = diagnose(env | {"AJO_BROKER_URL": f"{scheme}://ada:{PASSWORD}@127.0.0.1:{closed}/"})
    assert (code, statuses(found, "failed")) == (1, {"broker"})
    assert found["broker"]["found"] == f"{scheme}://127.0.0.1:{closed}/: Connection refused"


@pytest.mark.parametrize("kind", ["classic", "without-limit"])
def test_a_queue_of_another_kind_fails_alone(
    env: dict[str, str], rabbitmq_url: str, queue_prefix: str, diagnose: Diagnose, kind: str
) -> None:
    declare(rabbitmq_url, queue_prefix, {} if kind == "classic" else {"x-queue-type": "quorum"})
    code, found = diagnose(env | {"AJO_BROKER_URL": rabbitmq_url, "AJO_LANES": "standard"})
    assert (code, statuses(found, "failed")) == (1, {f"queue {name}" for name in queue_names(queue_prefix, "standard")})
    assert {"broker", "broker permissions", "broker confirms"} <= statuses(found, "ok")
    told = {"classic": "x-queue-type is not set", "without-limit": "x-delivery-limit is not set"}[kind]
    assert told in str(found[f"queue {queue_prefix}.standard"]["found"])


def test_a_queue_that_is_not_there_yet_is_a_warning_and_is_not_made(
    env: dict[str, str], rabbitmq_url: str, queue_prefix: str, diagnose: Diagnose
) -> None:
    delete_queues(rabbitmq_url, queue_prefix)
    for _ in range(2):
        code, found = diagnose(env | {"AJO_BROKER_URL": rabbitmq_url})
        assert code == 0
        absent = {f"queue {name}" for lane in LANES for name in queue_names(queue_prefix, lane)}
        assert absent <= statuses(found, "warning")


@pytest.fixture
def own_valkey(processes: Processes) -> Valkey:
    """A Valkey of this test alone, with an append-only file."""
    return start_valkey(processes, appendfsync="always")


def test_a_valkey_that_keeps_everything_is_well(env: dict[str, str], own_valkey: Valkey, diagnose: Diagnose) -> None:
    code, found = diagnose(env | {"AJO_BROKER_URL": own_valkey.url})
    assert code == 0
    assert {"broker", "broker eviction", "broker permissions", "broker persistence"} <= statuses(found, "ok")
    assert str(found["broker"]["found"]).startswith("Valkey ")
    with redis.Redis.from_url(own_valkey.url) as client:
        assert client.dbsize() == 0


def test_a_valkey_that_may_throw_messages_away_fails_alone(
    env: dict[str, str], own_valkey: Valkey, diagnose: Diagnose
) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    code, found = diagnose(env | {"AJO_BROKER_URL": own_valkey.url})
    assert (code, statuses(found, "failed")) == (1, {"broker eviction"})


def test_a_valkey_that_answers_before_it_has_written_is_a_warning(
    env: dict[str, str], own_valkey: Valkey, diagnose: Diagnose
) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        client.config_set("appendfsync", "everysec")
    code, found = diagnose(env | {"AJO_BROKER_URL": own_valkey.url})
    assert (code, "broker persistence" in statuses(found, "warning")) == (0, True)


def test_a_valkey_that_can_not_write_to_its_disk_fails_alone(
    env: dict[str, str], own_valkey: Valkey, diagnose: Diagnose
) -> None:
    shutil.rmtree(own_valkey.home)
    with redis.Redis.from_url(own_valkey.url) as client:
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", what="the snapshot failed")
    code, found = diagnose(env | {"AJO_BROKER_URL": own_valkey.url})
    assert (code, statuses(found, "failed")) == (1, {"broker persistence"})


def test_a_user_that_may_not_ask_for_info_is_a_warning(
    env: dict[str, str], own_valkey: Valkey, diagnose: Diagnose
) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        rights = {"categories": ["+@all"], "keys": ["*"], "commands": ["-info"]}
        client.acl_setuser("ada", enabled=True, passwords=[f"+{PASSWORD}"], **rights)
    url = f"redis://ada:{PASSWORD}@{own_valkey.url.partition('@')[2]}"
    code, found = diagnose(env | {"AJO_BROKER_URL": url})
    assert (code, "broker" in statuses(found, "warning")) == (0, True)
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ("-rpush", "RPUSH PREFIX.standard, RPUSH PREFIX.standard.urgent"),
        ("-rpop", "RPOP PREFIX.unacked.index"),
        ("-hdel", "HDEL PREFIX.unacked"),
        ("-zrangebyscore", "ZRANGEBYSCORE PREFIX.unacked.index"),
        ("-time", "TIME"),
        ("-eval", "EVAL"),
        ("-multi", "MULTI"),
    ],
)
def test_a_right_without_which_messages_would_not_go_back_fails_alone(
    env: dict[str, str], valkey_url: str, queue_prefix: str, diagnose: Diagnose, right: str, told: str
) -> None:
    url = f"redis://{queue_prefix}:{PASSWORD}@{valkey_url.partition('@')[2]}"
    with redis.Redis.from_url(valkey_url) as client:
        everything = {"categories": ["+@all"], "keys": ["*"], "channels": ["*"]}
        client.rpush(f"{queue_prefix}.standard", "waits")
        client.acl_setuser(queue_prefix, enabled=True, passwords=[f"+{PASSWORD}"], commands=[right], **everything)
        try:
            code, found = diagnose(env | {"AJO_BROKER_URL": url, "AJO_LANES": "standard"})
        finally:
            client.acl_deluser(queue_prefix)
        assert client.lrange(f"{queue_prefix}.standard", 0, -1) == [b"waits"]
        assert client.keys(f"{queue_prefix}*") == [f"{queue_prefix}.standard".encode()]
    assert (code, statuses(found, "failed")) == (1, {"broker permissions"})
    assert found["broker permissions"]["found"] == f"refused: {told.replace('PREFIX', queue_prefix)}"


def test_the_rights_that_the_docs_name_are_enough(
    env: dict[str, str], valkey_url: str, queue_prefix: str, diagnose: Diagnose
) -> None:
    (line,) = (
        line for line in Path("docs/configuration.md").read_text().splitlines() if line.startswith("ACL SETUSER")
    )
    words = line.replace("PREFIX", queue_prefix).replace("PASSWORD", PASSWORD).replace("USER on", f"{queue_prefix} on")
    url = f"redis://{queue_prefix}:{PASSWORD}@{valkey_url.partition('@')[2]}"
    with redis.Redis.from_url(valkey_url) as client:
        client.execute_command(*words.split())
        try:
            code, found = diagnose(env | {"AJO_BROKER_URL": url})
        finally:
            client.acl_deluser(queue_prefix)
    assert (code, {"broker", "broker permissions"} <= statuses(found, "ok")) == (0, True)


AUTHORITY = trustme.CA()


def over_tls(url: str, name: str) -> Proxy:
    """A way to the broker over TLS, with a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return Proxy(url, context)


@pytest.mark.parametrize(
    ("name", "trusted", "told"),
    [
        ("127.0.0.1", True, None),
        ("127.0.0.1", False, "certificate"),
        ("broker.example.com", True, "certificate is not valid for"),
    ],
    ids=["trusted", "unknown authority", "wrong name"],
)
def test_a_broker_over_tls_must_prove_who_it_is(
    env: dict[str, str], broker_url: str, tmp_path: Path, diagnose: Diagnose, name: str, trusted: bool, told: str | None
) -> None:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trust = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
    with over_tls(broker_url, name) as proxy:
        assert proxy.url.startswith(("amqps:", "rediss:"))
        code, found = diagnose(env | {"AJO_BROKER_URL": proxy.url} | trust)
    if told is None:
        assert (code, "broker" in statuses(found, "ok")) == (0, True)
    else:
        assert (code, statuses(found, "failed")) == (1, {"broker"})
        assert ": TLS: " in str(found["broker"]["found"])
        assert told in str(found["broker"]["found"])
