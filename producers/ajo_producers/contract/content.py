"""What makes two triggers the same message: campaign, recipients and what is personal, however they are written."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import structs

from ajo_producers.contract.addresses import as_compared
from ajo_producers.contract.trigger import Recipient

EMAIL = "emailAddress"
"""The field of ``channelData`` that holds an address with a domain."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def content_of(campaign: str, recipients: Sequence[Recipient]) -> bytes:
    """The same bytes for the same message, in whatever order its recipients and their variables stand.

    When it expires, its trace id and the time of its event are not part of it: they may differ each time that it is
    published. Nor is the case of an address's domain.
    """
    recipients = [_as_compared(recipient) for recipient in recipients]
    ordered = recipients if len(recipients) == 1 else sorted(recipients, key=lambda recipient: recipient.user_id)
    return _encode((campaign, ordered))


def addresses_compared(channel_data: dict[str, Any]) -> dict[str, Any]:
    """The same with its address as it is compared with others; itself if it is so."""
    email = channel_data.get(EMAIL)
    if not isinstance(email, str) or (compared := as_compared(email)) is email:
        return channel_data
    return {**channel_data, EMAIL: compared}


def _as_compared(recipient: Recipient) -> Recipient:
    user_id, data = as_compared(recipient.user_id), addresses_compared(recipient.channel_data)
    if user_id is recipient.user_id and data is recipient.channel_data:
        return recipient
    return structs.replace(recipient, user_id=user_id, channel_data=data)
