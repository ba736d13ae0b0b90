"""The arguments and options that say which dead letters are meant."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import typer
from ajo_worker.cli.authority import read_text
from ajo_worker.cli.dead.choosing import StateOption, read_filter, read_request_id
from ajo_worker.deadletters.choosing import Filter

ONE = UUID("01a2137e-0000-7000-8000-000000000001")
NONE: dict[str, Any] = dict.fromkeys(("request_ids", "campaigns", "states", "reasons", "statuses", "since", "until"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Filter()),
        ({"request_ids": [str(ONE), ONE.hex.upper(), str(ONE)]}, Filter(request_ids=(ONE,))),
        ({"campaigns": ["a", "b"], "states": [StateOption.EXPIRED]}, Filter(campaigns=("a", "b"), states=("expired",))),
        ({"reasons": ["bad-request"], "statuses": [400]}, Filter(reasons=("bad-request",), statuses=(400,))),
        ({"since": "2h", "until": "1h"}, Filter(since=timedelta(hours=2), until=timedelta(hours=1))),
    ],
)
def test_what_is_given_is_what_is_meant(given: dict[str, Any], expected: Filter) -> None:
    assert read_filter(**NONE | given) == expected


@pytest.mark.parametrize(
    ("given", "option", "told"),
    [
        ({"request_ids": [str(ONE), "4711"]}, "REQUEST_ID", "4711 is no request id: that is a UUID"),
        ({"since": "soon"}, "--since", "must be a duration"),
        ({"until": "0s"}, "--until", "must be above 0"),
        ({"since": "1h", "until": "1h"}, "--until", "must be less than --since"),
        ({"campaigns": [""]}, "--campaign", "must be a text of 1 to 512 characters"),
        ({"campaigns": ["a@example.com"]}, "--campaign", "must be a campaign's name, and no address"),
        ({"reasons": ["\udcff"]}, "--reason", "must be a text of 1 to 512 characters"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(given: dict[str, Any], option: str, told: str) -> None:
    with pytest.raises(typer.BadParameter, match=told) as refused:
        read_filter(**NONE | given)
    assert refused.value.param_hint == option


def test_a_wrong_id_is_shown_short_and_cannot_steer_a_terminal() -> None:
    with pytest.raises(typer.BadParameter) as refused:
        read_request_id("\x1b[2J" + "9" * 100)
    assert str(refused.value) == f"\N{REPLACEMENT CHARACTER}[2J{'9' * 56}… is no request id: that is a UUID"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 513, "a\0b", "\udcff"])
def test_a_reason_that_says_nothing_or_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_text(text, "--why")
