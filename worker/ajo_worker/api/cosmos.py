"""Whether an answer speaks of the Cosmos outage: a database whose customer-managed key can't be had. Pure.

The wordings are those of ``customerManagedKeyStatus`` (Microsoft's REST API description of Azure Cosmos DB, and its
guide to customer-managed keys), and of the data plane (its guide to cross-tenant keys), as of November 2026. New ones
will begin like the others, or speak of Cosmos DB, of its key or its identity, and of a failure; its clients (SDKs)
speak of sub-statuses, whose numbers are the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ajo_worker.api.letters import letters, plain
from ajo_worker.reasons import OutageReason

IDENTITY: Final = "cosmos-identity"
KEY: Final = "cosmos-key"
WORTH = re.compile(
    rb"revoked|cosmos|documentdb|managed|key.{0,3}vault|\bcmk\b|status|database.{0,9}account", re.IGNORECASE
)

BEGINNING = re.compile(
    r"accessto(?:your|the|this)(?:azure)?(?:cosmosdb)?(?:database)?account(?:is|hasbeen)(?:currently|temporarily)revoked"
)
CUT_AT_LEAST = "accesstoyouraccountiscurrently"
CUT = tuple(CUT_AT_LEAST + "revoked"[:more] for more in range(len("revoked")))
"""What an answer ends with that is cut off within the beginning."""

CAUSES: tuple[tuple[int | None, OutageReason, re.Pattern[str]], ...] = (
    (4000, IDENTITY, re.compile(r"cosmosdbserviceisunabletoobtainthe[a-z]{0,40}?(?:authentication|token)")),
    (4002, IDENTITY, re.compile(r"defaultidentitynolongerhaspermissiontotheassociatedkeyvaultkey")),
    (4003, KEY, re.compile(r"correspondentkeyisnotfoundonthespecifiedkeyvault")),
    (4005, KEY, re.compile(r"cosmosdbserviceisunabletowraporunwrapthekey")),
    (4006, KEY, re.compile(r"keyvaultkeyuridoesnotfollowtheexpectedformat")),
    (4009, KEY, re.compile(r"keyvaultdnsnamespecifiedbytheaccountskeyvaultkeyuripropertycouldnotberesolved")),
    (4015, IDENTITY, re.compile(r"cosmosdbaccounthasanundefineddefaultidentity")),
    (4016, KEY, re.compile(r"accessrulesareblockingoutboundrequeststotheazurekeyvault")),
    (4017, KEY, re.compile(r"correspondentazurekeyvaultwasnotfound")),
    (4018, KEY, re.compile(r"correspondentkeyiseitherdisabledorexpired")),
    (None, KEY, re.compile(r"customermanagedkey(?:is)?not(?:being|currently)?accessible")),
)
"""By ``customerManagedKeyStatus``: what the sentence goes on with, in letters alone."""

IDENTITY_STATUSES = frozenset({4000, 4001, 4002, 4015})
STATUS = re.compile(r"\(\s*(40\d\d)\s*\)|status(?:code)?\W{0,12}(40\d\d)\b")
KEY_STATUS = re.compile(r"customermanagedkeystatus(?:code|is|of)?40\d\d")
SUB_STATUS = re.compile(r"substatus(?:code)?(?:is|of)?40[01]\d")
OF_IDENTITY = re.compile(r"identity|principal|token|entra|aad")
SENTENCE = 150
"""Letters after the beginning in which an unknown cause is looked for; the link that follows names sections."""

DATABASE = re.compile(
    r"cosmos(?:db|exception|account|client|database|service)|azurecosmos|documentdb|documentclient|databaseaccount"
)
OF_KEY = re.compile(r"customermanaged(?:encryption)?key|keyvault|cmk|encryptionkey|wrap(?:or)?unwrap|unwrapkey|wrapkey")
OF_KEY_ALONE = re.compile(r"customermanaged(?:encryption)?key")
"""What nothing has but a database whose key is its customer's."""
OF_ACCOUNT = re.compile(
    r"(?:default|managed|service)identity|serviceprincipal|aadsts\d|aad(?:authentication|access)?token|aadclientcredential"
    r"|entra(?:id)?(?:authentication|access)?token|keyvaultauthentication"
)
FAILS = re.compile(
    r"revoked|unable|cannot|couldnot|notfound|forbidden|denied|blocked|nolonger|disabled|expired|inaccessible|lostaccess"
    r"|not(?:being|currently)?accessible|unauthori[sz]ed|failed|failure|error|exception|doesnotexist|unavailable|unreachable"
)


@dataclass(frozen=True, slots=True)
class Revocation:
    """The outage's reason, and its ``customerManagedKeyStatus`` if that is known."""

    outage: OutageReason
    key_status: int | None


def revocation(answer: bytes, sent: bytes, *, truncated: bool = False) -> Revocation | None:
    """The Cosmos outage that an answer speaks of; None if it speaks of none.

    What stands in the body that was ``sent`` is no evidence: an answer may quote it, whole or in part.
    """
    text = plain(answer, WORTH)
    found = letters(text)
    if next(_evidence(found, "", truncated=truncated), None) is None:
        return None
    told = next(_evidence(found, letters(plain(sent, WORTH)), truncated=truncated), None)
    if told is None:
        return None
    status, outage = told
    if status is None and (code := STATUS.search(text)):
        status = int(code[1] or code[2])
        outage = IDENTITY if status in IDENTITY_STATUSES else KEY
    return Revocation(outage, status)


def _evidence(found: str, sent: str, *, truncated: bool) -> Iterator[tuple[int | None, OutageReason]]:
    """What speaks of it, as ``customerManagedKeyStatus`` and outage: the most telling first."""
    for status, outage, words in CAUSES:
        if _told(words, found, sent):
            yield status, outage
    for beginning in BEGINNING.finditer(found):
        if beginning[0] not in sent:
            cause = found[beginning.end() : beginning.end() + SENTENCE].partition("formoredetails")[0]
            yield None, IDENTITY if OF_IDENTITY.search(cause) else KEY
    if _told(KEY_STATUS, found, sent) or (_told(SUB_STATUS, found, sent) and _told(DATABASE, found, sent)):
        yield None, KEY
    if truncated and CUT_AT_LEAST not in sent and any(map(found.endswith, CUT)):
        yield None, KEY
    for outage, *all_of in ((IDENTITY, DATABASE, OF_ACCOUNT), (KEY, DATABASE, OF_KEY), (KEY, OF_KEY_ALONE)):
        if all(_told(words, found, sent) for words in (*all_of, FAILS)):
            yield None, outage


def _told(words: "re.Pattern[str]", found: str, sent: str) -> bool:
    return any(match[0] not in sent for match in words.finditer(found))
