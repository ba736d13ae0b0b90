"""Many triggers from a file: the good lines go out, the others are named, and each line's fate can be kept."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.cli.stopping import Stop
from ajo_producers.cli.trigger_keys import Clash
from ajo_producers.cli.trigger_lines import Line
from ajo_producers.cli.trigger_outcome import FileOutcome
from ajo_producers.cli.trigger_receipts import Receipts
from ajo_producers.cli.trigger_text import BadFile
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError
from ajo_producers.publishing.publisher import Publisher

T = TypeVar("T")

PORTION_SECONDS = 0.1
"""Between two portions of a steady rate, about."""


@dataclass
class Run:
    """Publishing the lines of one file.

    ``on_refused`` gets a line's number and its problems; ``on_progress`` is called now and then; ``rate`` is how many
    triggers are published a second at most; lines before ``start_line`` are left out; ``clash`` finds keys that stand
    for two messages.
    """

    definition: Definition
    publisher: Publisher | None
    batch_size: int
    receipts: Receipts | None
    on_refused: Callable[[int, tuple[str, ...]], None]
    on_progress: Callable[[FileOutcome], None]
    stop: Stop
    clash: Clash
    rate: float | None = None
    start_line: int = 1
    before_start: BeforeStart = "refuse"
    outcome: FileOutcome = field(default_factory=FileOutcome)
    _in_flight: dict[UUID, list[int]] = field(default_factory=dict)

    def publish(self, lines: Iterable[Line]) -> FileOutcome:
        """Check and publish all lines; after the broker failed, the rest is still checked.

        Raises:
            KeyboardInterrupt: it was cut off; the outcome says what is in doubt.
        """
        triggers = self._check(self.stop.items(self._readable(lines)))
        try:
            if self.publisher is None:
                for trigger in triggers:
                    self._confirm(trigger.request_id)
            else:
                for portion in [triggers] if self.rate is None else paced(triggers, self.rate, self.stop.wait):
                    self._publish(self.publisher, portion)
        except PublishError as error:
            self.outcome.error = str(error)
            self._give_up(frozenset(error.unconfirmed) - frozenset(error.unsent))
            for _ in triggers:
                self._give_up(frozenset())
        except KeyboardInterrupt:
            self.stop.cut = True
            raise
        finally:  # also when a person interrupts it: nothing is left without a receipt
            self._give_up(frozenset(self._in_flight))
            if self.stop.cut:
                self.outcome.stopped_after = self.outcome.last_line
        return self.outcome

    def _publish(self, publisher: Publisher, triggers: Iterable[CheckedTrigger]) -> None:
        for receipts in publisher.publish_stream(triggers, batch_size=self.batch_size):
            for receipt in receipts:
                self._confirm(receipt.request_id)
            if self.receipts is not None:
                self.receipts.flush()
                if self.receipts.fault is not None:
                    raise PublishError(self.receipts.fault, unconfirmed=tuple(self._in_flight))
            self.on_progress(self.outcome)

    def _readable(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines as far as they can be read: what came before is published all the same."""
        try:
            yield from lines
        except BadFile as fault:
            self.outcome.error = self.outcome.error or f"line {fault.line}: {fault}; nothing from there on was read"
            self.outcome.stopped_after = self.outcome.last_line

    def _check(self, lines: Iterable[Line]) -> Iterator[CheckedTrigger]:
        outcome, receipts = self.outcome, self.receipts
        for line in lines:
            outcome.last_line = line.number
            if line.number < self.start_line or (receipts is not None and receipts.confirmed_before(line.number)):
                outcome.left_out += 1
                continue
            outcome.read += 1
            if outcome.read % 1000 == 0:
                self.on_progress(outcome)
            if line.given is None:
                self._refuse(line.number, tuple(line.problems))
                continue
            if line.given.key is not None and line.given.occurred_at is None:
                outcome.keys_without_time += 1
            clash = self.clash(line)
            try:
                trigger = check_trigger(
                    self.definition,
                    line.given,
                    datetime.now(UTC),
                    [*line.problems, *([clash] if clash else [])],
                    before_start=self.before_start,
                    again=receipts.again(line.number, keyed=line.given.key is not None) if receipts else None,
                )
            except InvalidTrigger as error:
                self._refuse(line.number, error.problems)
                continue
            self._in_flight.setdefault(trigger.request_id, []).append(line.number)
            yield trigger

    def _refuse(self, number: int, problems: tuple[str, ...]) -> None:
        self.outcome.refused += 1
        self.on_refused(number, problems)
        if self.receipts is not None:
            self.receipts.refused(number, problems)

    def _confirm(self, request_id: UUID) -> None:
        for number in self._in_flight.pop(request_id, ()):  # two lines with the same key are one trigger
            self.outcome.confirmed += 1
            if self.publisher is not None and self.receipts is not None:
                self.receipts.answered(number, request_id, confirmed=True)

    def _give_up(self, doubtful: frozenset[UUID]) -> None:
        """No answer comes for what is in flight; the broker may have what is ``doubtful``, and certainly no other."""
        lines = sorted((number, request_id) for request_id, numbers in self._in_flight.items() for number in numbers)
        self._in_flight.clear()
        for number, request_id in lines:
            arrived = None if request_id in doubtful else False
            self.outcome.give_up(number, doubtful=arrived is None)
            if self.receipts is not None:
                self.receipts.answered(number, request_id, confirmed=arrived)


def paced(
    items: Iterable[T],
    rate: float,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[list[T]]:
    """Portions of ``items``, ``rate`` items a second at most; what was missed is not made up for."""
    portion, rest = max(round(rate * PORTION_SECONDS), 1), iter(items)
    due = monotonic()
    while taken := list(islice(rest, portion)):
        if (wait := due - monotonic()) > 0:
            sleep(wait)
        due = max(due, monotonic()) + len(taken) / rate
        yield taken
