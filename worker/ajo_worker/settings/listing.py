"""All settings at once, the publisher's included: what each one is, and everything that is wrong with them."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from ajo_producers.contract.setting_rules import EVENTS, OUTBOX, OUTBOX_TABLE, PUBLISH_TIMEOUT
from msgspec import Struct
from pydantic import Field, PositiveInt, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from ajo_worker.settings import Settings
from ajo_worker.settings.reading import explained
from ajo_worker.settings.redaction import redacted
from ajo_worker.settings.rules import kept
from ajo_worker.settings.source import PREFIX, FileSource, SettingsError, source_of, variable_of

OTHERS = {
    "AJO_DEBUG": "1: a fault of ajo-dispatch itself shows its traceback",
    "AJO_SIMULATOR_CLIENT_SECRET": "the only client secret for which the simulator gives a token; unset: any",
    "AJO_SOURCE": "docker compose only: the clone that the image is built from",
    "AJO_TEST_RABBITMQ_URL": "the RabbitMQ of the tests",
}
"""Variables that are no settings of workers or publishers, and come from no file."""
Seconds = Annotated[float, Field(gt=0, le=86_400)]
CLOSE = 0.6
"""How alike a wrong name and a right one must be, from 0 to 1, for the one to suggest the other."""


def _outbox(name: str, description: str) -> Any:  # noqa: ANN401 - a field's default, as pydantic has it
    limits = OUTBOX[name]
    return Field(limits.default, ge=limits.least, le=limits.most, description=f"outbox only: {description}")


class _Files(FileSource):
    """A file that is at fault gives the fault for a value, so that one doesn't hide the others."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        try:
            return super().get_field_value(field, field_name)
        except SettingsError as fault:
            return fault, field_name, False


class AllSettings(Settings):
    """The worker's settings, and those that only publishers, outboxes and intakes of events read."""

    publish_timeout: float = Field(
        PUBLISH_TIMEOUT, description="publishers only: seconds within which the broker must confirm"
    )
    producer: str | None = Field(
        None, description="publishers only: the application's name in the ledger; empty: the host's name"
    )
    events: Path = Field(Path("events.toml"), description="events only: the mapping file")
    events_broker_url: SecretStr = Field(
        SecretStr(""), description="events only: RabbitMQ with the exchange of events; empty: AJO_BROKER_URL"
    )
    events_tokens: SecretStr = Field(
        SecretStr(""), description="events only: bearer tokens of who may post, separated by blanks; empty: none"
    )
    events_signing_secrets: SecretStr = Field(
        SecretStr(""), description="events only: whsec_… with which senders sign, separated by blanks; empty: none"
    )
    events_max_bytes: PositiveInt = Field(EVENTS.max_bytes, description="events only: bytes of a request at most")
    events_head_seconds: Seconds = Field(
        EVENTS.head_seconds,
        description="events only: seconds until the headers of a request must be here, TLS included",
    )
    events_body_seconds: Seconds = Field(
        EVENTS.body_seconds, description="events only: seconds within which its body must then come"
    )
    events_connections: PositiveInt = Field(
        EVENTS.connections, description="events only: connections at most; a new one takes the place of a sluggish one"
    )
    events_connections_by_address: PositiveInt = Field(
        EVENTS.connections_by_address, description="events only: of these, from one address (IPv6: one /64)"
    )
    events_pending: PositiveInt = Field(
        EVENTS.pending,
        description="events only: triggers that wait for the broker's confirm; beyond, senders are told to wait",
    )

    outbox_url: SecretStr | None = Field(
        None, description="outbox only: the database of the application that adds triggers"
    )
    outbox_table: str = Field(OUTBOX_TABLE, description="outbox only: its table, such as shop.ajo_outbox")
    outbox_keys: SecretStr | None = Field(
        None, description="outbox only: keys that its payloads are encrypted with, the newest first"
    )
    outbox_keep: float = _outbox("keep", "seconds for which published rows are kept; 0: none are")
    outbox_poll: float = _outbox("poll", "seconds until a relay that is not notified looks anyway")
    outbox_late: float = _outbox("late", "seconds above which a trigger that waits is late")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not used here
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not used here
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Files first: a file's fault must not be hidden by the variable that is set as well."""
        return init_settings, _Files(settings_cls), env_settings

    @field_validator("publish_timeout", "producer")
    @classmethod
    def _as_publishers_have_them(cls, value: object, info: ValidationInfo) -> object:
        return kept(value, info)

    @field_validator("*", mode="before")
    @classmethod
    def _read_from_file(cls, value: object) -> object:
        if isinstance(value, SettingsError):
            raise value
        return value


class Setting(Struct, frozen=True):
    """One setting. A secret's ``value`` says no more than that it is set, or the place that its URL leads to."""

    variable: str
    value: Any
    source: str
    secret: bool
    description: str


class Unknown(Struct, frozen=True):
    """A variable that nothing reads, and the one that may have been meant."""

    variable: str
    did_you_mean: str | None


class Checked(Struct, frozen=True):
    """What the environment says; without ``settings`` if there are ``faults``."""

    ok: bool
    settings: list[Setting]
    faults: list[str]
    unknown: list[Unknown]


def check_settings(environment: Iterable[str]) -> Checked:
    """Read all settings now; ``environment`` are the names of all variables."""
    unknown = list(unknown_variables(environment))
    try:
        found = AllSettings()
    except ValidationError as invalid:
        return Checked(ok=False, settings=[], faults=list(_faults(invalid)), unknown=unknown)
    return Checked(
        ok=True, settings=[_setting(found, name) for name in AllSettings.model_fields], faults=[], unknown=unknown
    )


def known_variables() -> set[str]:
    """Every variable that something reads."""
    settings = {variable_of(name) for name in AllSettings.model_fields}
    return settings | {f"{variable}_FILE" for variable in settings} | set(OTHERS)


def unknown_variables(environment: Iterable[str]) -> Iterator[Unknown]:
    """Those of the names that look like settings and are none. Pure."""
    known = {variable.removeprefix(PREFIX): variable for variable in sorted(known_variables())}
    for name in sorted(environment):
        word = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and name not in known.values():
            close = get_close_matches(word, known, n=1, cutoff=CLOSE)
            yield Unknown(name, known[close[0]] if close else None)


def _setting(found: AllSettings, name: str) -> Setting:
    value, field = getattr(found, name), AllSettings.model_fields[name]
    secret = isinstance(value, SecretStr)
    shown = redacted(value.get_secret_value()) if isinstance(value, SecretStr) else _plain(value)
    return Setting(variable_of(name), shown, source_of(name), secret, field.description or "")


def _plain(value: object) -> object:
    """A value as JSON has it; None for what is not set."""
    match value:
        case None | "":
            return None
        case frozenset():
            return sorted(value)
        case tuple():
            return list(value)
        case int() | float():
            return value
    return str(value)


def _faults(invalid: ValidationError) -> dict[str, None]:
    """The text of each fault, in the order of the settings; as keys, since a list's elements may share one."""
    bad = {str(fault["loc"][0]) for fault in invalid.errors() if fault["loc"]}
    texts = dict.fromkeys(explained(invalid, AllSettings))
    try:  # rules between settings were not tried if one of these was at fault
        AllSettings(**{name: AllSettings.model_fields[name].default for name in bad})
    except ValidationError as between:
        about_bad = tuple(map(variable_of, bad))
        texts |= dict.fromkeys(
            text for text in explained(between, AllSettings) if not any(name in text for name in about_bad)
        )
    return texts
