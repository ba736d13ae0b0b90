"""Which keys are in use, by what the settings and the held payloads say."""

import pytest
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_worker.payloads.rotation import KeyInUse, keys_in_use

KEYS = [new_key(), new_key()]
NEWEST, OLDER = map(key_id_of, KEYS)


@pytest.mark.parametrize(
    ("keys", "payloads", "expected"),
    [
        ([], {}, []),
        ([], {None: 3}, [KeyInUse(None, 3, in_settings=False, newest=False)]),
        ([], {"0123": 1}, [KeyInUse("0123", 1, in_settings=False, newest=False)]),
        (KEYS[:1], {}, [KeyInUse(NEWEST, 0, in_settings=True, newest=True)]),
        (
            KEYS,
            {None: 1, "bbbb": 2, "aaaa": 3, OLDER: 4},
            [
                KeyInUse(NEWEST, 0, in_settings=True, newest=True),
                KeyInUse(OLDER, 4, in_settings=True, newest=False),
                KeyInUse("aaaa", 3, in_settings=False, newest=False),
                KeyInUse("bbbb", 2, in_settings=False, newest=False),
                KeyInUse(None, 1, in_settings=False, newest=False),
            ],
        ),
    ],
)
def test_keys_of_the_settings_come_first_then_unknown_ones_then_plain_payloads(
    keys: list[str], payloads: dict[str | None, int], expected: list[KeyInUse]
) -> None:
    assert keys_in_use(Sealer.from_keys(",".join(keys)), payloads) == expected
