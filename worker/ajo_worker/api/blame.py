"""Whose fault a refusal is: the recipient's, the trigger's own, or its campaign's; as far as an answer tells. Pure.

A campaign is paused for what every one of its messages meets, and never for what a recipient is to blame for. Codes:
Adobe's reference of Journey Optimizer's error codes, as of November 2026. Texts are undocumented: what names a
recipient and what is wrong with it is taken for that, else nothing is known, and others are tried (``Refusals``).
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

Blame: TypeAlias = Literal["recipient", "trigger", "campaign"]

OF_ONE: frozenset[Blame] = frozenset({"recipient", "trigger"})
"""Who is to blame for a refusal that says nothing of other triggers of its campaign."""
FORBIDDEN = 403
OF_CAMPAIGN = frozenset({FORBIDDEN, 405, 406, 411, 414, 415, 417, 426, 428, 431, 451})
"""Statuses that every call of a campaign meets: credentials, permissions, what we send in the same way each time."""
TOO_LARGE = 413

CAMPAIGN_CODES = re.compile(r"CJMCMP-|CJMMAS-|CJMRT-(?:080605|080608|130004|170016)-|40[03]0\d\d$")
"""Campaigns and messages as authored, channels and templates as configured; the gateway's for keys and entitlement."""
OF_CAMPAIGN_ITSELF = re.compile(r"CJMCMP-|CJMMAS-")
"""Of these codes those of campaigns and messages as authored: no credential is at fault."""
RECIPIENT_CODES = re.compile(r"CJMRT-050030-")
"""No push token in the profile."""

_WRONG = (
    r"(?:not\s+(?:be\s+)?(?:found|known|exist\w*|valid|reachable|resolved|allowed)|(?:can\s*not|can['’]t|could\s*n[o'’]t)"
    r"\s*(?:be\s+)?(?:find|found|resolve\w*|reach\w*)|unknown|do(?:es)?\s*n[o'’]t\s*exist|no\s+such|missing|invalid|malformed"
    r"|wrong|blank|empty|unresolved|unreachable|non-?existent|blocked|blacklisted|deny-?listed|suppressed|opted[\s-]*out)"
)
_PERSON = (
    r"(?:profiles?|recipients?|user\s*-?ids?|subscribers?|e-?mail(?:\s*-?address(?:es)?)?|(?:mobile|phone)[\s\w]{0,16}"
    r"|mobilephonenumber|emailaddress|msisdn|(?:push|device|registration)\s*-?tokens?)"
)
_PERSON_OR_USER = (
    rf"(?:{_PERSON}|users?(?!\s+(?:agent|role|token|licen[cs]e))|identit(?:y|ies)|customers?|contacts?(?!\s+(?:your|us|adobe"
    r"|support|the)))(?!\.\w)"
)
"""Words that may mean whoever calls, too: at a 403 they do."""
_OWN = (
    r"\bno\s+(?:consent|opt-?in|profile|push\s*token)\b"
    r"|\bconsent\b[^.;]{0,40}\b(?:missing|required|denied|withdrawn|revoked|not)\b|\bunsubscribed\b|\bopted[\s-]*out\b"
    r"|\bsuppress(?:ion|ed)\b|\b(?:deny|block|black)-?list(?:ed)?\b"
)


def _wrong_with(person: str) -> "re.Pattern[str]":
    return re.compile(rf"\b{person}\b[^.;]{{0,60}}?\b{_WRONG}\b|\b{_WRONG}\b[^.;]{{0,40}}?\b{person}\b|{_OWN}")


_RECIPIENT, _RECIPIENT_AT_403 = _wrong_with(_PERSON_OR_USER), _wrong_with(_PERSON)
_OF_ALL = re.compile(
    r"\bnamespaces?\b|merge\s*-?polic|\bsandbox|\borgani[sz]ation|\bapi[\s-]*key|\bentitle|\bdatasets?\b|\bschemas?\b"
    r"|recipient\s*-?type|\bsurface|\bpermission|\bpreset|\btemplate|\bcontent\b|configur|\bvariables?\b"
    r"|\battributes?\b|\bcontext\b|\bpersonali[sz]"
    # What a message is sent by and with, and what serves it: the same for all recipients.
    r"|\bsenders?\b|\bfrom\s+(?:the\s+)?(?:e-?mail|address|name|number|phone)|\breply[\s-]*to\b|\bsub-?domains?\b"
    r"|\be-?mail\s+(?:domain|channel|message|subject|body|header|setting|credential|is\s+not\s+allowed)"
    r"|\b(?:service|store|server|provider)s?\s+(?:is|was|are|has|could|can|does|did|not|un\w+|fail\w*|error|time\w*)\b"
    r"|\breach\w*\b[\s\w]{0,30}\b(?:service|store|server|provider)s?\b|\bidentity\s+provider"
    r"|\bcredentials?\b|\blicen[cs]es?\b|\bpolic(?:y|ies)\b|\bcontracts?\b|\bsettings?\b|\badministrator|\bsupport\b"
    r"|\b(?:technical|system|service)\s+(?:user|account)|\bpropert(?:y|ies)\b|\bfields?\b|\barray\b"
)
_CAMPAIGN = re.compile(
    r"\bcampaign(?:s|\s*-?ids?)?\b[^.;]{0,60}?\b(?:not|in-?active|stopped|closed|ended|expired|finished|completed|paused"
    r"|archived|draft|unknown|disabled|deactivated|deleted|outside|no\s+longer|invalid"
    r"|(?:is|are)\s+over|has\s+passed|(?:does|is|was)\s*n[o'’]t)\b"
    r"|\b(?:unknown|no\s+such|invalid|inactive|no\s+active|draft)\s+campaign|\bcan\s*not\s+find\s+(?:the\s+)?campaign"
    r"|\bno\s+campaigns?\b"
)
_ACCESS = re.compile(r"\bapi[\s-]*key\b|\bnot\s+entitled\b|\bsandbox\b")


def blame(status: int, code: str | None, texts: Sequence[str]) -> Blame | None:
    """Who is to blame for a refusal with this code and these texts; None if it doesn't tell."""
    if status == TOO_LARGE:
        return "trigger"
    words = _RECIPIENT_AT_403 if status == FORBIDDEN else _RECIPIENT
    recipient = any(map(words.search, texts))
    campaign = any(map(_CAMPAIGN.search, texts)) or any(map(_ACCESS.search, texts))
    of_all = campaign or any(map(_OF_ALL.search, texts))
    if (recipient and not of_all) or (code and RECIPIENT_CODES.match(code)):
        return "recipient"
    if (campaign and not recipient) or status in OF_CAMPAIGN or 300 <= status < 400:  # noqa: PLR2004 - redirects
        return "campaign"
    return "campaign" if code and CAMPAIGN_CODES.match(code) else None


def names_campaign(code: str | None, texts: Sequence[str]) -> bool:
    """Whether a refusal that its campaign is to blame for says that the campaign itself is at fault: stopped, say.

    Else it may be credentials, permissions, or how we call.
    """
    return bool(code and OF_CAMPAIGN_ITSELF.match(code)) or any(map(_CAMPAIGN.search, texts))
