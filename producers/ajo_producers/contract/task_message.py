"""What surrounds a batch on the broker: headers and properties of Celery's message protocol, version 2.

Described at https://docs.celeryq.dev/en/stable/internals/protocol.html. Nothing of a payload is in them: Flower, logs
and the broker's own pages show headers.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ajo_producers.contract.lanes import TASK_NAME

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"
PLAIN_ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "binary", "8bit", "7bit"})
"""What a client may say of a body that is text as it is; any other would have to be unpacked."""
PERSISTENT = 2
"""AMQP's ``delivery_mode`` of a message that outlives the broker's restart."""


def message_id(batch_id: UUID, request_ids: Sequence[UUID]) -> UUID:
    """The task id of a message: the request id if it carries one trigger, so that Flower finds it, else the batch's."""
    return request_ids[0] if len(request_ids) == 1 else batch_id


def headers(task_id: UUID, *, origin: str, summary: str) -> dict[str, Any]:
    """The headers; ``summary`` is what people see in place of the arguments."""
    return {
        "lang": "py",
        "task": TASK_NAME,
        "id": str(task_id),
        "root_id": str(task_id),
        "parent_id": None,
        "group": None,
        "argsrepr": summary,
        "kwargsrepr": "{}",
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "ignore_result": True,
        "origin": origin,
    }


def properties(task_id: UUID) -> dict[str, Any]:
    """The properties beside content type and encoding; there is no ``reply_to``, since nobody waits for a result."""
    return {"correlation_id": str(task_id), "delivery_mode": PERSISTENT}


def summary(campaigns: Sequence[str], request_ids: Sequence[UUID]) -> str:
    """What people see of a message: ``order-shipped 0199…`` for one trigger, ``order-shipped ×100`` for more."""
    if len(request_ids) == 1:
        return f"{campaigns[0]} {request_ids[0]}"
    names = set(campaigns)
    return f"{campaigns[0] if len(names) == 1 else f'{len(names)} campaigns'} ×{len(request_ids)}"
