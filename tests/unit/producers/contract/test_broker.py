"""Addresses of brokers: one rule, which says what is wrong and never shows a secret; publishers and workers obey it."""

import pytest
from ajo_producers import Publisher, SettingError
from ajo_producers.contract.broker import DEFAULT_URL, SCHEMES, BrokerError, read_broker, unfit
from ajo_worker.settings import Settings
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.url import url_to_parts
from pydantic import SecretStr, ValidationError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "kind", "host", "port", "tls", "shown"),
    [
        (DEFAULT_URL, "rabbitmq", "127.0.0.1", 5672, False, "amqp://127.0.0.1:5672//"),
        ("amqp://broker.example.com", "rabbitmq", "broker.example.com", 5672, False, "amqp://broker.example.com"),
        (
            "amqps://ada:p%40ss%3B@broker.example.com/shop",
            "rabbitmq",
            "broker.example.com",
            5671,
            True,
            "amqps://broker.example.com/shop",
        ),
        ("redis://:hunter2@[::1]:6380/0", "valkey", "::1", 6380, False, "redis://[::1]:6380/0"),
        ("rediss://broker_1", "valkey", "broker_1", 6379, True, "rediss://broker_1"),
    ],
)
def test_what_can_be_used_is_read_and_shown_without_user_and_password(
    url: str, kind: str, host: str, port: int, tls: bool, shown: str
) -> None:
    found = read_broker(url)
    assert found == (url, kind, host, port, tls, shown)
    assert bool(found.ssl) is tls
    assert repr(found) == f"BrokerAddress({shown})"


REFUSED = [
    ("pyamqp://ada:hunter2@h//", "begins with pyamqp: write it as amqp://"),
    ("Amqp://ada:hunter2@h//", "begins with Amqp: write it in small letters, amqp://"),
    ("REDISS://ada:hunter2@h/0", "write it in small letters, rediss://"),
    ("valkeys://ada:hunter2@h/0", "write it as rediss://"),
    ("memory://", "reaches no other process"),
    ("sentinel://:hunter2@h:26379", "Sentinel is not asked: give an address that follows the primary"),
    ("redis+cluster://:hunter2@h", "a Redis Cluster can't be used"),
    ("redis+socket:///run/hunter2.sock", "a socket of the file system can't be used"),
    ("sqs://ada:hunter2@", "no broker that can be used: RabbitMQ, Redis and Valkey can (amqp, amqps, redis, rediss)"),
    ("https://ada:hunter2@h", "no broker that can be used"),
    ("amqp://ada:hunter2@a//;amqp://ada:hunter2@b//", "several addresses, or a ; that must be %3B: give the nodes one"),
    ("redis://:hunter2@a/0;redis://:hunter2@b/0", "give an address that follows the primary"),
    ("sentinel://a;sentinel://b", "several addresses"),
    ("amqp://ada:hunter2;x@a//", "a ; that must be %3B"),
    ("amqp://ada:hunter2@a,b//", "names several hosts: give the nodes one address"),
    ("amqps://h//?ssl_certfile=/hunter2.pem", "a client certificate can't be used"),
    ("rediss://h/0?ssl_cert_reqs=CERT_NONE", "a private authority is named by SSL_CERT_FILE"),
    ("amqp://h//?heartbeat=30", "there are no options"),
    ("redis://:hun#hunter2@h/0", "does the password need percent-encoding"),
    ("amqp://h//#hunter2", "they are %3F and %23"),
    ("amqp://ada:1/hunter2@h//", "does the password need percent-encoding (/ is %2F, # is %23)?"),
    ("amqp://ada:hunter2@[broken", "can't be read"),
    ("amqp://ada:hunter2@h:port//", "can't be read"),
    ("amqp://ada:hunter2@", "is not like amqp://USER:PASSWORD@HOST:PORT/VHOST"),
    ("redis://:hunter2@h/zero", "must end with the number of a database"),
    (" amqp://h//", "has blanks"),
    ("amqp://h//\n", "has blanks, line ends"),
    ("hunter2", "must be like amqp://USER"),
    ("", "must be like amqp://USER"),
    ("h:5672", "must be like amqp://USER"),
]


@pytest.mark.parametrize(("url", "told"), REFUSED)
def test_what_can_not_be_used_is_refused_alike_by_publisher_and_worker_with_what_to_do(url: str, told: str) -> None:
    with pytest.raises(BrokerError) as rule:
        read_broker(url)
    with pytest.raises(SettingError) as publisher:
        Publisher(url)
    with pytest.raises(ValidationError) as worker:
        Settings(broker_url=SecretStr(url))
    assert told in str(rule.value)
    assert str(publisher.value) == f"the broker's URL {rule.value}"
    assert worker.value.errors()[0]["msg"] == f"Value error, {rule.value}"
    assert SECRET not in f"{rule.value}{publisher.value}{worker.value.errors(include_input=False)}"


awkward = st.text(st.sampled_from("/?#@:[]%;,.\\ \n\tab1&-é"))


@given(st.sampled_from(SCHEMES), awkward, awkward, st.sampled_from(["@h:5672//", "@h/0", "@[::1]/0", "@"]))
def test_no_password_is_taken_for_another_part_of_the_address(scheme: str, one: str, two: str, rest: str) -> None:
    url = f"{scheme}://ada:{one}{SECRET}{two}{rest}"
    try:
        found, told = read_broker(url), ""
    except BrokerError as refused:
        found, told = None, str(refused)
    assert SECRET not in told
    assert found is None or (found.host, SECRET in found.shown) == (url_to_parts(url).hostname, False)


@pytest.mark.parametrize(
    ("hello", "told"),
    [
        ({b"server": b"valkey", b"mode": b"standalone"}, None),
        (
            [b"server", b"redis", b"mode", b"cluster", b"role", b"master"],
            "is a node of a Redis Cluster: use one without",
        ),
        ({"mode": "sentinel"}, "is a Sentinel, which holds no messages: give an address that follows the primary"),
        (None, None),
        ([b"server"], None),
    ],
)
def test_a_server_that_can_not_be_the_broker_is_known_by_its_mode(hello: object, told: str | None) -> None:
    reason = unfit(hello)
    assert reason is None if told is None else str(reason).startswith(told)
