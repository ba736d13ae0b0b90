"""The worker's settings, all from the environment (``AJO_…``), each with its unit and its reason."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from ajo_producers.campaigns.definition import BeforeStart, OnAmbiguous
from ajo_producers.campaigns.folder import DEFAULT_FOLDER
from ajo_producers.campaigns.rules import ALLOWED_HOSTS
from ajo_producers.contract.broker import DEFAULT_URL, BrokerAddress, read_broker
from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX, LANES, Lane
from ajo_producers.contract.sealing import Sealer
from pydantic import Field, PositiveInt, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource

from ajo_worker.settings.after_sending import AfterSending
from ajo_worker.settings.proxies import NONE, SETTING, read_proxy
from ajo_worker.settings.rules import BETWEEN, Seconds, is_safe_url, kept
from ajo_worker.settings.source import FileSource, SettingsError

PLAIN_PAYLOADS = "AJO_PAYLOAD_KEYS is not set: what parked triggers and dead letters have to send is stored plain"
SEAL_PAYLOADS = (
    "set AJO_PAYLOAD_KEYS (or AJO_PAYLOAD_KEYS_FILE) to what 'ajo-dispatch keys new' prints; "
    "'ajo-dispatch keys rotate' encrypts what is held plain"
)
HttpStatuses = Annotated[frozenset[int], NoDecode]
Factor = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Settings(AfterSending):
    """Everything a worker can be told. ``ajo-dispatch settings`` lists it; an empty variable counts as unset."""

    broker_url: SecretStr = Field(
        SecretStr(DEFAULT_URL),
        description="RabbitMQ (amqp, amqps), Redis or Valkey (redis, rediss)",
    )
    queue_prefix: str = Field(DEFAULT_QUEUE_PREFIX, description="queues are PREFIX.LANE")
    lanes: Annotated[tuple[Lane, ...], NoDecode] = Field(
        LANES, description="lanes this worker consumes, comma-separated"
    )
    visibility_timeout: PositiveInt = Field(
        300,
        description="seconds until Redis or Valkey hands out again a message that no worker answers for: a last resort",
    )
    consumer_timeout: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        1800,
        description="seconds, RabbitMQ's consumer_timeout: what is in hand for nearly so long goes back to it, and is "
        "joined by its copy; 0: the server has none",
    )
    database_url: SecretStr = Field(
        SecretStr("postgresql://127.0.0.1:5432/postgres"), description="the ledger's PostgreSQL 15 or later"
    )
    campaigns: Path = Field(DEFAULT_FOLDER, description="folder of campaign definitions")

    client_id: str = Field("", description="OAuth server-to-server client id; also sent as x-api-key")
    client_secret: SecretStr = Field(SecretStr(""), description="OAuth server-to-server client secret")
    scopes: str = Field(
        "openid,AdobeID,read_organizations",
        description="comma-separated, from the Developer Console project; blanks are left out",
    )
    org_id: str = Field("", description="organization (…@AdobeOrg); empty: each definition's own")
    token_url: str = Field("https://ims-na1.adobelogin.com/ims/token/v3", description="token endpoint")
    token_refresh_margin: Seconds = Field(300, description="seconds before its expiry at which a token is refreshed")
    base_url: str | None = Field(
        None, description="replaces scheme and host of every definition's endpoint; plain http only for loopback"
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ALLOWED_HOSTS, description="hosts a definition may name"
    )
    ca_file: Path | None = Field(None, description="CA certificates (PEM) trusted beside the system's")
    proxy: SecretStr = Field(
        SecretStr(""),
        description="HTTP proxy of calls to Adobe, but for hosts in NO_PROXY; empty: as HTTPS_PROXY says; none: direct",
    )
    http_adapter: Literal["direct", "pyreqwest", "httpx"] = Field("direct", description="HTTP client of the attempts")
    campaign_status: Literal["off", "on"] = Field(
        "off", description="whether Adobe is asked for the status of campaigns, which takes a permission of its own"
    )
    campaign_status_ttl: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        300, description="seconds until a campaign's status is asked for again; 0: never asked"
    )

    budget_seconds: Seconds = Field(
        60, description="wall clock of a round, for all attempts and waits (Adobe's own time-out is 60 s)"
    )
    attempt_timeout: Seconds | None = Field(
        None,
        description="seconds an answer gets at most; empty: what is left of the budget. What is shorter than a slow "
        "Adobe's answers doubles the messages that it accepts",
    )
    connect_timeout: Seconds = Field(3, description="seconds until a connection must stand")
    backoff_base: Seconds = Field(0.5, description="seconds; upper bound of the first wait before jitter")
    backoff_factor: Factor = Field(2, description="growth of that bound from attempt to attempt")
    backoff_cap: Seconds = Field(10, description="seconds; upper bound of any wait before jitter")
    attempt_minimum: Seconds = Field(
        5,
        description="seconds a retry must have left in its budget, or as many as 95 % of the latest answers took, if "
        "that is more: a shorter one tells nothing, and may duplicate",
    )
    ambiguous_statuses: HttpStatuses = Field(
        frozenset({502, 504, 520, 522, 524, 598, 599}),
        description="retried statuses after which Adobe may all the same have accepted (undocumented: our policy)",
    )
    on_ambiguous: OnAmbiguous = Field(
        "retry", description="after a call that may have been accepted: retry it, or hold it as unconfirmed"
    )
    max_answer_bytes: PositiveInt = Field(1_000_000, description="bytes of an answer's body that are read at most")

    rate_limit_standard: Factor = Field(
        500, description="calls a second of all workers together in the standard lane (Adobe's documented limit)"
    )
    rate_limit_high_throughput: Factor = Field(
        5000, description="calls a second in the high-throughput lane (Adobe's documented limit)"
    )
    rate_limit_recovery: Seconds = Field(
        20, description="seconds in which a campaign that was slowed down by a 429 grows back to its full rate"
    )
    before_start: BeforeStart = Field(
        "refuse", description="what becomes of a trigger that comes before its campaign's start; publishers too"
    )
    definition_wait: Seconds = Field(
        86_400,
        description="seconds for which a trigger is parked while no living worker has the definition that it was made "
        "by; then it is rejected",
    )
    outage_failures: PositiveInt = Field(
        20, description="failures of a destination, seen by one worker, that make an outage if they last"
    )
    outage_seconds: Seconds = Field(5, description="seconds over which they must last")
    outage_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="share of all answers of a destination that must have failed meanwhile"
    )
    campaign_refusals: PositiveInt = Field(
        20,
        description="refusals of one campaign in a row, all alike, after which it is paused; where the answers don't "
        "tell whose fault it is, twice as many of different recipients",
    )
    silence_calls: PositiveInt = Field(
        20, description="calls of one worker that must be open at a destination that answers nothing, to call it silent"
    )
    silence_seconds: Seconds = Field(
        15, description="seconds for which it must have answered nothing; then one new first attempt a second tries it"
    )
    probe_interval: Seconds = Field(5, description="seconds from an outage's begin to its first probe; then doubling")
    probe_interval_longest: Seconds = Field(60, description="seconds between two probes at most")
    recovery_rate: Factor = Field(5, description="calls a second with which a lane comes back after an outage")
    recovery_doubling: Seconds = Field(5, description="seconds in which that rate doubles")

    max_in_flight: PositiveInt = Field(1000, description="attempts in flight at most, in one process")
    lane_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="share of these that one lane may hold, where campaigns are of several lanes"
    )
    urgent_reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.05, description="share of these that is kept for urgent triggers, where there are urgent campaigns"
    )
    prefetch: PositiveInt = Field(1000, description="messages taken from each queue and not yet done, at most")
    prefetch_bytes: PositiveInt = Field(
        256_000_000, description="bytes of messages of each queue, taken and not yet done, at which no more are taken"
    )
    heartbeat_seconds: Seconds = Field(2, description="how often a worker says in the ledger that it lives")
    owner_timeout: Seconds = Field(
        15, description="seconds without a heartbeat after which a worker's triggers may be taken over"
    )
    hash_key: SecretStr = Field(SecretStr(""), description="key of the recipient hashes; empty: none are recorded")
    payload_keys: SecretStr = Field(
        SecretStr(""), description="keys of held payloads, newest first, comma-separated; empty: stored plain"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    log_format: Literal["json", "console"] = Field("json", description="a JSON object a line, or text for people")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not used here
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not used here
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files that it names."""
        return init_settings, env_settings, FileSource(settings_cls)

    @field_validator("lanes", "allowed_hosts", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("scopes")
    @classmethod
    def _scopes_without_blanks(cls, value: str) -> str:
        return ",".join(re.split(r"[\s,]+", value.strip(" \t\r\n,")))

    @field_validator("ambiguous_statuses", mode="before")
    @classmethod
    def _split_statuses(cls, value: object) -> object:
        return frozenset(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("queue_prefix")
    @classmethod
    def _as_for_publishers(cls, value: str, info: ValidationInfo) -> object:
        return kept(value, info)

    @field_validator("broker_url")
    @classmethod
    def _usable_broker(cls, value: SecretStr) -> SecretStr:
        read_broker(value.get_secret_value())
        return value

    @field_validator("lanes")
    @classmethod
    def _some_lane_once(cls, value: tuple[Lane, ...]) -> tuple[Lane, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("must name at least one lane, and none twice")
        return value

    @field_validator("token_url", "base_url")
    @classmethod
    def _https_or_loopback(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_url(value):
            raise ValueError("must be https://…, or http://… on loopback; with neither credentials, query nor fragment")
        return value

    @field_validator("proxy")
    @classmethod
    def _some_http_proxy(cls, value: SecretStr) -> SecretStr:
        if (named := value.get_secret_value()) and named.lower() != NONE:
            try:
                read_proxy(named, SETTING)
            except SettingsError as bad:
                raise ValueError(str(bad).removeprefix(f"{SETTING}: ")) from None
        return value

    @field_validator("payload_keys", mode="before")
    @classmethod
    def _some_fernet_keys(cls, value: object) -> object:
        # What comes as text was set: an empty file is a mistake that must not leave payloads plain.
        if isinstance(value, str) and Sealer.from_keys(value).newest is None:
            raise ValueError("has no key; unset it to store payloads plain")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if broken := [rule.text for rule in BETWEEN if not rule.holds(self)]:
            raise ValueError("\n".join(broken))
        return self

    @property
    def broker(self) -> BrokerAddress:
        """Where messages come from."""
        return read_broker(self.broker_url.get_secret_value())
