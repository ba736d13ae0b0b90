"""What the build adds to pyproject.toml: the worker reads what the SDK writes, so it needs that of its own version."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class SameVersion(MetadataHookInterface):
    """Asks for the SDK with its command line and both brokers."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Name the one dependency."""
        metadata["dependencies"] = [f"ajo-producers[cli,valkey]=={metadata['version']}"]
