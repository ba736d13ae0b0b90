"""The table ``[feedback]`` of a scenario: when messages depart and arrive, and how that is told. Strict."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from ajo_simulator.faults import Seconds, Share, Window
from ajo_simulator.latency import Latency

Channel: TypeAlias = Literal["email", "sms"]
WhoseId: TypeAlias = Literal["ours", "gateway"]
DelayEvents: TypeAlias = Annotated[int, Meta(ge=0, le=100)]


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bounce says: Journey Optimizer's words for an unknown mailbox, unless the scenario has others."""

    category: str = "async"
    type: str = "Hard"
    code: str = "10"
    reason: str = "Unknown user"


class Course(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a message, and how it is told.

    ``departure`` is from acceptance, and ``delivery`` from departure, to the delivery or the bounce. ``delay_events``
    lie evenly between the two. ``disorder`` is the share of messages whose last event is told first, and
    ``timestamps`` whether the webhook tells when something happened: of SMS only, if it isn't given.
    """

    channel: Channel = "email"
    departure: Latency = Latency()
    delivery: Latency = Latency()
    delay_events: DelayEvents = 0
    bounce_share: Share = 0.0
    bounce: Failure = Failure()
    duplicate_share: Share = 0.0
    disorder: Share = 0.0
    timestamps: bool | None = None
    request_id: WhoseId = "ours"


class CampaignCourse(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different for the messages of one campaign."""

    id: str
    channel: Channel | UnsetType = UNSET
    departure: Latency | UnsetType = UNSET
    delivery: Latency | UnsetType = UNSET
    delay_events: DelayEvents | UnsetType = UNSET
    bounce_share: Share | UnsetType = UNSET
    bounce: Failure | UnsetType = UNSET
    duplicate_share: Share | UnsetType = UNSET
    disorder: Share | UnsetType = UNSET
    timestamps: bool | UnsetType = UNSET
    request_id: WhoseId | UnsetType = UNSET


class Standstill(Window, frozen=True):
    """Seconds in which a campaign's messages don't depart, or no provider delivers them; then they go on."""

    what: Literal["departure", "provider"]
    campaign: str = "*"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.until is None:
            raise ValueError("an outage needs `until`: nothing would be told any more")


class FeedbackRules(Course, frozen=True):
    """How feedback is told, beside what becomes of messages.

    ``webhook`` gets a POST for each event, with a ``secret`` in the header ``header``, a token signed with
    ``jwt_secret`` (HS256, whose key has 32 bytes or more by RFC 7518), or both; one that fails is called again for
    ``retry_for`` seconds. ``outage`` and ``campaign`` are tables of their own.
    """

    webhook: Annotated[str, Meta(pattern=r"\Ahttps?://[^\s/?#@]+(/[^\s#]*)?\Z")] | None = None
    header: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9-]+\Z")] = "x-feedback-secret"
    secret: Annotated[str, Meta(pattern=r"\A[!-~]+\Z")] | None = None
    jwt_secret: Annotated[str, Meta(min_length=32)] | None = None
    retry_for: Seconds = 60.0
    outage: tuple[Standstill, ...] = ()
    campaign: tuple[CampaignCourse, ...] = ()

    def __post_init__(self) -> None:
        ids = [one.id for one in self.campaign]
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"`campaign` has {twice!r} twice")

    def __repr__(self) -> str:
        return "FeedbackRules(…)"  # its secrets are nobody's to read


def course_of(rules: FeedbackRules, campaign_id: str) -> Course:
    """The course of a campaign's messages: its own table goes over the common one."""
    own = next((one for one in rules.campaign if one.id == campaign_id), None)
    if own is None:
        return rules
    given: dict[str, Any] = {name: value for name, value in structs.asdict(own).items() if value is not UNSET}
    del given["id"]
    return structs.replace(rules, **given)
