"""When refusals are a campaign's fault. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from ajo_worker.api.blame import OF_ONE, Blame
from ajo_worker.outages.failures import Suspicion, Thresholds
from ajo_worker.reasons import CAMPAIGN_FAILING

MOST_DOUBLINGS = 2
TOKENS_REFUSED = 3
"""Triggers that were refused with a fresh token too, in a row: so few pause their campaign, since no trigger can be to
blame for that, and each further one would be a dead letter."""
PLACES_ON_TRIAL = 5
"""Calls of a campaign on trial that are in flight in a worker at most: more would be refused than tell anything."""


@dataclass(slots=True)
class Refusals:
    """What a campaign's answers have shown: refusals in a row, all alike, since one was accepted.

    What a recipient or the trigger itself is to blame for never counts. So many that the campaign is to blame for pause
    it, and ``TOKENS_REFUSED`` of those whose token was refused. Where an answer doesn't tell, so many of different
    recipients begin its **trial**: few of its calls are in flight at a time (``PLACES_ON_TRIAL``), until one is
    accepted, or as many others were refused too. Each time that it was ``acquitted`` the next trial needs twice as
    many, up to ``MOST_DOUBLINGS``: runs of bad recipients come again.
    """

    thresholds: Thresholds
    acquitted: int = 0
    _kind: str = ""
    _told: int = 0
    _recipients: set[Hashable] = field(default_factory=set)

    @property
    def on_trial(self) -> bool:
        """Whether others are to be tried, few at a time."""
        return len(self._recipients) >= self._enough

    @property
    def _enough(self) -> int:
        return self.thresholds.refusals << min(self.acquitted, MOST_DOUBLINGS)

    def accepted(self) -> None:
        """One was accepted: the campaign works."""
        self.acquitted += self.on_trial
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._told = 0
        self._recipients.clear()

    def refused(
        self,
        kind: str,
        blame: Blame | None = "campaign",
        recipient: Hashable = None,
        reason: str | None = None,
        *,
        token: bool = False,
    ) -> Suspicion | None:
        """One was refused for good, to this recipient; the suspicion, if that makes it the campaign's fault.

        ``token``: its fresh token was, which is the campaign's fault.

        It says for what ``reason`` those that were refused are dead letters: these are the campaign's fault too.
        """
        if blame in OF_ONE:
            return None
        if kind != self._kind:
            self._kind = kind
            self._begin_anew()
        most = self._enough
        if blame == "campaign":
            self._told += 1
        elif len(self._recipients) < 2 * most:
            self._recipients.add(recipient)
        others = len(self._recipients)
        told_enough = min(TOKENS_REFUSED, self.thresholds.refusals) if token else self.thresholds.refusals
        if self._told < told_enough and others < 2 * most:
            return None
        counted = {"recipients": others} if others else {}
        refusals = self._told + others
        rejected = {"rejected": reason} if reason else {}
        return Suspicion(CAMPAIGN_FAILING, {"refusals": refusals, **counted, **rejected, "kinds": {kind: refusals}})
