"""Places for several attempts together: who gets them, and that each comes back once."""

import asyncio

import pytest
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.limits.slots import Line, Slots, TurnedAway
from ajo_worker.triggers.urgency import Urgency
from hypothesis import given
from hypothesis import strategies as st

from tests.support.places import take_one


async def turn_of_the_loop() -> None:
    """Let whoever can run have run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_line_takes_what_there_is_and_waits_for_the_rest_before_whoever_comes_later() -> None:
    slots = Slots(3, Closing())
    line = slots.line(Urgency.FIRST, "a", wanted=5)
    first = await line.some()
    assert (len(first), line.wanted) == (3, 2)
    more = asyncio.create_task(line.some())
    later = asyncio.create_task(take_one(slots, Urgency.FIRST, "a"))
    await turn_of_the_loop()
    with first.handed_on():
        pass  # three places come back in one moment
    assert len(await more) == 2
    await later
    assert slots.taken == 3


async def test_an_urgent_one_overtakes_a_line_in_the_middle_of_it() -> None:
    slots = Slots(1, Closing())
    held = await slots.line(Urgency.FIRST, "a", wanted=1).some()
    line = slots.line(Urgency.FIRST, "a", wanted=2)
    some = asyncio.create_task(line.some())
    urgent = asyncio.create_task(take_one(slots, Urgency.URGENT, "b"))
    await turn_of_the_loop()
    with held:
        pass
    slots.release(await urgent)
    with await some:
        assert line.wanted == 1


async def test_lines_of_two_campaigns_get_places_in_turn() -> None:
    slots, order = Slots(1, Closing()), list[str]()
    held = await slots.line(Urgency.FIRST, "x", wanted=1).some()

    async def through(line: Line) -> None:
        while line.wanted:
            with await line.some() as places:
                order.extend([line.campaign] * len(places))

    tasks = [asyncio.create_task(through(slots.line(Urgency.FIRST, name, wanted=3))) for name in "ab"]
    await turn_of_the_loop()
    with held:
        pass
    await asyncio.gather(*tasks)
    assert order == ["a", "b"] * 3
    assert slots.taken == 0


@pytest.mark.parametrize("given_some", [True, False])
async def test_who_is_turned_away_in_a_line_keeps_what_it_was_given_and_no_more(given_some: bool) -> None:
    slots = Slots(1, Closing())
    held = await slots.line(Urgency.FIRST, "a", wanted=1).some()
    line = slots.line(Urgency.FIRST, "a", wanted=3)
    some = asyncio.create_task(line.some())
    await turn_of_the_loop()
    if given_some:
        with held:
            pass
    slots.turn_away(["a"])
    if given_some:
        with await some as places:
            assert len(places) == 1
    with pytest.raises(TurnedAway):
        await (line.some() if given_some else some)
    with held:
        pass
    assert slots.taken == 0
    await asyncio.wait_for(take_one(slots, Urgency.FIRST, "b"), 10)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.booleans(), st.integers(0, 2)), max_size=12),
    st.integers(1, 4),
    st.booleans(),
)
def test_whoever_is_cut_off_or_sent_home_every_place_comes_back_once(
    lines: list[tuple[str, int, bool, int]], places: int, closes: bool
) -> None:
    closing = Closing()

    async def through(slots: Slots, campaign: str, wanted: int, urgent: bool, turns: int) -> None:
        line = slots.line(Urgency.URGENT if urgent else Urgency.FIRST, campaign, wanted=wanted)
        try:
            while line.wanted:
                with await line.some() as some:
                    for place in tuple(some):
                        with some.handed_on(place):
                            await asyncio.sleep(0)
                    for _ in range(turns):
                        await asyncio.sleep(0)
        except HandedBack:
            pass
        finally:
            line.leave()

    async def all_of_them() -> None:
        slots = Slots(places, closing)
        tasks = [asyncio.create_task(through(slots, *one)) for one in lines]
        await turn_of_the_loop()
        for task, (*_, turns) in zip(tasks, lines, strict=True):
            if turns == 1:
                task.cancel()
        if closes:
            closing.begin()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert slots.taken == 0
        assert slots._free == places

    asyncio.run(all_of_them())
