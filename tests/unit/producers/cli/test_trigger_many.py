"""Many triggers from a file: what becomes of the lines before one that can't be read."""

from collections.abc import Iterator

from ajo_producers.campaigns.definition import Variable
from ajo_producers.cli.stopping import Stop
from ajo_producers.cli.trigger_keys import following
from ajo_producers.cli.trigger_lines import Line
from ajo_producers.cli.trigger_many import Run
from ajo_producers.cli.trigger_outcome import early_end
from ajo_producers.cli.trigger_text import BadFile
from ajo_producers.publishing.given import GivenTrigger

from tests.support.definitions import definition


def lines() -> Iterator[Line]:
    for number in (2, 3):
        yield Line(number, GivenTrigger(to="ada@example.com", context={"orderId": "1"}), [])
    raise BadFile("it is not UTF-16 text from here on", 4)


def test_what_comes_before_a_line_that_cannot_be_read_goes_out_and_the_rest_is_told() -> None:
    refused: list[int] = []
    run = Run(
        definition(context={"orderId": Variable()}),
        publisher=None,
        batch_size=1,
        receipts=None,
        on_refused=lambda number, _: refused.append(number),
        on_progress=lambda _: None,
        stop=Stop(),
        clash=following(),
    )
    outcome = run.publish(lines())
    assert (outcome.confirmed, refused, outcome.ended_early) == (2, [], True)
    assert outcome.error == "line 4: it is not UTF-16 text from here on; nothing from there on was read"
    assert early_end(outcome, None) == [
        "nothing after line 3 was looked at",
        "to go on: the same command with --start-line 4",
    ]
