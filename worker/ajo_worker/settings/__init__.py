"""What operators set: the model, where values come from, the rules between them, their list, the proxy."""

from ajo_worker.settings.model import PLAIN_PAYLOADS, SEAL_PAYLOADS, Settings
from ajo_worker.settings.reading import missing_credentials, read_settings, renewed, renewed_as, settings
from ajo_worker.settings.rules import is_safe_url

__all__ = [
    "PLAIN_PAYLOADS",
    "SEAL_PAYLOADS",
    "Settings",
    "is_safe_url",
    "missing_credentials",
    "read_settings",
    "renewed",
    "renewed_as",
    "settings",
]
