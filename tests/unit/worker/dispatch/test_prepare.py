"""What comes before an attempt: the token first, every wait kept whatever comes between, on virtual time."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint
from ajo_worker.api.token import Token, TokenProvider
from ajo_worker.api.token_answer import FetchFailed
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.attempt import Announced, Attempt, Flight, Ready, Round
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.claim import Claims, Late
from ajo_worker.dispatch.decision import History, Retry
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.party import Party
from ajo_worker.dispatch.prepare import Preparing
from ajo_worker.dispatch.standing import PERMIT, PLACE, Standing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import Refusal
from ajo_worker.triggers.urgency import Urgency
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.support.definitions import ORDER_SHIPPED
from tests.support.examples import examples
from tests.support.simulation.loops import Loop, World
from tests.support.simulation.network import START
from tests.support.simulation.process import Free

CAMPAIGN = KnownCampaign(
    ORDER_SHIPPED, PayloadCheck(ORDER_SHIPPED), Endpoint(ORDER_SHIPPED.endpoint, {}), budget=60.0, attempt_timeout=60.0
)


class Stage:
    """Means on virtual time. No token comes until ``token_from``; permits and places take as long as is said."""

    def __init__(
        self, token_from: float = 0.0, lifetime: float = 3600.0, permit: float = 0.0, place: float = 0.0
    ) -> None:
        self.world = World()
        self.loop = Loop(self.world)
        self.world.loops.append(self.loop)
        self.token_from, self.lifetime, self.permit, self.place = token_from, lifetime, permit, place
        self.taken: list[float] = []
        self.back: KeptBack | None = None
        self.reasons = {"place": "slot", "permit": "rate-limit"}
        self.given = self.more = self.queued = 0
        self.closing = Closing()
        clock = LedgerClock(lambda: self.world.now, lambda: START.timestamp() + self.world.now)
        self.tokens = TokenProvider(self._fetch, margin=300.0, monotonic=lambda: self.world.now)
        stage = self

        class Gate(Free):
            def kept_back(self, campaign: object) -> KeptBack | None:  # type: ignore[override] # noqa: ARG002 - one that can
                return stage.back

        ledger: Any = SimpleNamespace(intents=self, liveness=SimpleNamespace(may_send=lambda _: True))
        limits = SimpleNamespace(
            take=self.take,
            take_now=lambda _, many: min(many, self.more) if self.taken else 0,
            waiting=lambda _: self.queued,
            because=lambda _: self.reasons["permit"],
        )
        slots = SimpleNamespace(line=Line(self), release=self.release, because=lambda _: self.reasons["place"])
        parts: tuple[Any, ...] = (clock, self.tokens, limits, slots, Gate(), self.closing, 5.0, Free())
        self.means = Means(ledger, *parts, Standing(clock.monotonic, *parts[2:4]))
        nothing: Any = None
        self.claims = Claims(ledger, clock, self.means, self.closing, nothing)

    async def _fetch(self) -> Token:
        await self._sleep(0.05)
        if self.world.now < self.token_from:
            raise FetchFailed("away")
        return Token(f"token {self.world.now}", self.world.now, self.lifetime)

    async def _sleep(self, seconds: float) -> None:
        await self.closing.sleep(seconds)

    async def take(self, received: Received, urgency: Urgency) -> Waits:  # noqa: ARG002 - the protocol's
        """A permit."""
        assert self.tokens.current() is not None, "a permit was used up that has to wait for a token"
        self.taken.append(self.world.now)
        await self._sleep(self.permit)
        return Waits(rate_limit=self.permit)

    async def placed(self) -> Places:
        """A place."""
        await self._sleep(self.place)
        self.given += 1
        place = Place(self.given, ORDER_SHIPPED.name, "standard", urgent=False)
        place.waits, place.came = Waits(congestion=self.place), self.world.now
        return Places(self.release, [place])

    async def submit(self, intent: object) -> bool:  # noqa: ARG002 - the protocol's
        """An intent is announced."""
        return True

    def release(self, place: Place) -> None:  # noqa: ARG002 - the protocol's
        """A place comes back."""
        self.given -= 1

    def run(self, wanted: Callable[[], Awaitable[Any]], *, at_most: float = 600.0) -> Any:
        """What comes of it."""
        found: list[Any] = []

        async def one() -> None:
            try:
                found.append(await wanted())
            except Exception as fault:  # noqa: BLE001 - what is raised is a result as well
                found.append(fault)

        self.loop.create_task(one())
        self.world.run(until=lambda: bool(found), at_most=at_most)
        self.loop.bury()
        assert not self.world.failures
        return found[0]

    async def ready(self, received: Received, current: Round | None = None) -> Any:
        """An attempt that is ready, or why there is none."""
        flight = Flight(received, lambda *_: None, lambda *_: None)
        way = Preparing(self.means, Party(CAMPAIGN, (flight,), current), lambda _: None)
        await way.party.backed_off()
        found = await way.some()
        return found.attempts[0] if isinstance(found, Ready) else found.why

    def first(self, expires_in: float | None = None) -> Any:
        """The first attempt of a trigger."""
        return self.run(lambda: self.ready(received(expires_in)))


class Line:
    """A line that waits for a place of a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def __call__(self, *_: object, **__: object) -> "Line":
        """Whoever asks stands in it."""
        return self

    def at_once(self) -> None:
        """There is never a place without a wait."""

    async def some(self) -> Places:
        """One place."""
        return await self.stage.placed()

    def leave(self) -> None:
        """Nobody is behind."""


def received(expires_in: float | None = None) -> Received:
    expires_at = None if expires_in is None else START + timedelta(seconds=expires_in)
    trigger = Trigger(
        request_id=UUID(int=1),
        campaign=ORDER_SHIPPED.name,
        recipients=(Recipient(user_id="person@example.com"),),
        expires_at=expires_at,
    )
    return Received(trigger, b"", UUID(int=2), "shop", START, 0.0, START, CAMPAIGN, "standard")


@settings(max_examples=examples(100))
@given(
    token_from=st.sampled_from([0.0, 0.5, 12.0, 40.0, 95.0, 300.0]),
    lifetime=st.sampled_from([1.0, 5.0, 3600.0]),
    permit=st.sampled_from([0.0, 0.3, 4.0, 70.0]),
    place=st.sampled_from([0.0, 0.2, 3.0]),
)
def test_all_waits_before_an_attempt_are_kept_however_often_it_tries(
    token_from: float, lifetime: float, permit: float, place: float
) -> None:
    stage = Stage(token_from, lifetime, permit, place)
    ready = stage.first()
    assert isinstance(ready, Attempt)
    waited = ready.waits.token + ready.waits.rate_limit + ready.waits.congestion
    assert abs(waited - stage.world.now) < 1e-6, "nothing of it falls into other"
    assert ready.waits.token >= token_from
    assert stage.given == 1, "the place is held, once"


@pytest.mark.parametrize(("late", "backoff", "intake"), [(0.0, 2.0, 0.0), (1.5, 2.0, 1.5)])
def test_what_a_frozen_worker_adds_to_a_back_off_is_its_own(late: float, backoff: float, intake: float) -> None:
    stage = Stage(0.0, 3600.0, 0.0, 0.0)
    decided = stage.world.now - 2.0 - late
    round_ = Round(1, 1, History(attempts=1), Budget(decided - 1.0, 60.0), Retry(2.0), decided)
    ready = stage.run(lambda: stage.ready(received(), round_))
    assert isinstance(ready, Attempt)
    assert ready.backoff_wait == pytest.approx(backoff)
    assert ready.waits.intake == pytest.approx(intake, abs=0.01)


@pytest.mark.parametrize(
    ("standing", "place", "permit", "part"),
    [
        (None, "slot", "rate-limit", "slot"),
        ("headers", "slot", "throttle", "slot"),
        ("headers", "congestion", "rate-limit", "congestion"),
        (PLACE, "congestion", "throttle", "congestion"),
        (PERMIT, "congestion", "rate-limit", "rate_limit"),
        (PERMIT, "slot", "throttle", "throttle"),
        (PERMIT, "slot", "ramp", "ramp"),
        ("back-off", "slot", "rate-limit", "congestion"),
        ("silence", "slot", "rate-limit", "silence"),
        ("token", "slot", "rate-limit", "token"),
    ],
)
def test_a_message_that_lay_unopened_waited_for_what_those_under_way_waited_for_and_else_for_the_loop(
    standing: str | None, place: str, permit: str, part: str
) -> None:
    stage = Stage()
    stage.reasons = {"place": place, "permit": permit}
    came = structs.replace(received(), received=stage.world.now - 5.0, unopened=4.0, came_by="standard")
    with stage.means.standing.at("standard", standing) if standing else nullcontext():
        ready = stage.run(lambda: stage.ready(came))
    assert isinstance(ready, Attempt)
    assert getattr(ready.waits, part) == pytest.approx(4.0, abs=0.1)
    assert ready.waits.intake == pytest.approx(1.0)


def test_triggers_of_several_messages_wait_together_and_each_since_its_own_message_came() -> None:
    stage = Stage(token_from=3.0)
    came = [structs.replace(received(), received=-seconds) for seconds in (5.0, 2.0)]
    flights = tuple(Flight(one, lambda *_: None, lambda *_: None) for one in came)
    apart: list[Party] = []

    async def ready() -> Any:
        return await Preparing(stage.means, Party(CAMPAIGN, flights), apart.append).some()

    [attempt] = stage.run(ready).attempts
    [other] = apart
    assert other.waits is not None
    assert (attempt.waits.intake, other.waits.intake) == (5.0, 2.0)
    assert attempt.waits.token == other.waits.token >= 3.0


@pytest.mark.parametrize(
    ("queued", "more", "apart"),
    [(0, 9, 0), (0, 1, 1), (0, 0, 2), (1, 9, 2)],
    ids=["a whole block", "of two", "of one", "others wait, in whose turn they are not"],
)
def test_those_for_whom_only_the_next_block_is_missing_wait_for_it_together(queued: int, more: int, apart: int) -> None:
    stage = Stage(permit=0.005, place=0.5)
    stage.queued, stage.more = queued, more
    flights = tuple(Flight(received(), lambda *_: None, lambda *_: None) for _ in range(3))
    parted: list[Party] = []

    async def ready() -> Any:
        return await Preparing(stage.means, Party(CAMPAIGN, flights), parted.append).some()

    [attempt] = stage.run(ready).attempts
    assert len(stage.taken) == 1
    assert attempt.waits.rate_limit == pytest.approx(0.005)
    assert len(parted) == apart
    waited = 0.0 if queued else 0.005
    assert all(party.waits is not None and party.waits.rate_limit == pytest.approx(waited) for party in parted)


def test_a_token_that_ends_while_a_permit_is_waited_for_is_waited_for_again_and_all_of_it_counts() -> None:
    stage = Stage(lifetime=10.0, permit=8.0)

    async def with_an_old_token() -> Any:
        await stage.tokens.get(5)
        stage.token_from = stage.world.now + 30  # what there is lives on; the next one is far away
        await stage.closing.sleep(4)
        return await stage.ready(received())

    ready = stage.run(with_an_old_token)
    assert isinstance(ready, Attempt)
    assert len(stage.taken) == 2
    assert abs(ready.waits.rate_limit - 16.0) < 1e-6
    assert ready.waits.token > 15.0
    assert abs(ready.waits.token + ready.waits.rate_limit - (stage.world.now - 4.05)) < 1e-6


def test_where_tokens_live_shorter_than_permits_take_to_come_triggers_go_out_all_the_same() -> None:
    stage = Stage(lifetime=2.0, permit=9.0)
    assert isinstance(stage.first(), Attempt)
    assert len(stage.taken) == 1


def test_no_permit_is_used_up_for_an_attempt_that_has_no_token_yet() -> None:
    stage = Stage(token_from=200.0)
    stage.first()
    assert len(stage.taken) == 1


def test_a_trigger_expires_on_time_while_it_waits_for_a_token() -> None:
    stage = Stage(token_from=200.0)
    assert stage.first(expires_in=45.0) == Refusal("expired", "expires-at")
    assert abs(stage.world.now - 45.0) < 0.5
    assert stage.given == 0


def test_a_wait_for_a_token_ends_when_the_worker_stops() -> None:
    stage = Stage(token_from=10.0**6)
    stage.world.later(7.0, stage.closing.begin)
    assert isinstance(stage.first(), HandedBack)
    assert stage.world.now < 9.0


def test_a_wait_for_a_token_ends_when_something_keeps_the_trigger_back() -> None:
    stage = Stage(token_from=10.0**6)
    stage.world.later(7.0, lambda: setattr(stage, "back", KeptBack("outage")))
    assert stage.first() == Refusal("parked", "outage")
    assert stage.world.now < 9.0


REFUSED = Round(1, 1, History(attempts=1, unauthorized=1), None, Retry(0.0, fresh_token=True), 0.0, "old")


def retried(stage: Stage, expires: float | None = None) -> Any:
    """The next attempt of a trigger whose token was refused at once, with a budget of a minute."""
    current = structs.replace(REFUSED, budget=Budget(0.0, 60.0, expires))

    async def next_attempt() -> Any:
        ready = await stage.ready(received(), current)
        if not isinstance(ready, Attempt):
            return ready
        with Places(stage.release, [ready.place]) as places:
            found = await stage.claims.next(ready, current)
            if isinstance(found, Late):
                return found.refused
            places.handed_on()
            return found

    return stage.run(next_attempt)


def test_a_budget_that_passes_for_want_of_a_token_is_not_burnt_but_parked() -> None:
    stage = Stage(token_from=200.0)
    assert retried(stage) == Refusal("parked", "token-unavailable")
    assert abs(stage.world.now - 55.0) < 1.0, "what is left then is too short for an answer"
    assert stage.given == 0


def test_a_trigger_whose_own_end_comes_while_there_is_no_token_expires() -> None:
    assert retried(Stage(token_from=200.0), expires=30.0) == Refusal("expired", "expires-at")


@pytest.mark.parametrize(
    ("token_from", "permit", "found"),
    [
        (54.0, 3.0, Refusal("parked", "token-unavailable")),
        (0.0, 57.0, Refusal("expired", "budget-spent")),
        (40.0, 0.0, None),
    ],
)
def test_what_comes_too_late_is_parked_if_the_token_made_it_late_and_expired_if_we_did(
    token_from: float, permit: float, found: Refusal | None
) -> None:
    stage = Stage(token_from, permit=permit)
    came = retried(stage)
    assert came == found if found else isinstance(came, Announced)
    assert stage.given == (found is None)
    if isinstance(came, Refusal) and came.state == "expired":
        assert sum(came.in_vain.values()) == pytest.approx(permit, abs=0.1), "it has no attempt that says so"


def test_a_probe_waits_for_no_token_that_does_not_come() -> None:
    stage = Stage(token_from=10.0**6)
    stage.world.later(7.0, lambda: setattr(stage, "back", KeptBack("token-unavailable", of_probes=True)))
    probe = structs.replace(received(), probe=True)
    assert stage.run(lambda: stage.ready(probe)) == Refusal("parked", "token-unavailable")
    stage = Stage(token_from=3.0)
    stage.back = KeptBack("outage")
    assert isinstance(stage.run(lambda: stage.ready(probe)), Attempt), "an outage is what it is for"
