"""The shell completes commands, options and names, as far as the line has got."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import Finished

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("outa", ["outage"]),
        ("dead re", ["redrive"]),
        ("trigger ", ["order-shipped", "password-reset"]),
        ("campaigns show p", ["password-reset"]),
        ("dead redrive --state un", ["unconfirmed"]),
        (
            "dead list --reason campaign-",
            ["campaign-ended", "campaign-not-live", "campaign-paused", "campaign-refused"],
        ),
        ("delays --campaign o", ["order-shipped"]),
        ("outage hold hi", ["high-throughput"]),
    ],
)
def test_what_has_a_name_is_completed(line: str, completed: list[str], run_cli: Callable[..., Finished]) -> None:
    words = f"ajo-dispatch {line}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_AJO_DISPATCH_COMPLETE": "complete_bash"}
    done = run_cli(env={**asked, "AJO_CAMPAIGNS": str(CAMPAIGNS)})
    assert done.out.split() == completed
