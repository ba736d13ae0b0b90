"""What a relay says of what is away."""

from itertools import pairwise

from ajo_producers.outbox.relay import LONGEST_SECONDS, Trouble


def test_a_trouble_is_said_once_for_each_reason_with_growing_pauses_and_so_is_its_end() -> None:
    said: list[str] = []
    trouble = Trouble("the broker", said.append)
    trouble.over()
    assert said == []
    pauses = [trouble.met("no answer") for _ in range(9)]
    assert all(later > earlier for earlier, later in pairwise(pauses[:7]))
    assert 0 < min(pauses) < 1
    assert LONGEST_SECONDS * 0.75 <= max(pauses) <= LONGEST_SECONDS
    trouble.met("refused")
    assert [line.partition(";")[0] for line in said] == ["no answer", "refused"]
    trouble.over()
    trouble.over()
    assert len(said) == 3
    assert said[2].startswith("the broker is back, after ")
    assert trouble.met("no answer") < 1
