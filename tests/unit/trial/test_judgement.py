"""The judge of the blind trial is strict: a wrong name, delay or share is a mistake, and so is what nobody measured."""

from dataclasses import replace

import pytest

from tests.trial.judgement import Judgement, Truth, mistakes, percentile

RIGHT = Judgement(10, {"broker": (9.0, 10)}, charged={"broker": 90.0}, spent={"broker": 95.0, "worker": 5.0})


def test_the_late_system_with_its_delay_and_its_share_is_no_mistake() -> None:
    assert mistakes(RIGHT, Truth({"broker": 9.5})) == []
    assert mistakes(RIGHT, Truth(seconds={"broker": 1.0})) == []


def test_another_system_or_another_delay_is_a_mistake() -> None:
    wrong = mistakes(RIGHT, Truth({"worker": 9.0}))
    assert wrong[:2] == ["worker is not named", "broker is named"]
    assert mistakes(RIGHT, Truth({"broker": 12.0})) == ["broker is charged with 9.00 s, and it was 12.00 s"]


@pytest.mark.parametrize(
    ("spent", "real", "told"),
    [
        ({"adobe-api": 60, "worker": 40}, {"adobe-api": 60, "worker": 40}, []),
        ({"adobe-api": 60, "worker": 40}, {"adobe-api": 51, "worker": 49}, []),
        (
            {"adobe-api": 60, "worker": 40},
            {"adobe-api": 45, "worker": 55},
            [
                "60% of the seconds spent are of adobe-api, and it was 45%",
                "40% of the seconds spent are of worker, and it was 55%",
            ],
        ),
        ({"adobe-api": 95, "broker": 5}, {"adobe-api": 1}, []),
        ({"adobe-api": 91, "worker": 9}, {"adobe-api": 1}, []),
        ({"adobe-api": 90, "worker": 10}, {"adobe-api": 1}, ["10% of the seconds are ours, who did nothing wrong"]),
        ({}, {"adobe-api": 1}, ["0% of the seconds spent are of adobe-api, and it was 100%"]),
    ],
)
def test_each_share_is_near_the_truth_and_little_is_ours_who_did_nothing_wrong(
    spent: dict[str, float], real: dict[str, float], told: list[str]
) -> None:
    assert mistakes(Judgement(10, {}, spent=spent), Truth(seconds=real)) == told


def test_who_did_nothing_is_not_named_where_only_the_sums_are_known() -> None:
    judgement = Judgement(10, {"adobe-api": (9.0, 10), "clocks": (8.0, 3)}, spent={"adobe-api": 90.0})
    assert mistakes(judgement, Truth(seconds={"adobe-api": 1.0})) == ["clocks is named"]


def test_what_nobody_measured_is_a_mistake_whoever_was_late() -> None:
    assert mistakes(Judgement(10, {}, other=0.05), Truth()) == []
    assert mistakes(Judgement(10, {}, other=0.051), Truth()) == ["other takes 0.051 s"]


def test_what_a_worker_takes_that_has_no_processor_is_no_mistake() -> None:
    late = replace(RIGHT, spent={"broker": 85.0, "worker": 15.0}, other=0.2)
    told = ["15% of the seconds are ours, who did nothing wrong", "other takes 0.200 s"]
    assert mistakes(late, Truth({"broker": 9.0})) == told
    assert mistakes(late, Truth({"broker": 9.0}, crowded=True)) == []


def test_the_ledger_and_the_journal_agree_on_what_an_answer_took() -> None:
    real = {str(number): 0.05 for number in range(1000)}
    near = dict.fromkeys(real, 0.059)
    assert mistakes(Judgement(1000, {}, answers=near), Truth(answers=real)) == []
    off = near | {str(number): 0.08 for number in range(11)}
    assert mistakes(Judgement(1000, {}, answers=off), Truth(answers=real)) == [
        "answers differ by 30.0 ms from the endpoint's"
    ]
    del near["7"]
    assert mistakes(Judgement(1000, {}, answers=near), Truth(answers=real)) == ["1 answers are not in the ledger"]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([float(number) for number in range(1, 101)]) == 99.0
    assert percentile([3.0]) == 3.0
    assert percentile([]) == 0.0
