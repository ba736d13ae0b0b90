"""The Cosmos outage is known by its text, whatever carries it, and never by the text that we sent ourselves."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from ajo_worker.api.answer import Answer
from ajo_worker.api.classify import SentCall, classify
from ajo_worker.api.cosmos import revocation
from ajo_worker.api.verdict import Verdict
from hypothesis import given
from hypothesis import strategies as st

BEGIN = "Access to your account is currently revoked"
MORE = "; for more details about this error and how to restore access to your account please visit "
GUIDE = "https://learn.microsoft.com/en-us/azure/cosmos-db/cmk-troubleshooting-guide"
BLOCKED = "Request is blocked due to Customer Managed Key not being accessible."


def because(cause: str, section: str = "") -> str:
    """A sentence as Microsoft's description of the REST API has it, but for its code."""
    return f"{BEGIN} because {cause}{MORE}{GUIDE}{section}"


TOKEN = because(
    "the Azure Cosmos DB service is unable to obtain the AAD authentication token for the account's default identity",
    "#azure-active-directory-token-acquisition-error",
)
PERMISSION = because(
    "the current default identity no longer has permission to the associated Key Vault key",
    "#default-identity-is-unauthorized-to-access-the-azure-key-vault-key",
)
NO_KEY = because("the correspondent key is not found on the specified Key Vault", "#azure-key-vault-resource-not-found")
NO_WRAP = because(
    "the Azure Cosmos DB service is unable to wrap or unwrap the key", "#internal-unwrapping-procedure-error"
)
ADDRESS = because(
    "the Azure Cosmos DB account's key vault key URI does not follow the expected format",
    "#improper-syntax-detected-on-the-key-vault-uri-property",
)
DNS = because(
    "the Azure Key Vault DNS name specified by the account's keyvaultkeyuri property could not be resolved",
    "#unable-to-resolve-the-key-vaults-dns",
)
NO_IDENTITY = because(
    "the Azure Cosmos DB account has an undefined default identity", "#invalid-azure-cosmos-db-default-identity"
)
ACCESS_RULES = because("the access rules are blocking outbound requests to the Azure Key Vault service")
NO_VAULT = because("the correspondent Azure Key Vault was not found", "#azure-key-vault-resource-not-found")
WORDINGS = [
    (f"{TOKEN} (4000).", "cosmos-identity", 4000),
    (f"{PERMISSION} (4002).", "cosmos-identity", 4002),
    (f"{NO_KEY} (4003).", "cosmos-key", 4003),
    (f"{NO_WRAP} (4005).", "cosmos-key", 4005),
    (f"{ADDRESS} (4006).", "cosmos-key", 4006),
    (f"{DNS} (4009).", "cosmos-key", 4009),
    (f"{NO_IDENTITY} (4015).", "cosmos-identity", 4015),
    (f"{ACCESS_RULES} (4016).", "cosmos-key", 4016),
    (f"{NO_VAULT} (4017).", "cosmos-key", 4017),
    (f"{BEGIN} because the correspondent key is either disabled or expired.", "cosmos-key", 4018),
    (f"{BEGIN}{MORE}{GUIDE}", "cosmos-key", None),
    (f"{BEGIN} because the vault has moved to the moon (4099).", "cosmos-key", 4099),
    (f"{BEGIN} because the service principal is unknown.", "cosmos-identity", None),
    (f"{BEGIN} for a reason of the service (4001)", "cosmos-identity", 4001),
    (BLOCKED, "cosmos-key", None),
    ("The key behind Azure Cosmos DB cannot be read: Key Vault answered 403", "cosmos-key", None),
    (f"{BEGIN.replace('currently', 'temporarily')} because of its key.", "cosmos-key", None),
    ("Request is blocked due to customer-managed keys being inaccessible.", "cosmos-key", None),
    ("Request is blocked due to Customer Managed Key (CMK) not being accessible.", "cosmos-key", None),
    ("The customer managed encryption key is disabled", "cosmos-key", None),
    ("The Azure Cosmos account has lost access to its CMK", "cosmos-key", None),
    ("database account: wrap/unwrap of the key failed", "cosmos-key", None),
    ("CosmosException: Forbidden (403); Substatus: 4002 (KeyVaultAuthenticationFailure)", "cosmos-identity", 4002),
    ("com.azure.cosmos.CosmosException: Forbidden, subStatusCode: 4006", "cosmos-key", 4006),
    ("Cosmos DB cannot obtain a Microsoft Entra token for the account's default identity", "cosmos-identity", None),
    ("Cosmos DB account: AADSTS7000112: Application is disabled", "cosmos-identity", None),
    ("Request to Cosmos DB forbidden: the service principal is disabled", "cosmos-identity", None),
    ("The managed identity of the Cosmos DB account does not exist", "cosmos-identity", None),
    ("customerManagedKeyStatus: 4003", "cosmos-key", 4003),
]


def doubled(text: str) -> bytes:
    return json.dumps({"title": json.dumps({"Errors": [text]})}).encode()


WRAPPINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "title": lambda text: json.dumps({"title": text}).encode(),
    "report": lambda text: json.dumps({"title": "x", "report": {"additionalContext": {"why": [text]}}}).encode(),
    "text of JSON in JSON": doubled,
    "thrice": lambda text: json.dumps(doubled(text).decode()).encode(),
    "HTML": lambda text: f"<html><p>{html.escape(text).replace('currently', '<b>currently</b>')}</p>".encode(),
    "HTML in JSON": lambda text: json.dumps({"message": f"<p>{html.escape(html.escape(text))}"}).encode(),
    "broken into lines": lambda text: json.dumps({"title": text.replace(" ", " \r\n  ")}).encode(),
    "escaped line breaks": lambda text: text.replace(" ", "\\n").encode(),
    "no-break spaces": lambda text: text.replace(" ", "\N{NO-BREAK SPACE}").encode(),
    "escaped no-break spaces": lambda text: json.dumps(json.dumps(text.replace(" ", "\N{NO-BREAK SPACE}"))).encode(),
    "curly apostrophes": lambda text: text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").encode(),
    "in capitals": lambda text: text.upper().encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big endian": lambda text: text.encode("utf-16-be"),
    "Latin-1": lambda text: text.replace(" ", "\N{NO-BREAK SPACE}").encode("latin-1"),
    "percent-encoded": lambda text: quote(text).encode(),
    "after a long trace": lambda text: b"at com.adobe.Runtime(Native)\n" * 20_000 + text.encode(),
}


@pytest.mark.parametrize(("text", "outage", "key_status"), WORDINGS)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_each_wording_is_known_in_each_wrapping(wrapping: str, text: str, outage: str, key_status: int | None) -> None:
    found = revocation(WRAPPINGS[wrapping](text), b"")
    assert found is not None
    assert (found.outage, found.key_status) == (outage, key_status)


def verdict(status: int, body: bytes, headers: dict[str, str] | None = None, sent: bytes = b"") -> Verdict:
    return classify(
        Answer(status, headers or {}, body, 0.1, 0.2),
        ambiguous_statuses=frozenset({502, 504}),
        asked=SentCall(body=sent),
    )


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(("text", "outage", "key_status"), WORDINGS[:3])
def test_whatever_the_status_it_is_the_outage_and_nobody_s_message_is_refused(
    status: int, text: str, outage: str, key_status: int | None
) -> None:
    found = verdict(status, json.dumps({"title": text}).encode())
    assert (found.outcome, found.ambiguous, found.reason, found.outage) == ("retryable", False, outage, outage)
    assert found.key_status == key_status


def test_a_header_may_tell_of_it() -> None:
    assert verdict(403, b"", {"x-error": TOKEN}).outage == "cosmos-identity"


def test_a_202_is_accepted_all_the_same() -> None:
    found = verdict(202, json.dumps({"executionId": "UMA-1", "note": TOKEN}).encode())
    assert (found.outcome, found.outage) == ("accepted", None)


@pytest.mark.parametrize("length", range(len("Access to your account is currently"), len(BEGIN)))
def test_an_answer_that_is_cut_off_within_the_beginning_still_tells(length: int) -> None:
    body = ('{"title":"' + BEGIN)[: len('{"title":"') + length].encode()
    assert revocation(body, b"", truncated=True) is not None
    assert revocation(body, b"") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Internal Server Error",
        "the Cosmos DB service is fine",
        "Request rate is too large. More Request Units may be needed (Cosmos DB)",
        "Access to your account is denied",
        "Access to your account is currently limited",
        "The API key was revoked",
        "Consent was revoked by the recipient",
        "Customer Managed Keys are in use",
        "CosmosException: Request rate is too large (429); Substatus: 3200",
        "Access to your account has been revoked by an administrator",
        "The managed identity is unknown",
        "status 4003",
        "substatus 4003",
        "Cosmos Travel Ltd is unknown",
    ],
)
def test_other_texts_are_no_outage(text: str) -> None:
    assert revocation(json.dumps({"title": text}).encode(), b"") is None


def asked(text: str) -> bytes:
    return json.dumps({"requestId": "x", "recipients": [{"context": {"message": text}}]}, ensure_ascii=False).encode()


ECHOES: dict[str, Callable[[bytes, str], bytes]] = {
    "the whole request": lambda sent, _: sent,
    "the request as a text": lambda sent, _: json.dumps({"title": "Invalid", "report": sent.decode()}).encode(),
    "one value": lambda _, text: json.dumps({"title": f"Bad value '{text}'"}).encode(),
    "one value in HTML": lambda _, text: f"<p>Bad value: {html.escape(text)}".encode(),
    "the beginning of a value": lambda _, text: json.dumps({"title": f"Bad value '{text[:60]}…'"}).encode(),
    "twice": lambda sent, text: sent + text.encode(),
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize(("text", "outage", "key_status"), WORDINGS)
def test_what_stands_in_the_body_that_was_sent_is_no_evidence(
    echo: str, text: str, outage: str, key_status: int | None
) -> None:
    sent = asked(f"A customer writes: «{text}» What now?")
    assert verdict(400, ECHOES[echo](sent, text), sent=sent).outage is None


def test_another_cause_than_the_one_that_was_quoted_is_evidence_all_the_same() -> None:
    sent = asked(f"{BEGIN}, says your bank")
    found = verdict(403, json.dumps({"title": WORDINGS[2][0], "echo": sent.decode()}).encode(), sent=sent)
    assert (found.outage, found.key_status) == ("cosmos-key", 4003)


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_nothing_that_is_sent_or_answered_raises(answer: bytes, sent: bytes, truncated: bool) -> None:
    found = revocation(answer, sent, truncated=truncated)
    assert found is None or found.outage.startswith("cosmos-")


@given(st.text(max_size=100), st.text(max_size=100), st.sampled_from(WORDINGS), st.sampled_from(list(WRAPPINGS)))
def test_whatever_stands_before_and_behind(
    before: str, behind: str, wording: tuple[str, str, int | None], wrapping: str
) -> None:
    text = f"{before.encode(errors='replace').decode()} {wording[0]} {behind.encode(errors='replace').decode()}"
    if wrapping == "Latin-1":  # it holds fewer
        text = text.encode("latin-1", errors="replace").decode("latin-1")
    assert revocation(WRAPPINGS[wrapping](text), b"") is not None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.sampled_from(WORDINGS))
def test_an_echo_of_any_request_is_no_evidence(around: str, wording: tuple[str, str, int | None]) -> None:
    sent = asked(around[:100] + wording[0] + around[100:])
    assert revocation(sent, sent) is None
    assert revocation(json.dumps({"title": sent.decode()}).encode(), sent) is None
