"""How long something takes, as a scenario scripts it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ajo_simulator.faults import Seconds


class Latency(Struct, frozen=True, forbid_unknown_fields=True):
    """How long something takes, in seconds: ``seconds`` always, evenly ``low`` to ``high``, or log-normal."""

    distribution: Literal["constant", "uniform", "lognormal"] = "constant"
    seconds: Seconds = 0.0
    low: Seconds = 0.0
    high: Seconds = 0.0
    median: Annotated[float, Meta(gt=0, le=3600)] = 0.05
    p99: Annotated[float, Meta(gt=0, le=3600)] = 0.5

    def __post_init__(self) -> None:
        if self.distribution == "uniform" and self.high < self.low:
            raise ValueError("`high` is below `low`")
        if self.distribution == "lognormal" and self.p99 < self.median:
            raise ValueError("`p99` is below `median`")
