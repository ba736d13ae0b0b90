"""Threads that publish single triggers: one of them leads and carries what the others publish meanwhile."""

import threading
from contextlib import suppress

from ajo_producers.publishing.carrier import NO_TURN, Carrier
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.group import Group, Waiting
from ajo_producers.publishing.link import LinkFailure
from ajo_producers.publishing.outgoing import Receipt

GRACE_SECONDS = 1.0
"""For the leader, whose own time was up before, to tell the others what became of theirs."""


class Caller(Waiting):
    """A thread that waits for its outcome, or to lead: it is woken by a lock, the cheapest there is."""

    __slots__ = ("wake",)

    def __init__(self, trigger: CheckedTrigger, seconds: float) -> None:
        super().__init__(trigger, seconds)
        self.wake = threading.Lock()
        self.wake.acquire()


class Callers:
    """Who leads hands that on as soon as it has its own outcome; the others have been woken by then, and may be back.

    So no thread of its own is needed, and a single caller pays nothing for company that it doesn't have.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._timeout = carrier.timeout
        self._group: Group[Caller] = Group(carrier)

    def publish(self, trigger: CheckedTrigger) -> Receipt:
        """See ``Publisher.publish``."""
        caller = Caller(trigger, self._timeout)
        try:
            self._group.join(caller)
            while caller.outcome is None:
                if caller.leads:
                    self._group.carry()
                    self._tell(caller)
                elif not caller.wake.acquire(timeout=caller.deadline.left()):
                    self._give_up(caller)
        finally:
            try:
                self._leave(caller)
            except BaseException:  # Ctrl-C comes once
                self._leave(caller)
                raise
        if isinstance(caller.outcome, PublishError):
            raise caller.outcome
        return caller.outcome

    def _tell(self, leader: Caller) -> None:
        """Wake those whose triggers have an outcome by the leader's last round; whoever is awake stays so."""
        for other in self._group.carried:
            if other is not leader and other.outcome is not None:
                with suppress(RuntimeError):
                    other.wake.release()

    def _leave(self, caller: Caller) -> None:
        """See to it that nobody waits for this one; it may be done twice."""
        if caller.outcome is None:
            self._group.withdraw(caller)
        if caller.leads:
            self._tell(caller)
            if first := self._group.next():
                with suppress(RuntimeError):
                    first.wake.release()
            caller.leads = False

    def _give_up(self, caller: Caller) -> None:
        """The time is over; what is on its way has an outcome once its leader's time, which began before, is over."""
        withdrawn = self._group.withdraw(caller)
        if not withdrawn and (caller.outcome is not None or caller.wake.acquire(timeout=GRACE_SECONDS)):
            return
        caller.handed_over |= not withdrawn
        self._group.fail(caller, LinkFailure(NO_TURN if withdrawn else "no confirm"))
