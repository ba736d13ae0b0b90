"""The HTTP clients that attempts go through, behind one protocol: ``AJO_HTTP_ADAPTER`` chooses."""

from ajo_worker.api.answer import HttpAdapter
from ajo_worker.settings import Settings


def make_adapter(settings: Settings) -> HttpAdapter:
    """The adapter that the settings name; call it on the running event loop. Only that library is loaded.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or there are no certificates to trust.
    """
    if settings.http_adapter == "direct":
        from ajo_worker.api.adapters.direct_adapter import direct_adapter  # noqa: PLC0415 - see above

        return direct_adapter(settings)
    if settings.http_adapter == "httpx":
        from ajo_worker.api.adapters.httpx_adapter import httpx_adapter  # noqa: PLC0415 - see above

        return httpx_adapter(settings)
    from ajo_worker.api.adapters.pyreqwest_adapter import pyreqwest_adapter  # noqa: PLC0415 - see above

    return pyreqwest_adapter(settings)
