"""The table that ``make chaos`` prints, in Markdown, as docs/reliability.md has it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.plan import Fault
from tests.chaos.verdict import Figures

HEAD = """\
| | fault | broker | shortened | triggers | accepted | others | accepted twice | marked, by cause | seconds | verdict |
|---|---|---|---|---:|---:|---|---:|---|---:|---|"""


@dataclass(frozen=True)
class Result:
    """What came of one run; ``settings`` are those of its workers that are not as users get them."""

    fault: Fault
    broker: str
    figures: Figures
    settings: Mapping[str, str]
    findings: Sequence[str]
    seconds: float


def line(result: Result) -> str:
    """One row of the table."""
    numbers = result.figures
    others = Counter(numbers.states)
    accepted = others.pop("accepted", 0)
    cells = (
        str(result.fault.group),
        f"{result.fault.name}: {result.fault.what}",
        result.broker,
        ", ".join(f"{name.removeprefix('AJO_')} {value}" for name, value in result.settings.items()),
        f"{numbers.confirmed:,}",
        f"{accepted:,}",
        _counts(others),
        f"{numbers.doubled:,}",
        f"{numbers.marked:,}" + (f" ({_counts(numbers.causes)})" if numbers.causes else ""),
        f"{result.seconds:.0f}",
        "failed" if result.findings else "passed",
    )
    return "| " + " | ".join(cells) + " |"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())
