"""What this worker knows of the circuits, and what its own attempts have shown; on the event loop, without I/O."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from datetime import datetime
from math import ceil
from uuid import UUID

from ajo_producers.contract.storable import storable

from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.outages.answers import AnswerTimes
from ajo_worker.outages.circuits import NOTHING_SENT, Circuit
from ajo_worker.outages.failures import Failures, Suspicion, Thresholds, destination_failed, kind_of
from ajo_worker.outages.rates import Ramp, Rates
from ajo_worker.outages.refusals import PLACES_ON_TRIAL, Refusals
from ajo_worker.outages.scope import destinations_of, lane_of
from ajo_worker.reasons import NO_ANSWERS, NO_TOKEN
from ajo_worker.triggers.campaign import KnownCampaign, scope_of_campaign
from ajo_worker.triggers.received import Received


class View:
    """Answers the dispatcher's questions (``Gate``) from what was last read; ``rates`` the limits' (``Pace``).

    ``silent`` names the destinations that answer nothing, ``wanting`` those of them that want one to be tried with.
    """

    def __init__(
        self,
        campaigns: Mapping[str, KnownCampaign],
        thresholds: Thresholds,
        ramp: Ramp,
        lanes: Mapping[str, float],
        monotonic: Callable[[], float],
        silent: Callable[[], Collection[str]] = frozenset,
        wanting: Callable[[], frozenset[str]] = frozenset,
        token_scope: str = "",
    ) -> None:
        self._silent, self._wanting = silent, wanting
        self.token_scope = token_scope
        self.without_token = False
        """Whether this worker has no token and gets none: it sends nothing then, whatever others do."""
        self.destinations = destinations_of(campaigns)
        self.suspected: dict[str, Suspicion] = {}
        self.probed: dict[UUID, Verdict] = {}
        self.woken = asyncio.Event()
        self.circuits: dict[str, Circuit] = {}
        self._thresholds = thresholds
        self._refusals = {name: Refusals(thresholds) for name in campaigns}
        self._monotonic = monotonic
        self._campaigns = campaigns
        self.rates = Rates(campaigns, self.destinations, ramp, lanes, monotonic)
        self._failures = {scope: self._none_yet(scope) for scope in self.destinations.values()}
        self._answer_times = {scope: AnswerTimes() for scope in self.destinations.values()}
        self.answering: dict[str, int] = {}
        self._workers = 1
        self._kept: dict[str, KeptBack] = {}
        self._wanted: set[str] = set()

    def know(self, circuits: dict[str, Circuit], slowed: frozenset[str], workers: int = 1) -> None:
        """Take what was read from the ledger just now; ``workers`` counts those that live."""
        self._workers = workers
        for scope, circuit in self.circuits.items():
            if circuit.state in NOTHING_SENT and (new := circuits.get(scope)) and new.state not in NOTHING_SENT:
                self._forget(scope)
        self.circuits = circuits
        self.rates.know(circuits, slowed)
        self._wanted &= {scope for scope, circuit in circuits.items() if circuit.state == "open"}
        self._kept = {name: back for name in self._campaigns if (back := self._back(name, self._stopped)) is not None}

    def kept_back(self, campaign: KnownCampaign) -> KeptBack | None:
        """Why nothing of this campaign may be sent; None if it may. What is suspected counts as found."""
        name = campaign.definition.name
        suspected = self._back(name, self.suspected.__contains__) if self.suspected else None
        return self._all_back() or suspected or self._kept.get(name)

    def waits_in_broker(self, lane: str) -> bool:
        """Whether a lane's queues are not consumed from."""
        return lane in self.paused_lanes()

    def kept_back_since(self, campaign: KnownCampaign, moment: datetime) -> bool:
        """Whether an outage of its destination, its own or the token endpoint's was not over by then."""
        name = campaign.definition.name
        scopes = (self.destinations[name], scope_of_campaign(name), self.token_scope)
        circuits = (self.circuits.get(scope) for scope in scopes)
        return any(c and c.outage_id is not None and (c.ended_at is None or c.ended_at >= moment) for c in circuits)

    def wants_any(self, campaign: KnownCampaign) -> bool:
        """Whether a probe waits for a trigger of this destination."""
        return not self._all_back() and self.destinations[campaign.definition.name] in self._wanted

    def wants_one(self, campaign: KnownCampaign) -> bool:
        """Whether this trigger is to be parked for a probe; the next one is not, then."""
        scope = self.destinations[campaign.definition.name]
        wanted = scope in self._wanted
        self._wanted.discard(scope)
        if wanted:
            self.woken.set()
        return wanted

    def want_one(self, scope: str) -> None:
        """A probe has nothing to send: the next trigger that comes is to be parked."""
        self._wanted.add(scope)

    def answers_take(self, campaign: KnownCampaign) -> float:
        """Seconds within which nearly all answers of its destination have come of late; 0 if nothing is known."""
        return self._answer_times[self.destinations[campaign.definition.name]].usual(self._monotonic())

    def sends(self, received: Received, dispatched: float) -> None:
        """A call is about to be sent."""
        self._failures[self.destinations[received.trigger.campaign]].sends(dispatched)

    def saw(self, received: Received, verdict: Verdict, dispatched: float) -> None:
        """Learn from an attempt that was sent at ``dispatched`` (monotonic)."""
        name, request_id = received.trigger.campaign, received.trigger.request_id
        if received.probe:
            self.probed[request_id] = verdict
        scope, now = self.destinations[name], self._monotonic()
        if verdict.http_status is not None:
            self._answer_times[scope].answered(now, now - dispatched, accepted=verdict.outcome == "accepted")
        self._suspect(scope, self._failures[scope].learn(now, dispatched, request_id, verdict))
        if destination_failed(verdict) is False and not received.probe:  # a probe's prober ends the outage
            self._refute(scope)
        if verdict.outage:
            status = {"customerManagedKeyStatus": verdict.key_status} if verdict.key_status else {}
            self._suspect(scope, Suspicion(verdict.outage, {"kinds": {kind_of(verdict): 1}, **status}))
        self.rates.answered(name, throttled=verdict.http_status == 429)  # noqa: PLR2004 - HTTP's number for it
        if verdict.outcome == "accepted":
            self._refusals[name].accepted()
        elif (verdict.outcome == "refused" and not verdict.ambiguous) or (
            verdict.outcome == "unauthorized" and verdict.blame == "campaign"  # with a fresh token, too
        ):
            kind = storable(f"{kind_of(verdict)} {verdict.error_code or ''}".strip())
            by_token, whom = verdict.outcome == "unauthorized", _whom(received)
            told = self._refusals[name].refused(kind, verdict.blame, whom, verdict.reason, token=by_token)
            self._suspect(scope_of_campaign(name), told)

    def paused_lanes(self) -> frozenset[str]:
        """Lanes of which nothing may be sent, wherever it goes, and of which no probe wants one."""
        if self._all_back():
            return frozenset(campaign.definition.lane for campaign in self._campaigns.values())
        wanted = self._wanted | self._wanting()
        return frozenset(lane for lane, scopes in self._stopped_lanes().items() if not scopes & wanted)

    def free_campaigns(self) -> list[str]:
        """Campaigns that nothing keeps back."""
        if self._all_back():
            return []
        silent = self._silent()
        return [name for name, scope in self.destinations.items() if name not in self._kept and scope not in silent]

    def definitions_of(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """By which definitions this worker sends the triggers of these campaigns: name and call digest."""
        return [(name, digest) for name in names for digest in self._campaigns[name].sends]

    def campaigns_to_probe(self, scope: str) -> list[str]:
        """Campaigns that can tell whether a scope works; of a destination's best those that nothing else keeps back."""
        if self._all_back():
            return []
        if lane_of(scope) is None:
            named = (name for name in self._campaigns if scope_of_campaign(name) == scope)
            return [name for name in named if not self._stopped(self.destinations[name])]
        here = [name for name, destination in self.destinations.items() if destination == scope]
        own = {name: self.circuits.get(scope_of_campaign(name)) for name in here}
        free = [name for name, circuit in own.items() if circuit is None or circuit.state not in NOTHING_SENT]
        return free or [name for name, circuit in own.items() if circuit is not None and circuit.state != "held"]

    def _forget(self, scope: str) -> None:
        """What was seen before an outage ended says nothing of afterwards."""
        if scope in self._failures:
            self._failures[scope] = self._none_yet(scope)
        for name in self._refusals:
            if scope == scope_of_campaign(name):
                self._refusals[name] = Refusals(self._thresholds, self._refusals[name].acquitted + 1)

    def places_of(self, name: str) -> int | None:
        """How many attempts of a campaign may be in flight in this worker: its share of what the definition allows.

        While it is on trial they are few.
        """
        campaign = self._campaigns.get(name)
        most = campaign.definition.concurrency if campaign else None
        share = None if most is None else ceil(most / self._workers)
        if name in self._refusals and self._refusals[name].on_trial:
            return min(share or PLACES_ON_TRIAL, PLACES_ON_TRIAL)
        return share

    def _none_yet(self, scope: str) -> Failures:
        budgets = (
            self._campaigns[name].budget for name, destination in self.destinations.items() if destination == scope
        )
        return Failures(self._thresholds, began=self._monotonic(), patience=max(budgets))

    def _refute(self, scope: str) -> None:
        """A good answer: whoever says that this destination answers nothing is wrong."""
        if (suspicion := self.suspected.get(scope)) and suspicion.reason == NO_ANSWERS:
            del self.suspected[scope]
        circuit = self.circuits.get(scope)
        if circuit and circuit.state == "open" and circuit.reason == NO_ANSWERS and circuit.outage_id is not None:
            self.answering[scope] = circuit.outage_id
            self.woken.set()

    def _suspect(self, scope: str, suspicion: Suspicion | None) -> None:
        if suspicion is not None and not self._stopped(scope):
            self.suspected.setdefault(scope, suspicion)
            self.woken.set()

    def _stopped(self, scope: str) -> bool:
        circuit = self.circuits.get(scope)
        return circuit is not None and circuit.state in NOTHING_SENT

    def _all_back(self) -> KeptBack | None:
        """What keeps everything back: that there is no token, or an operator who holds the token endpoint."""
        if self.without_token:
            return KeptBack(NO_TOKEN, of_probes=True)
        circuit = self.circuits.get(self.token_scope)
        return KeptBack("outage", of_probes=True) if circuit is not None and circuit.state == "held" else None

    def _back(self, name: str, stops: Callable[[str], bool]) -> KeptBack | None:
        if stops(self.destinations[name]):
            return KeptBack("outage")
        return KeptBack("campaign-paused", of_campaign=True) if stops(scope_of_campaign(name)) else None

    def _stopped_lanes(self) -> dict[str, set[str]]:
        by_lane: dict[str, set[str]] = {}
        for name, scope in self.destinations.items():
            by_lane.setdefault(self._campaigns[name].definition.lane, set()).add(scope)
        silent = self._silent()
        return {
            lane: scopes
            for lane, scopes in by_lane.items()
            if all(scope in silent or self._stopped(scope) for scope in scopes)
        }


def _whom(received: Received) -> Hashable:
    """The recipients of a trigger, to tell them from others'."""
    return frozenset(recipient.user_id for recipient in received.trigger.recipients)
