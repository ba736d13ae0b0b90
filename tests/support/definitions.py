"""Campaign definitions for tests: invented campaigns of each lane, as values and as files."""

from pathlib import Path
from typing import Any

from ajo_producers.campaigns.definition import Definition, Variable

ORDER_SHIPPED = Definition(
    name="order-shipped",
    campaign_id="8f0c2d1e-1111-4222-8333-444455556666",
    lane="standard",
    endpoint="https://platform.adobe.io/ajo/im/executions/unitary",
    organization="ABC@AdobeOrg",
    sandbox="prod",
    namespace="email",
    recipient_type="aep",
    channel_data={"emailAddress": Variable()},
    profile={"firstName": Variable(required=False)},
    context={
        "orderId": Variable(),
        "customer.tier": Variable(required=False),
        "lines": Variable(type="array", required=False),
        "carrier": Variable(default="the post"),
    },
)

ORDER_SHIPPED_TOML = """
campaign_id = "8f0c2d1e-1111-4222-8333-444455556666"
lane = "standard"
endpoint = "https://platform.adobe.io/ajo/im/executions/unitary"
organization = "ABC@AdobeOrg"
sandbox = "prod"
namespace = "email"
recipient_type = "aep"

[channel_data]
emailAddress = {}

[profile]
firstName = { required = false }

[context]
orderId = {}
"customer.tier" = { required = false }
lines = { type = "array", required = false }
carrier = { default = "the post" }
"""


def definition(**changes: Any) -> Definition:
    """The campaign order-shipped, with changes."""
    facts = {name: getattr(ORDER_SHIPPED, name) for name in ORDER_SHIPPED.__struct_fields__}
    return Definition(**{**facts, **changes})


def write_definitions(folder: Path) -> Path:
    """Write order-shipped (standard) and flash-sale (high throughput) into a folder of definitions."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "order-shipped.toml").write_text(ORDER_SHIPPED_TOML, encoding="utf-8")
    fast = ORDER_SHIPPED_TOML.replace("unitary", "highthroughput").replace('"standard"', '"high-throughput"')
    fast = fast.replace('"aep"', '"external"').replace("[profile]\nfirstName = { required = false }\n", "")
    (folder / "flash-sale.toml").write_text(fast, encoding="utf-8")
    return folder
