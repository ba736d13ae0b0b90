"""Going the way to an endpoint: its name, a connection, TLS, a call; and how long each step took.

Where the way leads through a proxy, name and connection are the proxy's, and its tunnel is a part of connecting.
On a thread of its own, with sockets that block: a busy event loop adds nothing to what is measured.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Literal, TypeAlias, get_args

from ajo_worker.daemon_threads import DaemonThreads
from ajo_worker.network.destination import Destination
from ajo_worker.network.reasons import reason_of
from ajo_worker.network.steps import Head, Resolver, ask, connect, look_up, open_tunnel, resolve, shake_hands

Step: TypeAlias = Literal["dns", "connect", "tls", "first_byte"]
STEPS: tuple[Step, ...] = get_args(Step)
"""In their order; each has a column ``…_seconds`` in ledger.network_probes."""


@dataclass(slots=True)
class Way:
    """What was found on the way: seconds of each step that was made, and the fault of the one that failed."""

    took: dict[Step, float] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    address: str | None = None
    tls_version: str | None = None
    certificate_expires_at: datetime | None = None
    answer: Head | None = None
    failed: Step | None = None
    fault: OSError | None = None

    @property
    def failure(self) -> str | None:
        """The step that failed and why, such as ``connect: Connection refused``; None if all went well."""
        return f"{self.failed}: {reason_of(self.fault)}" if self.failed and self.fault else None


async def explore(
    destination: Destination,
    tls: ssl.SSLContext | None,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    resolver: Resolver = look_up,
) -> Way:
    """Go the way; each step has ``seconds``, and the first that fails is the last.

    Without ``tls``, the way to a secure destination ends before it.
    """
    return await asyncio.wrap_future(DaemonThreads().submit(_go, destination, tls, seconds, headers or {}, resolver))


def _go(
    destination: Destination,
    tls: ssl.SSLContext | None,
    seconds: float,
    headers: Mapping[str, str],
    resolver: Resolver,
) -> Way:
    way, step, began = Way(), STEPS[0], monotonic()

    def note(made: Step, following: Step) -> None:
        nonlocal step, began
        way.took[made], step, began = monotonic() - began, following, monotonic()

    with ExitStack() as opened:
        try:
            addresses = resolve(destination, seconds, resolver)
            note("dns", "connect")
            way.addresses = tuple(dict.fromkeys(str(address[0]) for _, address in addresses))
            connection = opened.enter_context(connect(addresses, seconds))
            if (proxy := destination.route.proxy) is not None:
                open_tunnel(connection, destination, proxy, seconds)
            note("connect", "tls" if destination.secure else "first_byte")
            way.address = str(connection.getpeername()[0])
            if destination.secure:
                if tls is None:
                    return way
                connection = secured = opened.enter_context(shake_hands(connection, tls, destination.host, seconds))
                note("tls", "first_byte")
                way.tls_version, way.certificate_expires_at = secured.version(), _end_of_certificate(secured)
            way.answer = ask(connection, destination, headers, seconds)
            way.took["first_byte"] = way.answer.seconds
        except OSError as fault:
            way.failed, way.fault = step, fault
    return way


def _end_of_certificate(connection: ssl.SSLSocket) -> datetime:
    certificate = connection.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
