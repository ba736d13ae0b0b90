"""Whose turn it is."""

from itertools import islice

from ajo_worker.limits.turns import Turns
from ajo_worker.triggers.urgency import Urgency
from hypothesis import given
from hypothesis import strategies as st

WAITING = st.lists(st.tuples(st.sampled_from(Urgency), st.sampled_from("abc")), max_size=60)


def filled(waiting: list[tuple[Urgency, str]]) -> Turns[int]:
    turns: Turns[int] = Turns()
    for number, (urgency, campaign) in enumerate(waiting):
        turns.add(number, urgency, campaign)
    return turns


@given(WAITING)
def test_each_gets_its_turn_once_the_urgent_first_and_each_campaign_in_its_own_order(
    waiting: list[tuple[Urgency, str]],
) -> None:
    turns = filled(waiting)
    order = list(turns.take())
    assert sorted(order) == list(range(len(waiting)))
    assert len(turns) == 0
    urgencies = [waiting[number][0] for number in order]
    assert urgencies == sorted(urgencies)
    for key in set(waiting):
        of_key = [number for number in order if waiting[number] == key]
        assert of_key == sorted(of_key)


def test_a_backlog_of_one_campaign_lets_every_other_one_through_after_one_turn() -> None:
    turns = filled([(Urgency.FIRST, "bulk")] * 1000 + [(Urgency.FIRST, "small")])
    assert list(islice(turns.take(), 2)) == [0, 1000]


def test_taking_some_leaves_the_others_waiting() -> None:
    turns = filled([(Urgency.FIRST, "a")] * 3)
    assert next(turns.take()) == 0
    assert len(turns) == 2
    assert list(turns.take()) == [1, 2]


@given(WAITING, st.lists(st.integers(1, 4), min_size=60, max_size=60))
def test_one_with_several_turns_is_given_out_so_often_and_before_whoever_came_later_of_its_campaign(
    waiting: list[tuple[Urgency, str]], turns_of: list[int]
) -> None:
    turns: Turns[int] = Turns()
    for number, (urgency, campaign) in enumerate(waiting):
        turns.add(number, urgency, campaign, turns_of[number])
    assert len(turns) == sum(turns_of[: len(waiting)])
    order = list(turns.take())
    assert len(turns) == 0
    for key in set(waiting):
        of_key = [number for number in range(len(waiting)) if waiting[number] == key]
        expected = [number for number in of_key for _ in range(turns_of[number])]
        assert [number for number in order if waiting[number] == key] == expected
