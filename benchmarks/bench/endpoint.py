"""The endpoint that contenders call, as a process: ``endpoint.c`` is what it does."""

import http.client
import json
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import trustme
from ajo_local.child import Child
from ajo_local.ports import LOOPBACK, on_free_port
from ajo_local.processes import Processes

START_SECONDS = 30


@dataclass(frozen=True)
class Work:
    """How the endpoint answers; milliseconds."""

    name: str
    latency: float = 0
    jitter: float = 0
    tls: bool = False


class Stats(TypedDict):
    """What the endpoint has seen so far."""

    calls: int
    in_flight: int
    most_in_flight: int
    most_open: int


@dataclass(frozen=True)
class Tls:
    """An authority of our own, and what the endpoint shows."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def issued(cls, folder: Path) -> "Tls":
        """New files in a folder."""
        made = cls(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
        authority = trustme.CA()
        issued = authority.issue_cert(LOOPBACK, "localhost")
        authority.cert_pem.write_to_path(str(made.authority))
        issued.cert_chain_pems[0].write_to_path(str(made.certificate))
        issued.private_key_pem.write_to_path(str(made.key))
        return made


class Endpoint:
    """One running endpoint; its journal is read once, when it is stopped."""

    def __init__(self, processes: Processes, program: Path, work: Work) -> None:
        folder = processes.folder()
        self.tls = Tls.issued(folder) if work.tls else None
        self._journal = folder / f"journal-{secrets.token_hex(4)}"
        self._connection: http.client.HTTPConnection | None = None
        self.port = 0

        def start(port: int) -> Child:
            command: list[str | Path] = [program, str(port), str(work.latency), str(work.jitter), self._journal]
            command += [self.tls.certificate, self.tls.key] if self.tls else []
            child = processes.start("endpoint", command, grace=30)
            child.wait_until_ready("listening", timeout=START_SECONDS)
            self.port = port
            return child

        self.child = on_free_port(start)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}"

    def stats(self) -> Stats:
        """What it has seen so far."""
        if self._connection is None:
            self._connection = self._connected()
        self._connection.request("GET", "/stats")
        stats: Stats = json.loads(self._connection.getresponse().read())
        return stats

    def _connected(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        context = ssl.create_default_context(cafile=str(self.tls.authority))
        return http.client.HTTPSConnection(LOOPBACK, self.port, timeout=30, context=context)

    def stop(self) -> list[tuple[str, float]]:
        """End it; the request id of each call in turn, and when its first bytes were read (seconds of the clock)."""
        self.child.stop()
        if self._connection is not None:
            self._connection.close()
        lines = self._journal.read_text(encoding="ascii").splitlines()
        return [(request_id, int(at) / 1e9) for request_id, at in map(str.split, lines)]
