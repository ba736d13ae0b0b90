"""What the Cosmos DB outage is told with: ``customerManagedKeyStatus`` of Azure Cosmos DB, as Microsoft words it.

From Microsoft's REST API of Cosmos DB accounts (2023-09-15) and its guide on customer-managed keys. Each of these may
go on with where to read more, as the second part of ``WORDINGS`` does.
"""

from ajo_simulator.draw import drawn
from ajo_simulator.faults import CosmosCode

REVOKED = "Access to your account is currently revoked"
MORE = (
    "; for more details about this error and how to restore access to your account please visit "
    "https://learn.microsoft.com/en-us/azure/cosmos-db/cmk-troubleshooting-guide"
)
CAUSES = {
    4000: "the Azure Cosmos DB service is unable to obtain the AAD authentication token for the account's default "
    "identity",
    4002: "the current default identity no longer has permission to the associated Key Vault key",
    4003: "the correspondent key is not found on the specified Key Vault",
    4005: "the Azure Cosmos DB service is unable to wrap or unwrap the key",
    4006: "the Azure Cosmos DB account's key vault key URI does not follow the expected format",
    4009: "the Azure Key Vault DNS name specified by the account's keyvaultkeyuri property could not be resolved",
    4015: "the Azure Cosmos DB account has an undefined default identity",
    4016: "the access rules are blocking outbound requests to the Azure Key Vault service",
    4017: "the correspondent Azure Key Vault was not found",
    4018: "the correspondent key is either disabled or expired",
}
KEY = "Request is blocked due to Customer Managed Key not being accessible"
USUAL = (f"{REVOKED} because {CAUSES[4000]} (4000)", KEY)
"""The two that Adobe's page and its logs show."""
WORDINGS = (
    *USUAL,
    *(f"{REVOKED} because {cause} ({code})." for code, cause in CAUSES.items()),
    *(f"{REVOKED} because {cause}{MORE}#a-part-of-it ({code})." for code, cause in CAUSES.items()),
    *(f"{REVOKED} because {cause}." for cause in CAUSES.values()),
    f"{REVOKED}{MORE}",
)


def wording(code: CosmosCode | None, request_id: str) -> str:
    """What a call is told: drawn from the wordings of this code, from all, or from the usual two if it is None."""
    if code is None:
        fitting: tuple[str, ...] = USUAL
    else:
        fitting = WORDINGS if code == "any" else tuple(text for text in WORDINGS if CAUSES[code] in text)
    return fitting[int(drawn(0, request_id, "text") * len(fitting))]
