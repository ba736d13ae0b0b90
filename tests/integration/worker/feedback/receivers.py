"""A running ``ajo-dispatch feedback serve``, and what is posted to it."""

from dataclasses import dataclass
from typing import Any

import httpx2
from ajo_local.child import Child
from ajo_local.processes import Processes

from tests.support.feedback_items import HASH_KEY, SECRET
from tests.support.programs import PLAIN, PROGRAM
from tests.support.waiting import DEADLINE_SECONDS


@dataclass
class Receiver:
    """A receiver that has said where it listens."""

    child: Child
    url: str

    @property
    def health(self) -> str:
        """The address that says whether it is well."""
        return self.url.removesuffix("/feedback") + "/healthz"

    def post(self, content: Any, *, secret: str | None = SECRET, **more: Any) -> httpx2.Response:
        """Post JSON, with the secret's header."""
        headers = {"x-feedback-secret": secret} if secret is not None else {}
        return httpx2.post(self.url, json=content, headers=headers, timeout=DEADLINE_SECONDS, **more)


def start_receiver(processes: Processes, database_url: str, *arguments: Any, **env: str) -> Receiver:
    """Start one on a free port; it asks for the secret unless it is ``--insecure`` or ``env`` says otherwise."""
    own = {} if "--insecure" in arguments else {"AJO_FEEDBACK_SECRET": SECRET}
    command = [PROGRAM, "feedback", "serve", "--port", "0", *map(str, arguments)]
    given = {**PLAIN, "AJO_DATABASE_URL": database_url, "AJO_HASH_KEY": HASH_KEY, **own, **env}
    child = processes.start("receiver", command, env={name: value for name, value in given.items() if value})
    return Receiver(child, child.wait_for_output(r"listening on (https?://\S+)", timeout=DEADLINE_SECONDS)[1])
