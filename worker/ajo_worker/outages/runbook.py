"""What to do about an outage, step by step, with what the system has checked by itself. Pure.

The four steps of the Cosmos outage are Microsoft's, for Azure Cosmos DB with customer-managed keys.
"""

from dataclasses import dataclass
from datetime import UTC

from ajo_worker.outages.history import Detail
from ajo_worker.reasons import (
    CAMPAIGN_FAILING,
    CREDENTIALS_REFUSED,
    HELD,
    NO_ANSWERS,
    NO_TOKEN,
    OF_COSMOS,
    PROXY_FAILING,
    OutageReason,
)

KEY_STATUSES = {
    4000: ("token", 1),
    4002: ("permission", 2),
    4003: ("key not found", 3),
    4005: ("wrap or unwrap", 2),
    4006: ("key address", 3),
    4009: ("DNS", 3),
    4015: ("no default identity", 1),
    4016: ("access rules", 3),
    4017: ("vault not found", 3),
    4018: ("key disabled or expired", 3),
}
"""What each ``customerManagedKeyStatus`` means, and the number of the step to begin with."""
COSMOS = (
    "Verify that the identity behind the customer-managed key exists and is enabled (service principal or managed "
    "identity, in Microsoft Entra ID).",
    "Verify its permissions on Key Vault and Cosmos DB: get, wrap and unwrap, or the role Key Vault Crypto Service "
    "Encryption User.",
    "Check the customer-managed-key configuration. customerManagedKeyStatus says: "
    + ", ".join(f"{status} {meaning}" for status, (meaning, _) in KEY_STATUSES.items())
    + ".",
    "Re-enable, allow up to an hour (after two, Microsoft's support), then verify by calling the API again: "
    "ajo-dispatch outage probe {scope}",
)
FAILING = (
    "See whether the way to the endpoint is free: ajo-dispatch doctor (DNS, connect, TLS, health).",
    "Look at https://status.adobe.com for Journey Optimizer.",
    "Ask Adobe's support, with the gateway's request ids that are listed above.",
    "Verify by calling the API again: ajo-dispatch outage probe {scope}",
)
NOTHING_ANSWERED = (
    "See whether the way to the endpoint is free: ajo-dispatch doctor (DNS, connect, TLS, health), and network.",
    "Look at https://status.adobe.com for Journey Optimizer, and at proxies and firewalls in between: calls are taken, "
    "and nothing comes back.",
    "Ask Adobe's support, with the times of the calls that were never answered: they may have been accepted. They are "
    "unconfirmed, and are not sent again by themselves: ajo-dispatch dead list --state unconfirmed",
    "Verify by calling the API again: ajo-dispatch outage probe {scope}. One good answer, of whatever call, ends this.",
)
REFUSED = (
    "Compare the definition with Journey Optimizer: ajo-dispatch campaigns check --live (stopped, ended, another "
    "namespace or mode, no permission).",
    "Compare credentials and organization with the Developer Console project: ajo-dispatch doctor.",
    "Correct the definition or the campaign; restart the workers if a definition was changed.",
    "Verify by calling the API again: ajo-dispatch outage probe {scope}; then send again what was refused before the "
    "pause: ajo-dispatch dead redrive --campaign {campaign} --why '…'",
)
NO_TOKEN_STEPS = (
    "Ask for a token from here: ajo-dispatch outage probe {scope}. If that brings one, look at the machines of the "
    "workers that are named above: DNS, firewall, proxy.",
    "Look at https://status.adobe.com for Adobe Identity Management, and ask Adobe's support.",
    "Nothing has to be done afterwards: each worker asks by itself, every ten seconds at the latest, and goes on with "
    "its first token.",
)
CREDENTIALS = (
    "Compare AJO_CLIENT_ID, AJO_CLIENT_SECRET, AJO_SCOPES and AJO_TOKEN_URL with the Developer Console project, on the "
    "machines of the workers that are named above: ajo-dispatch doctor. Was the secret rotated, or the credential "
    "taken away?",
    "Ask for a token from here, with the settings of this machine: ajo-dispatch outage probe {scope}",
    "Correct the settings, and restart those workers. Others whose settings are right go on meanwhile.",
)
PROXY = (
    "Ask for the way from here, and from the machines of the workers: ajo-dispatch doctor. It names the proxy, the "
    "variable that names it, and why it makes no tunnel (connection, user and password, its own way to Adobe).",
    "Mend the proxy, or the variable (AJO_PROXY, HTTPS_PROXY, NO_PROXY); after a change of that, restart the workers.",
    "Verify: ajo-dispatch outage probe {scope}. Nothing that met the proxy was sent to Adobe.",
)
OPERATORS = ("An operator holds this back; to let it go on now: ajo-dispatch outage resume {scope} --why …",)
STEPS: dict[OutageReason, tuple[str, ...]] = {
    **dict.fromkeys(OF_COSMOS, COSMOS),
    "sustained-failures": FAILING,
    NO_ANSWERS: NOTHING_ANSWERED,
    CAMPAIGN_FAILING: REFUSED,
    NO_TOKEN: NO_TOKEN_STEPS,
    CREDENTIALS_REFUSED: CREDENTIALS,
    PROXY_FAILING: PROXY,
    HELD: OPERATORS,
}


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """``checked`` is what the system has seen of it; None if only a person can check it."""

    text: str
    checked: str | None


def runbook(detail: Detail) -> list[RunbookStep]:
    """The steps for this outage."""
    outage = detail.outage
    names = {"scope": outage.scope, "campaign": outage.scope.partition(":")[2]}
    steps = [text.format(**names) for text in STEPS.get(outage.reason, FAILING)]
    told = _told(outage.evidence.get("customerManagedKeyStatus"))
    checked: dict[int, str | None] = {len(steps): _probed(detail)}
    if outage.reason in OF_COSMOS:
        checked |= told
    elif outage.held_until is not None:
        checked = {1: f"it goes on by itself at {outage.held_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"}
    return [RunbookStep(text, checked.get(number)) for number, text in enumerate(steps, start=1)]


def _told(status: object) -> dict[int, str]:
    """What the answer itself has told, by the number of its step."""
    if not isinstance(status, int):
        return {}
    meaning, number = KEY_STATUSES.get(status, ("not known to this version", 3))
    return {number: f"the answer says customerManagedKeyStatus {status} ({meaning}): begin here"}


def _probed(detail: Detail) -> str | None:
    if not detail.probes:
        return None
    newest = detail.probes[0]
    return f"probed {detail.outage.probes:,} times; the last at {newest.probed_at:%H:%M:%S} UTC found {newest.found}"
