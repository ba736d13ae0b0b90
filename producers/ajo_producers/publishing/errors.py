"""What can go wrong before and while publishing, in words for people; never with an address or a password in them."""

from collections.abc import Sequence
from uuid import UUID


class InvalidTrigger(ValueError):  # noqa: N818 - the name that users import
    """A trigger that its campaign can't take. ``problems`` has a line for each fault; nothing was published."""

    def __init__(self, campaign: str, problems: Sequence[str]) -> None:
        super().__init__(f"{campaign} can't take this trigger: {'; '.join(problems)}")
        self.campaign = campaign
        self.problems = tuple(problems)


class PublishError(Exception):
    """The broker did not confirm everything.

    ``confirmed`` are the request ids that the broker has for certain. ``unconfirmed`` may have arrived all the same:
    publish the same triggers again, since a copy with the same request id joins the first one and is not sent twice.
    ``unsent`` are those of them that the broker certainly doesn't have: nothing of them was ever handed to it.
    """

    def __init__(
        self,
        text: str,
        *,
        confirmed: Sequence[UUID] = (),
        unconfirmed: Sequence[UUID] = (),
        unsent: Sequence[UUID] = (),
    ) -> None:
        super().__init__(text)
        self.confirmed = tuple(confirmed)
        self.unconfirmed = tuple(unconfirmed)
        self.unsent = tuple(unsent)


class PublisherFull(PublishError):  # noqa: N818 - what it is
    """So many calls wait for the broker that no more are taken; ``unsent`` has the request id.

    An HTTP service answers 429 or 503: the broker is too slow, or away.
    """


class SettingError(ValueError):
    """A setting of the publisher that can't be used; the text names it and never shows its value."""
