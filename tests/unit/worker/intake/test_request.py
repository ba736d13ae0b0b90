"""What remote control and Flower are shown of a message."""

from uuid import UUID

import pytest
from ajo_producers.contract.task_message import summary
from ajo_worker.intake.request import shown

ID = UUID("01a2137e-7d7f-7d7f-8d7f-7d7f7d7f7d7f")


OURS = [summary(["order-shipped"], [ID]), summary(["a"] * 3, [ID] * 3), summary(["a", "b"], [ID] * 2)]
FOREIGN = [
    *(None, 5, {}, "", "x" * 200, "a b c ×5"),
    *(
        "ada@example.com",
        "order-shipped ada@example.com",
        "order-shipped ×5 ada",
        '([{"user_id": "ada@example.com"}],)',
    ),
]


@pytest.mark.parametrize("ours", OURS)
def test_a_publishers_own_summary_is_shown(ours: str) -> None:
    assert shown(ours) == ours


@pytest.mark.parametrize("foreign", FOREIGN)
def test_whatever_else_a_producer_writes_there_is_not(foreign: object) -> None:
    assert shown(foreign) == "…"
