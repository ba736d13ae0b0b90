"""A campaign definition: what one activated campaign is called with."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from ajo_producers.contract.addresses import AddressCheck
from ajo_producers.contract.lanes import Lane, Priority
from ajo_producers.contract.trigger import CallDigest

ValueType: TypeAlias = Literal["string", "number", "boolean", "object", "array"]
OnAmbiguous: TypeAlias = Literal["retry", "hold"]
"""After a call that may have been accepted: send it again under the same request id, or keep it as ``unconfirmed``."""
FROM_SAMPLE = (
    "campaign_id",
    "lane",
    "endpoint",
    "organization",
    "sandbox",
    "namespace",
    "recipient_type",
    "merge_policy_name",
    "merge_policy_schema",
)
"""Fields that a sample decides; all others are people's."""
AREAS = ("channel_data", "profile", "context")
"""Fields that hold the variables of a recipient."""

BeforeStart: TypeAlias = Literal["wait", "refuse"]
"""What becomes of a trigger that comes before its campaign's start."""
RecipientType: TypeAlias = Literal["aep", "external"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]


class Variable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One personalization variable, known by its dotted path.

    A variable with a default is never missing: Adobe doesn't check variables, and a missing one goes out blank.
    ``one_of`` has the only values that it takes, of type string or number; without it, all of its type.
    """

    type: ValueType = "string"
    required: bool = True
    default: Any | UnsetType = UNSET
    one_of: Annotated[tuple[str | int | float, ...], Meta(min_length=1)] | UnsetType = UNSET


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One campaign, as its file ``campaigns/NAME.toml`` has it; ``name`` is the file's.

    Triggers of an ``urgent`` campaign overtake all others. ``rate_limit`` is in calls a second, ``concurrency`` in
    calls under way at the same time, ``attempt_timeout`` and ``budget`` in seconds: without the former an answer is
    waited for until the budget ends. ``on_ambiguous`` says what follows a call that may have been accepted.
    ``context``, ``profile`` and ``channel_data`` map dotted paths to what a recipient must bring there. The merge
    policy belongs to recipients of type ``aep``; without one Journey Optimizer takes its default. ``creates_profiles``
    says what was agreed for the campaign; nothing but the comparison with Journey Optimizer reads it. ``address_check``
    says how closely addresses are looked at, in ``channel_data`` and in user ids of an e-mail or phone namespace.
    ``replaces`` has the call digests of other definitions of that name whose triggers this one may send as well.
    """

    name: str
    campaign_id: str
    lane: Lane
    endpoint: str
    organization: str
    sandbox: str
    namespace: str
    recipient_type: RecipientType
    merge_policy_name: str | None = None
    merge_policy_schema: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    priority: Priority = "normal"
    rate_limit: Annotated[float, Meta(gt=0)] | None = None
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    on_ambiguous: OnAmbiguous | None = None
    attempt_timeout: Seconds | None = None
    budget: Seconds | None = None
    creates_profiles: bool | None = None
    address_check: AddressCheck = "shape"
    replaces: tuple[CallDigest, ...] = ()
    channel_data: dict[str, Variable] = {}
    profile: dict[str, Variable] = {}
    context: dict[str, Variable] = {}
