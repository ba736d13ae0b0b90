"""Group publishing: what several callers publish while a confirm is under way travels together in the next messages."""

import threading
from collections import deque
from collections.abc import Iterable
from time import sleep
from typing import Generic, TypeAlias, TypeVar

from ajo_producers.publishing.carrier import NO_TURN, Carrier, Delivered
from ajo_producers.publishing.checked import NOT_CHECKED, CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.forks import reset_after_fork
from ajo_producers.publishing.link import Deadline, LinkFailure, Refused
from ajo_producers.publishing.outgoing import (
    WINDOW_BYTES,
    WINDOW_TRIGGERS,
    Receipt,
    batches,
)

ReceiptOrError: TypeAlias = Receipt | PublishError


class Waiting:
    """One call to publish: its trigger, until when it waits, and at the end its outcome.

    ``leads``: its caller carries what waits. ``alone``: it travels without company, since a group in which it was has
    failed. ``handed_over``: the broker may have it. ``queued``: it waits for the next round. ``gone``: its caller
    doesn't wait any more.
    """

    __slots__ = ("alone", "deadline", "gone", "handed_over", "leads", "outcome", "queued", "trigger")

    def __init__(self, trigger: CheckedTrigger, seconds: float) -> None:
        if not isinstance(trigger, CheckedTrigger):
            raise TypeError(NOT_CHECKED)
        self.trigger = trigger
        self.deadline = Deadline(seconds)
        self.leads = False
        self.alone = False
        self.handed_over = False
        self.queued = False
        self.gone = False
        self.outcome: ReceiptOrError | None = None


W = TypeVar("W", bound=Waiting)


class Group(Generic[W]):
    """The calls that wait. One of the callers leads: it carries what waits, its own and that of others, in rounds.

    An outcome is each trigger's own: where a group fails, those that were not confirmed go again, one by one, as long
    as they have time. ``carried`` are those of the latest round, with an outcome or without.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._mutex = threading.RLock()  # a signal's handler may publish, too
        self._queue: deque[W] = deque()
        self._led = False
        self.carried: list[W] = []
        self._company = 0
        reset_after_fork(self)

    def __len__(self) -> int:
        """How many wait for the next round."""
        with self._mutex:
            return sum(not waiting.gone for waiting in self._queue)

    def join(self, waiting: W) -> None:
        """Wait from now on; its caller leads if nobody does."""
        with self._mutex:
            waiting.queued = True
            self._queue.append(waiting)
            waiting.leads, self._led = not self._led, True

    def withdraw(self, waiting: W) -> bool:
        """Wait no longer; False if the trigger is on its way already."""
        with self._mutex:
            waiting.gone = True  # it stays in the queue until its turn comes: thousands may go at once
            return waiting.queued

    def carry(self) -> list[W]:
        """Carry one round of what waits; returns those that have an outcome now, whatever it is.

        An exception leaves them waiting.
        """
        with self._mutex:
            first = self._first()
        if first is None:
            return []
        taken: list[W] = []
        self.carried = taken

        def load() -> list[list[CheckedTrigger]]:
            if len(self._queue) < self._company:
                sleep(0)  # lets those run whose triggers went before: they may be about to publish again
            with self._mutex:
                _take(self._queue, taken)
            return list(batches(waiting.trigger for waiting in taken))

        try:
            settled = self._settled(taken, self._carrier.deliver(load, first.deadline))
        except BaseException:
            self._back(
                (waiting for waiting in taken if waiting.outcome is None and not waiting.queued), handed_over=True
            )
            raise
        self.carried = settled
        return settled

    def next(self) -> W | None:
        """Make the first of those that wait the leader; None if nobody waits, and nobody leads."""
        with self._mutex:
            first = self._first()
            self._led = first is not None
            if first is not None:
                first.leads = True
            return first

    def fail(self, waiting: W, failure: LinkFailure) -> PublishError:
        """Give it this failure as its outcome."""
        unconfirmed = [waiting.trigger.request_id]
        waiting.outcome = error = PublishError(
            self._carrier.explain(failure),
            unconfirmed=unconfirmed,
            unsent=() if waiting.handed_over else unconfirmed,
        )
        error.__cause__ = failure
        return error

    def fail_all(self, error: Exception) -> list[W]:
        """Give all that wait this failure, or a fault of ours, as their outcome."""
        failure = error
        if not isinstance(failure, LinkFailure):
            failure = LinkFailure(f"unexpected {type(error).__name__}")
            failure.__cause__ = error
        with self._mutex:
            failed = self._sweep(only_overdue=False)
        for waiting in failed:
            self.fail(waiting, failure)
        return failed

    def _settled(self, taken: list[W], delivered: Delivered) -> list[W]:
        """Those to which a round brings their outcome."""
        self._company = len(taken)
        receipts = {receipt.request_id: receipt for message in delivered.messages for receipt in message.receipts}
        for waiting in taken:
            waiting.outcome = receipts.get(waiting.trigger.request_id)
        settled = [waiting for waiting in taken if waiting.outcome is not None]
        if delivered.failure is not None:
            settled += self._failed(taken, delivered.failure, handed_over=delivered.handed_over)
        return settled

    def _failed(self, taken: list[W], failure: LinkFailure, *, handed_over: bool) -> list[W]:
        """Those whose outcome the failure is; the others wait again."""
        left = [waiting for waiting in taken if waiting.outcome is None]
        for waiting in left:
            waiting.handed_over |= handed_over
        if not taken:  # the broker couldn't be reached, or somebody else had the connection: it concerns all that wait
            with self._mutex:
                failed = self._sweep(only_overdue=str(failure) == NO_TURN)
        elif len(taken) == 1 or isinstance(failure, Refused):  # it is known whom it concerns
            failed = left
        else:
            failed = [waiting for waiting in left if waiting.deadline.passed]
            self._back((waiting for waiting in left if not waiting.deadline.passed), handed_over=handed_over)
        for waiting in failed:
            self.fail(waiting, failure)
        return failed

    def _back(self, taken: Iterable[W], *, handed_over: bool) -> None:
        returning = list(taken)
        for waiting in returning:
            waiting.alone = True
            waiting.handed_over |= handed_over
        with self._mutex:
            for waiting in reversed(returning):
                waiting.queued = not waiting.gone
                if waiting.queued:
                    self._queue.appendleft(waiting)

    def _first(self) -> W | None:
        """The first that still waits."""
        while self._queue and self._queue[0].gone:
            self._queue.popleft()
        return self._queue[0] if self._queue else None

    def _sweep(self, *, only_overdue: bool) -> list[W]:
        """Take out all that wait, or those whose time is over."""
        swept: list[W] = []
        kept: deque[W] = deque()
        for waiting in self._queue:
            if not waiting.gone:
                waiting.queued = only_overdue and not waiting.deadline.passed
                (kept if waiting.queued else swept).append(waiting)
        self._queue = kept
        return swept

    def _after_fork(self) -> None:
        """In the child: those that wait are threads of the parent."""
        self._mutex = threading.RLock()
        self._queue.clear()
        self._led = False


def _take(queue: deque[W], taken: list[W]) -> None:
    """Take the first of the queue that travel together: as many as fit a window, and no request id twice."""
    ids, size = set(), 0
    while queue and len(taken) < WINDOW_TRIGGERS:
        first = queue[0]
        if first.gone:
            queue.popleft()
            continue
        size += len(first.trigger.encoded)
        if taken and (first.alone or size > WINDOW_BYTES or first.trigger.request_id in ids):
            break
        taken.append(first)  # before it leaves the queue: Ctrl-C in between must not lose it
        queue.popleft()
        first.queued = False
        ids.add(first.trigger.request_id)
        if first.alone:
            break
