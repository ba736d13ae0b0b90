"""Which addresses of brokers can be used: one rule for publishers, workers and the doctor.

What is refused is refused by its name, with what to do instead; no text has any part of an address but its scheme.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ajo_producers.contract.authority import authority

BrokerKind: TypeAlias = Literal["rabbitmq", "valkey"]

DEFAULT_URL = "amqp://guest:guest@127.0.0.1:5672//"
FORMS: Mapping[BrokerKind, str] = {
    "rabbitmq": "amqp://USER:PASSWORD@HOST:PORT/VHOST",
    "valkey": "redis://USER:PASSWORD@HOST:PORT/NUMBER",
}
"""What an address looks like; with TLS the scheme is amqps or rediss."""

_PORTS: Mapping[str, tuple[BrokerKind, int]] = {
    "amqp": ("rabbitmq", 5672),
    "amqps": ("rabbitmq", 5671),
    "redis": ("valkey", 6379),
    "rediss": ("valkey", 6379),
}
SCHEMES = tuple(_PORTS)

ONE_ADDRESS = "give the nodes one address that leads to whichever is up: a DNS name of them all, or a load balancer"
PRIMARY = "give an address that follows the primary at a fail-over: a DNS name, a load balancer, or the provider's own"
NOT_CLUSTERED = (
    "use one without cluster mode (a primary with replicas): the messages of a queue, and the note of who has taken "
    "which, must lie on one server"
)
QUEUE_GONE = "RabbitMQ ended our consuming of a queue: it was deleted, with all that waited in it, or can't be had"
"""What py-amqp's ConsumerCancelled means, whose own text is the number of a consumer."""
_OTHERS: Mapping[str, str] = {
    "pyamqp": "write it as amqp://, which is the same",
    "py-amqp": "write it as amqp://, which is the same",
    "librabbitmq": "write it as amqp://",
    "amqp+ssl": "write it as amqps://",
    "valkey": "write it as redis://",
    "valkeys": "write it as rediss://",
    "redis+ssl": "write it as rediss://",
    "redis+socket": "a socket of the file system can't be used: give host and port",
    "rediss+socket": "a socket of the file system can't be used: give host and port",
    "unix": "a socket of the file system can't be used: give host and port",
    "sentinel": f"Sentinel is not asked: {PRIMARY}",
    "sentinels": f"Sentinel is not asked: {PRIMARY}",
    "redis+sentinel": f"Sentinel is not asked: {PRIMARY}",
    "rediss+sentinel": f"Sentinel is not asked: {PRIMARY}",
    "redis+cluster": f"a Redis Cluster can't be used: {NOT_CLUSTERED}",
    "rediss+cluster": f"a Redis Cluster can't be used: {NOT_CLUSTERED}",
    "redis-cluster": f"a Redis Cluster can't be used: {NOT_CLUSTERED}",
    "memory": "what is published to memory reaches no other process: start a Valkey instead, as ajo-dispatch dev does",
}
"""Schemes that Celery or other clients know, and what to do instead."""
_HOST = re.compile(r"[\w.-]+|[\da-fA-F:.]+", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.+-]*)://")
_CERTIFICATE = re.compile(r"(?:ssl_?)?(?:cert|key|ca)(?:_?file|s|_certs|_path|_data)?|ssl_(?:cert|key|ca)\w*")


class BrokerError(ValueError):
    """An address of a broker that can't be used: why, and what to do, with no secret part of it."""


class BrokerAddress(NamedTuple):
    """Where a broker is. ``url`` has its secrets, ``shown`` has not."""

    url: str
    kind: BrokerKind
    host: str
    port: int
    tls: bool
    shown: str

    def __repr__(self) -> str:
        """Without its secrets."""
        return f"BrokerAddress({self.shown})"

    @property
    def ssl(self) -> dict[str, Any] | Literal[False]:
        """What kombu is told of TLS: by default no client checks whose certificate it is shown."""
        if not self.tls:
            return False
        import ssl  # noqa: PLC0415 - whoever only describes triggers needs none

        if self.kind == "rabbitmq":
            return {"server_hostname": self.host, "cert_reqs": ssl.CERT_REQUIRED}
        return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


def read_broker(url: str) -> BrokerAddress:
    """The address that a URL is. Pure.

    Raises:
        BrokerError: it can't be used.
    """
    scheme = _scheme_of(url)
    kind, default_port = _PORTS[scheme]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its text may quote the password
        raise BrokerError("can't be read; does the password need percent-encoding (/ is %2F, # is %23)?") from None
    _check_query(parts)
    if "," in parts.netloc.rpartition("@")[2]:
        raise BrokerError(f"names several hosts: {_instead_of_several(kind)}")
    if "@" in parts.path or not _HOST.fullmatch(host):
        raise BrokerError(f"is not like {FORMS[kind]}; does the password need percent-encoding (/ is %2F, # is %23)?")
    if kind == "valkey" and not re.fullmatch(r"/*[0-9]*", parts.path):
        raise BrokerError("must end with the number of a database: redis://HOST/0")
    shown = f"{scheme}://{authority(host, port)}{parts.path}"
    return BrokerAddress(url, kind, host, port or default_port, scheme in {"amqps", "rediss"}, shown)


def unfit(hello: object) -> str | None:
    """Why a server of Redis' kind can't be the broker by its answer to HELLO, and what to do; None if it can. Pure.

    The answer names its mode (https://valkey.io/commands/hello/); servers older than 6 don't know the command.
    """
    pairs = list(hello.items()) if isinstance(hello, dict) else []
    if isinstance(hello, list | tuple):
        pairs = list(zip(hello[::2], hello[1::2], strict=False))
    match {_text(key): _text(value) for key, value in pairs}.get("mode"):
        case "cluster":
            return f"is a node of a Redis Cluster: {NOT_CLUSTERED}"
        case "sentinel":
            return f"is a Sentinel, which holds no messages: {PRIMARY}"
    return None


def _scheme_of(url: str) -> str:
    if url != url.strip() or not url.isprintable():
        raise BrokerError("has blanks, line ends or control characters: take them out")
    if not (found := _SCHEME.match(url)):
        raise BrokerError(f"must be like {' or '.join(FORMS.values())}")
    scheme = found[1]
    if len(_SCHEME.findall(url)) > 1 or ";" in url:
        kind = _PORTS.get(scheme.lower(), ("valkey", 0))[0]
        raise BrokerError(f"has several addresses, or a ; that must be %3B: {_instead_of_several(kind)}")
    if scheme in _PORTS:
        return scheme
    if scheme.lower() in _PORTS:
        raise BrokerError(f"begins with {scheme}: write it in small letters, {scheme.lower()}://")
    if advice := _OTHERS.get(scheme.lower()):
        raise BrokerError(f"begins with {scheme}: {advice}")
    # What is no scheme that is known may be anything, and is not shown.
    raise BrokerError(f"leads to no broker that can be used: RabbitMQ, Redis and Valkey can ({', '.join(SCHEMES)})")


def _check_query(parts: SplitResult) -> None:
    if not parts.query and not parts.fragment:
        return
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if any(_CERTIFICATE.fullmatch(name.lower()) for name in names):
        raise BrokerError(
            "names certificates: a client certificate can't be used, so log in with user and password, or through a "
            "TLS proxy beside the program that has the certificate; a private authority is named by SSL_CERT_FILE"
        )
    raise BrokerError(
        "must have neither ? nor #: in user and password they are %3F and %23, and there are no options; TLS is always "
        "verified, with the authorities of SSL_CERT_FILE if that is set"
    )


def _instead_of_several(kind: BrokerKind) -> str:
    return ONE_ADDRESS if kind == "rabbitmq" else PRIMARY


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
