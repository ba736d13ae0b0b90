"""Settings of what comes after the sending: feedback, evidence, retention, network probes."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ajo_worker.days import read_zone
from ajo_worker.settings.rules import Seconds
from ajo_worker.settings.source import PREFIX


class AfterSending(BaseSettings):
    """Those of ``Settings`` that no attempt needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True, case_sensitive=False, env_ignore_empty=True
    )

    dead_letter_days: PositiveInt = Field(
        30, description="days after which a dead letter's payload is deleted; what became of it stays on record"
    )
    retention_days: PositiveInt = Field(
        400, description="days after which triggers, attempts and feedback are dropped, a day at a time"
    )
    report_days: PositiveInt = Field(800, description="days after which figures by the minute and hour are deleted")
    time_zone: str = Field(
        "UTC", description="IANA name of the zone whose days are meant by --day, and whose times the report shows"
    )
    close_days: Annotated[int, Field(ge=2)] = Field(
        4, description="days after its end at which a day is sealed; feedback of soft bounces comes for 84 hours"
    )
    evidence_key: SecretStr = Field(
        SecretStr(""), description="key of the evidence chain; empty: whoever can write the ledger can make a new one"
    )

    feedback_secret: SecretStr = Field(
        SecretStr(""), description="what the header of feedback webhooks must hold; empty: no such header is asked for"
    )
    feedback_secret_header: str = Field(
        "x-feedback-secret", pattern=r"^[A-Za-z0-9-]+$", description="name of that header"
    )
    feedback_jwt_secret: SecretStr = Field(
        SecretStr(""), description="key of the webhooks' JWT, HS256, of 32 bytes at least; empty: none is asked for"
    )
    feedback_jwt_public_key: str = Field(
        "", description="public key (PEM) of the webhooks' JWT, RS256, in place of that secret"
    )
    feedback_jwt_audience: str = Field("", description="audience that the JWT must name; empty: any")
    feedback_max_bytes: PositiveInt = Field(1_000_000, description="bytes of a feedback webhook at most")
    feedback_head_seconds: Seconds = Field(
        10, description="seconds until the headers of a feedback webhook must be here, TLS included"
    )
    feedback_body_seconds: Seconds = Field(15, description="seconds within which its body must then come")
    feedback_connections: PositiveInt = Field(
        1000, description="connections to the receiver of feedback at most; a new one takes the place of a sluggish one"
    )
    feedback_connections_by_address: PositiveInt = Field(
        500, description="of these, from one address (IPv6: one /64); a proxy before the receiver is one address"
    )
    feedback_window: Seconds = Field(
        7200, description="seconds before a feedback in which a trigger to its recipient may have been sent"
    )
    feedback_match_days: PositiveInt = Field(
        7, description="days for which the trigger of a feedback is looked for, ever more seldom"
    )

    network_probe_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        60, description="seconds between two fresh connections to each endpoint, which show the way there; 0: none"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return read_zone(value).key

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return read_zone(self.time_zone)
