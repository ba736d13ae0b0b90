"""What makes two triggers the same message: campaign, recipients and what is personal, however they are written."""

from collections.abc import Sequence

import msgspec

from ajo_producers.contract.trigger import Recipient

_encode = msgspec.json.Encoder(order="deterministic").encode


def content_of(campaign: str, recipients: Sequence[Recipient]) -> bytes:
    """The same bytes for the same message, in whatever order its recipients and their variables stand.

    When it expires, its trace id and the time of its event are not part of it: they may differ each time that it is
    published.
    """
    ordered = recipients if len(recipients) == 1 else sorted(recipients, key=lambda recipient: recipient.user_id)
    return _encode((campaign, ordered))
