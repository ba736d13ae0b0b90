"""The JSON Schema of a message's body, for producers in other languages; ``python -m ajo_producers.contract.schema``.

docs/message.schema.json is this module's output, and the tests hold both to what the worker reads.
"""

import json
import sys
from inspect import cleandoc
from typing import Any

import msgspec

from ajo_producers.contract.batch import VERSION, Batch
from ajo_producers.contract.trigger import Trigger

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def message_schema() -> dict[str, Any]:
    """The schema of ``[args, kwargs, embed]`` with one batch as the only argument."""
    _, components = msgspec.json.schema_components((Batch, Trigger), ref_template="#/$defs/{name}")
    # A batch is read in two steps, so its type leaves the triggers open; on the wire they are triggers.
    components["Batch"]["properties"]["triggers"]["items"] = {"$ref": "#/$defs/Trigger"}
    for component in components.values():
        component["description"] = cleandoc(component["description"])  # Python 3.13 does so by itself
    return {
        "$schema": DIALECT,
        "title": f"Body of an ajo-dispatch message, version {VERSION}",
        "type": "array",
        "prefixItems": [
            {"type": "array", "prefixItems": [{"$ref": "#/$defs/Batch"}], "items": False, "minItems": 1},
            {"type": "object", "additionalProperties": False},
            {
                "type": "object",
                "properties": {key: {"type": "null"} for key in ("callbacks", "errbacks", "chain", "chord")},
                "additionalProperties": False,
            },
        ],
        "items": False,
        "minItems": 3,
        "$defs": components,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(message_schema(), indent=2) + "\n")
