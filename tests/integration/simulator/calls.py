"""Calling a simulator as a worker would, and reading what its journal says of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from tests.support.waiting import DEADLINE_SECONDS

UNITARY = "/ajo/im/executions/unitary"
HIGH_THROUGHPUT = "/ajo/im/executions/highthroughput"
TOKEN = "/ims/token/v3"
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret", "scope": "openid,AdobeID"}
PATIENCE = DEADLINE_SECONDS
SHORT = 0.5
"""Seconds that a caller waits for an answer that never comes."""


def payload(request_id: str, kind: str = "aep", campaign: str = "c-1") -> dict[str, Any]:
    """The body of a valid call for one invented person."""
    recipient = {"type": kind, "userId": "person@example.com", "namespace": "email", "context": {"orderId": "1"}}
    return {"requestId": request_id, "campaignId": campaign, "recipients": [recipient]}


def entries(journal: Path) -> list[dict[str, Any]]:
    """All complete lines of a journal."""
    *lines, _unfinished = journal.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]


@dataclass
class Api:
    """A simulator and a caller of it, with a token."""

    url: str
    journal: Path
    client: httpx2.Client
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def at(cls, url: str, journal: Path, client: httpx2.Client) -> "Api":
        """A caller of the simulator at ``url``, with a fresh token."""
        api = cls(url, journal, client)
        api.headers = {
            "Authorization": f"Bearer {api.token().json()['access_token']}",
            "x-api-key": "me",
            "x-gw-ims-org-id": "ABC@AdobeOrg",
            "x-sandbox-name": "prod",
        }
        return api

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def token(self, *, timeout: float = PATIENCE, **changes: str) -> httpx2.Response:
        """Ask for a token."""
        return self.client.post(f"{self.url}{TOKEN}", data={**FORM, **changes}, timeout=timeout)

    def play(self, scenario: str) -> None:
        """Begin another scenario."""
        answer = self.client.post(f"{self.url}/_simulator/scenario", content=scenario)
        assert answer.status_code == 204, answer.text

    def get(self, path: str) -> httpx2.Response:
        """Ask for something, with the headers of a caller."""
        return self.client.get(f"{self.url}{path}", headers=self.headers)

    def call(
        self,
        request_id: str | None = None,
        campaign: str = "c-1",
        *,
        path: str = UNITARY,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> httpx2.Response:
        """Execute a campaign; ``body`` goes over the usual one, ``headers`` beside the usual ones."""
        return self.client.post(
            f"{self.url}{path}",
            json=body or payload(request_id or str(uuid4()), campaign=campaign),
            headers={**self.headers, **(headers or {})},
            timeout=timeout,
        )

    def raw(self, body: Any) -> bytes:
        """An execution as it goes over the wire."""
        content = json.dumps(body).encode()
        headers = {**self.headers, "Host": "ajo", "Content-Type": "application/json", "Content-Length": len(content)}
        lines = [f"POST {UNITARY} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + content

    def entries(self, request_id: str) -> list[dict[str, Any]]:
        """What the journal's file has of a request id."""
        return [entry for entry in entries(self.journal) if entry["request_id"] == request_id]

    def entry(self, request_id: str) -> dict[str, Any]:
        """The one call of a request id that the journal's file has."""
        [entry] = self.entries(request_id)
        return entry
