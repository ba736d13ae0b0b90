"""The way that calls to Adobe take: through a proxy, or direct."""

from collections.abc import Iterable

from ajo_worker.doctor.check import Check, failed, ok, skipped
from ajo_worker.doctor.settings import Readable
from ajo_worker.network.destination import Destination
from ajo_worker.settings.proxies import Proxies, proxies
from ajo_worker.settings.source import SettingsError

PROXY = "proxy"


def find_ways(readable: Readable) -> Proxies | Check:
    """What settings and environment say; a check that failed or was skipped if that can't be used."""
    if readable.wrong_of("proxy"):
        return skipped(PROXY, "AJO_PROXY can't be read: see settings")
    try:
        return proxies(readable.settings)
    except SettingsError as bad:
        return failed(
            PROXY, str(bad), "correct it, or say AJO_PROXY=none to go direct: a worker refuses to start with it"
        )


def judge_ways(found: Iterable[Destination]) -> Check:
    """Which way each of them is reached. Pure."""
    by_way: dict[str, list[str]] = {}
    for one in found:
        by_way.setdefault(str(one.route), []).append(one.endpoint)
    told = [f"{way}: {', '.join(dict.fromkeys(endpoints))}" for way, endpoints in by_way.items()]
    return ok(PROXY, "; ".join(told)) if told else skipped(PROXY, "no address says where calls go")
