"""A steady rate: never faster, whatever was missed."""

from ajo_producers.cli.trigger_many import paced
from hypothesis import given, settings
from hypothesis import strategies as st


class Clock:
    """Time that passes by sleeping, and while items are taken."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@settings(max_examples=50)
@given(
    count=st.integers(0, 100),
    rate=st.floats(0.01, 5000.0),
    stalls=st.dictionaries(st.integers(0, 300), st.floats(0.0, 5.0), max_size=5),
)
def test_no_while_ever_has_more_than_its_rate_and_one_portion(
    count: int, rate: float, stalls: dict[int, float]
) -> None:
    clock, sent = Clock(), list[tuple[float, int]]()

    given_out: list[int] = []
    for number, portion in enumerate(paced(range(count), rate, clock.sleep, clock.monotonic)):
        sent.append((clock.now, len(portion)))
        given_out += portion
        clock.now += stalls.get(number, 0.0)  # a broker that takes its time
    assert given_out == list(range(count)), "all of them, in their order"
    portion_size = max(round(rate * 0.1), 1)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            seconds = sent[last][0] - sent[first][0]
            assert sum(n for _, n in sent[first : last + 1]) <= seconds * rate + portion_size + 1e-6 * count


def test_nobody_waits_before_the_first() -> None:
    clock = Clock()
    assert next(paced([1, 2, 3], 0.5, clock.sleep, clock.monotonic)) == [1]
    assert clock.now == 0.0
