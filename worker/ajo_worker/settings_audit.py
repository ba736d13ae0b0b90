"""Settings of what comes after the sending: feedback, evidence, retention, network probes."""

from typing import Annotated

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from ajo_worker.settings_source import PREFIX

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class AuditSettings(BaseSettings):
    """The second half of the worker's settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True, case_sensitive=False, env_ignore_empty=True
    )

    dead_letter_days: PositiveInt = Field(
        30, description="days after which a dead letter's payload is deleted; what became of it stays on record"
    )
