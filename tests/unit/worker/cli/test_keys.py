"""What a rotation of keys says of payloads that it left as they were."""

from uuid import UUID

import pytest
from ajo_worker.cli.keys import remainders
from ajo_worker.payloads.rotation import Rotation

CLEAR_SCREEN = "\x1b[2J"
UNKNOWN = "under key 0123456789ab, which AJO_PAYLOAD_KEYS does not have: add that key at its end and repeat"


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (Rotation(resealed=7), []),
        (Rotation(unknown={"0123456789ab": 1}), [f"1 payload {UNKNOWN}"]),
        (
            Rotation(unknown={"0123456789ab": 1_200, CLEAR_SCREEN: 2}),
            [f"1,200 payloads {UNKNOWN}", f"2 payloads {UNKNOWN.replace('0123456789ab', '�[2J')}"],
        ),
        (
            Rotation(broken=[UUID(int=1)]),
            ["1 payload with bytes that the key doesn't open, left as found: 00000000-0000-0000-0000-000000000001"],
        ),
        (
            Rotation(left=3),
            [
                "3 payloads left, locked by somebody or written just now by a worker without the newest key: "
                "restart such workers and repeat"
            ],
        ),
    ],
)
def test_each_kind_of_remainder_has_a_line_with_what_to_do(done: Rotation, expected: list[str]) -> None:
    assert list(remainders(done)) == expected


def test_only_the_first_few_broken_payloads_are_named() -> None:
    (line,) = remainders(Rotation(broken=[UUID(int=number) for number in range(1, 12)]))
    assert line.startswith("11 payloads ")
    assert line.endswith(f"{UUID(int=10)}, …")
    assert str(UUID(int=11)) not in line
