"""The campaign definitions: whether they load, where they lead to, and whether their time is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.folder import DefinitionError, load_definition, load_definitions
from ajo_producers.campaigns.window import outside, window_problem
from ajo_producers.contract.counted import counted

from ajo_worker.api.request import Endpoint, ForeignHost, endpoint_of
from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.settings import Settings

FOLDER, HOSTS, WINDOWS = "campaigns", "campaign hosts", "campaign windows"


@dataclass(frozen=True)
class Loaded:
    """The definitions that can be used, and what is wrong with the others."""

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def load(folder: Path) -> Loaded:
    """Read a folder; one faulty file hides no other."""
    try:
        return Loaded(load_definitions(folder))
    except DefinitionError as all_together:
        good = {}
        for file in sorted(folder.glob("[!.]*.toml")):
            try:
                good[file.stem] = load_definition(file)
            except DefinitionError:
                continue  # among the problems of all
        return Loaded(good, all_together.problems)


def endpoints(definitions: Mapping[str, Definition], settings: Settings) -> dict[str, Endpoint | ForeignHost]:
    """Where each campaign's calls go, by name; or why credentials must never go there. Pure."""
    found: dict[str, Endpoint | ForeignHost] = {}
    for name, definition in definitions.items():
        try:
            found[name] = endpoint_of(
                definition,
                base_url=settings.base_url,
                allowed_hosts=settings.allowed_hosts,
                client_id=settings.client_id,
                org_id=settings.org_id,
            )
        except ForeignHost as foreign:
            found[name] = foreign
    return found


def judge_folder(loaded: Loaded) -> Check:
    """Whether a worker would start with this folder, and have something to do."""
    if loaded.problems:
        return failed(FOLDER, "; ".join(loaded.problems), "correct them: a worker refuses to start with these")
    if not loaded.definitions:
        return failed(
            FOLDER,
            "the folder of AJO_CAMPAIGNS holds no definition, so every trigger would be refused",
            "import one: ajo-dispatch campaigns import SAMPLE.curl",
        )
    return ok(FOLDER, f"{counted(len(loaded.definitions), 'definition')}: {', '.join(loaded.definitions)}")


def judge_hosts(found: Mapping[str, Endpoint | ForeignHost]) -> Check:
    """Whether every definition leads to a host that may get the credentials."""
    if not found:
        return skipped(HOSTS, "there are no definitions")
    if foreign := [str(endpoint) for endpoint in found.values() if isinstance(endpoint, ForeignHost)]:
        return failed(
            HOSTS,
            "; ".join(foreign),
            "correct the definition's endpoint, or add the host to AJO_ALLOWED_HOSTS if credentials may go there",
        )
    hosts = sorted({urlsplit(endpoint.url).netloc for endpoint in found.values() if isinstance(endpoint, Endpoint)})
    return ok(HOSTS, f"{counted(len(found), 'definition')} to {', '.join(hosts)}")


def judge_windows(definitions: Mapping[str, Definition], now: datetime) -> Check:
    """Whether a campaign's time is over: Journey Optimizer refuses its calls from then on."""
    if not definitions:
        return skipped(WINDOWS, "there are no definitions")
    closed = [text for definition in definitions.values() if (text := window_problem(definition, now))]
    if any(outside(definition, now) == "campaign-ended" for definition in definitions.values()):
        return warning(
            WINDOWS,
            "; ".join(closed),
            "prolong it in Journey Optimizer and in its definition, or remove the definition",
        )
    return ok(WINDOWS, "; ".join(["none is over", *closed]))
