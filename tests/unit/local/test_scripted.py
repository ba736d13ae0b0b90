"""What was scripted stands beside whom the ledger blames."""

from ajo_local.outcome import Called
from ajo_local.scripted import Blamed, blame_table, scripted_faults

CALLS = [
    Called("a", False, 429, "rate-limit"),
    Called("a", True, 202, None),
    Called("b", True, 202, None),
    Called("c", True, 202, "slow"),
    Called("d", False, 503, "status"),
    Called("d", True, 202, "slow"),
    Called("e", False, None, "reset-before"),
    Called("f", False, None, "something-new"),
]


def test_a_trigger_is_told_by_the_first_fault_that_it_met() -> None:
    assert scripted_faults(CALLS) == {
        "a": "429: told to wait",
        "c": "a slow answer",
        "d": "503: overloaded",
        "e": "reset before the call was taken",
        "f": "something-new",
    }


def test_each_fault_has_its_triggers_its_late_ones_and_who_is_charged_and_what_met_none_comes_last() -> None:
    blamed = [
        Blamed("a", ("adobe-api",), 2.0),
        Blamed("b", ("worker",), 1.5),
        Blamed("c", ("adobe-api", "worker"), 3.0),
        Blamed("d", (), 0.0),
        Blamed("g", ("adobe-api",), 1.0),
    ]
    table = blame_table(blamed, scripted_faults(CALLS) | {"g": "a slow answer"})
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert rows == [
        ("a slow answer", "2", "2", "4.0", "Adobe's API 2"),
        ("429: told to wait", "1", "1", "2.0", "Adobe's API 1"),
        ("503: overloaded", "1", "0", "", ""),
        ("nothing", "1", "1", "1.5", "our workers 1"),
    ]
