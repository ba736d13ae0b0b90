"""Many triggers from a file: the good lines go out, the others are named, and each line's fate can be kept."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO
from uuid import UUID

from ajo_producers.campaigns.definition import Definition
from ajo_producers.cli.pacing import paced
from ajo_producers.cli.trigger_lines import Line
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError
from ajo_producers.publishing.publisher import Publisher


@dataclass
class Outcome:
    """What became of the lines so far; without a publisher, ``confirmed`` are those that could be published.

    ``unconfirmed_lines`` are first and last numbers of lines that follow one another.
    """

    read: int = 0
    confirmed: int = 0
    refused: int = 0
    unconfirmed: int = 0
    unconfirmed_lines: list[tuple[int, int]] = field(default_factory=list)
    error: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every line went out."""
        return not self.refused and not self.unconfirmed and self.error is None

    def give_up(self, number: int) -> None:
        """Count a line as not confirmed; in the order of their numbers."""
        self.unconfirmed += 1
        first, last = self.unconfirmed_lines[-1] if self.unconfirmed_lines else (number, number - 2)
        if last == number - 1:
            self.unconfirmed_lines[-1] = (first, number)
        else:
            self.unconfirmed_lines.append((number, number))


@dataclass
class Run:
    """Publishing the lines of one file.

    ``on_refused`` gets a line's number and its problems; ``on_progress`` is called now and then; ``receipts`` gets a
    JSON object for each line; ``rate`` is how many triggers are published a second at most.
    """

    definition: Definition
    publisher: Publisher | None
    batch_size: int
    receipts: TextIO | None
    on_refused: Callable[[int, tuple[str, ...]], None]
    on_progress: Callable[[Outcome], None]
    rate: float | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _in_flight: dict[UUID, list[int]] = field(default_factory=dict)

    def publish(self, lines: Iterable[Line]) -> Outcome:
        """Check and publish all lines; after the broker failed, the rest is still checked."""
        triggers = self._check(lines)
        try:
            if self.publisher is None:
                for trigger in triggers:
                    self._confirm(trigger.request_id)
            else:
                for portion in [triggers] if self.rate is None else paced(triggers, self.rate):
                    self._publish(self.publisher, portion)
        except PublishError as error:
            self.outcome.error = str(error)
            self._give_up()
            for _ in triggers:
                self._give_up()
        finally:  # also when a person interrupts it: nothing is left without a receipt
            self._give_up()
        return self.outcome

    def _publish(self, publisher: Publisher, triggers: Iterable[CheckedTrigger]) -> None:
        for receipts in publisher.publish_stream(triggers, batch_size=self.batch_size):
            for receipt in receipts:
                self._confirm(receipt.request_id)
            if self.receipts is not None:
                self.receipts.flush()  # what is confirmed stays known, whatever becomes of this process
            self.on_progress(self.outcome)

    def _check(self, lines: Iterable[Line]) -> Iterator[CheckedTrigger]:
        for line in lines:
            self.outcome.read += 1
            if self.outcome.read % 1000 == 0:
                self.on_progress(self.outcome)
            if line.given is None:
                self._refuse(line.number, tuple(line.problems))
                continue
            try:
                trigger = check_trigger(self.definition, line.given, datetime.now(UTC), line.problems)
            except InvalidTrigger as error:
                self._refuse(line.number, error.problems)
                continue
            self._in_flight.setdefault(trigger.request_id, []).append(line.number)
            yield trigger

    def _refuse(self, number: int, problems: tuple[str, ...]) -> None:
        self.outcome.refused += 1
        self.on_refused(number, problems)
        self._write({"line": number, "confirmed": False, "problems": problems})

    def _confirm(self, request_id: UUID) -> None:
        for number in self._in_flight.pop(request_id, ()):  # two lines with the same key are one trigger
            self.outcome.confirmed += 1
            if self.publisher is not None:
                self._write({"line": number, "request_id": str(request_id), "confirmed": True})

    def _give_up(self) -> None:
        lines = sorted((number, request_id) for request_id, numbers in self._in_flight.items() for number in numbers)
        self._in_flight.clear()
        for number, request_id in lines:
            self.outcome.give_up(number)
            self._write({"line": number, "request_id": str(request_id), "confirmed": False})

    def _write(self, receipt: dict[str, object]) -> None:
        if self.receipts is not None:
            self.receipts.write(json.dumps(receipt) + "\n")
