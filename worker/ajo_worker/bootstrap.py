"""The one place that wires the worker's parts together; tests swap parts here."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx2
import structlog
from ajo_producers.campaigns.folder import load_definitions
from ajo_producers.contract.lanes import queues_of
from ajo_producers.contract.sealing import Sealer

from ajo_worker.api.adapters import make_adapter
from ajo_worker.api.answer import HttpAdapter
from ajo_worker.api.tls import tls_context
from ajo_worker.api.token import TokenProvider
from ajo_worker.api.token_fetch import token_client, token_fetch
from ajo_worker.campaigns.statuses import CampaignStatuses, campaign_statuses
from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Policy
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.dispatch.claim import Claims
from ajo_worker.dispatch.copies import Copies
from ajo_worker.dispatch.decision import Retrying
from ajo_worker.dispatch.dispatcher import Dispatcher
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.pipeline import Pipeline
from ajo_worker.dispatch.rows import Rows
from ajo_worker.dispatch.send import Calls
from ajo_worker.dispatch.standing import Standing
from ajo_worker.dispatch.stray_answers import Strays
from ajo_worker.feedback.matching import Matching, Rules
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.rate_limits import LOCK_TIMEOUT, Leases
from ajo_worker.ledger.retention import Ages
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.ledger.worker_rows import Unsent
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Slots
from ajo_worker.network.probing import NetworkProbes, probed
from ajo_worker.outages import from_settings
from ajo_worker.outages.patrol import Patrol
from ajo_worker.outages.scope import destinations_of, scope_of_token
from ajo_worker.outages.silence_watch import SilenceWatch
from ajo_worker.outages.silences import Silences
from ajo_worker.outages.token_watch import TokenWatch
from ajo_worker.outages.view import View
from ajo_worker.outages.ways_in import LeftBehind, Tap, Unsealing, WaysIn
from ajo_worker.queues.lengths import QueueLengths
from ajo_worker.queues.looking import Looking
from ajo_worker.recipients import hashing_key
from ajo_worker.settings import PLAIN_PAYLOADS, SEAL_PAYLOADS, Settings, renewed, renewed_as
from ajo_worker.settings.proxies import proxies
from ajo_worker.triggers.campaign import campaigns_of, longest_budget

log = structlog.get_logger("ajo_worker")

OPEN_PER_SLOT = 4
"""Triggers under way for each slot: those that back off hold no slot, and must not keep others from theirs."""
LEDGER_GRACE = 15.0
"""Seconds that a stopping worker gives the ledger to write what has been sent."""
CLOSING_SECONDS = 10.0
"""Until everything else is closed after that."""
HURRIED_GRACE = 1.0
"""The same, of a worker that is told to end at once."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker's parts, as far as others need them."""

    worker_id: UUID
    dispatcher: Dispatcher
    slots: Slots
    ledger: Ledger
    http: HttpAdapter
    tokens: TokenProvider
    token_http: httpx2.AsyncClient
    statuses: CampaignStatuses
    patrol: Patrol
    leases: Leases
    matching: Matching
    network_probes: NetworkProbes
    looking: Looking
    grace: float

    async def stop(self) -> bool:
        """Finish what is in flight, give back the rest, give up ownership; whether all that was sent is recorded."""
        self.dispatcher.begin_closing()
        await asyncio.gather(self.patrol.stop(), self.matching.stop(), self.network_probes.stop(), self.looking.stop())
        finished = await self.dispatcher.finish(self.grace)
        written = await self.ledger.stop(HURRIED_GRACE if self.dispatcher.hurried else LEDGER_GRACE)
        await self.statuses.stop()
        await asyncio.gather(self.http.close(), self.tokens.close())
        await self.token_http.aclose()
        self.leases.close()
        log.info("worker-stopped", worker_id=str(self.worker_id), finished=finished, written=written)
        return finished and written


def stops_within(longest: float) -> float:
    """Seconds until a worker that is told to stop has ended, whatever is in flight: what its supervisor must grant.

    Calls are seen through for the ``longest`` budget; they are recorded, and all is closed.
    """
    return longest + 2 * LEDGER_GRACE + CLOSING_SECONDS


def in_hand(dispatcher: Dispatcher, slots: Slots) -> Unsent:
    """What a worker has in hand and doesn't send at this moment. It counts what there is, so no trigger pays for it."""
    waiting: dict[str, dict[str, int]] = {}
    for (lane, campaign), triggers in dispatcher.under_way.items():
        if (left := triggers - slots.bounds.taken_by[campaign]) > 0:
            waiting.setdefault(lane, {})[campaign] = left
    return Unsent(dispatcher.unopened, waiting)


def leases_of(settings: Settings, ledger: Ledger) -> Leases:
    """Permits of the rate limits, that all workers share."""
    shared = SharedConnection(lambda: ledger.connect_shared(synchronous_commit="off", lock_timeout=LOCK_TIMEOUT))
    patient = partial(ledger.connect_shared, synchronous_commit="off")
    return Leases(shared, settings.rate_limit_recovery, patient)


def looking_of(settings: Settings, ledger: SharedConnection) -> Looking:
    """Looks into all queues, also of lanes that this worker doesn't consume."""
    lengths = QueueLengths(settings.broker)
    return Looking(ledger, queues_of(settings.queue_prefix), lengths.of, lengths.close)


def pipeline_of(means: Means, policy: Policy, statuses: CampaignStatuses, http: HttpAdapter) -> Pipeline:
    """The way of triggers, made of its steps."""
    ledger, clock = means.ledger, means.clock
    rows, strays = Rows(clock, ledger.worker_id, policy), Strays(ledger.answered, http)
    claims = Claims(ledger, clock, means, means.closing, rows)
    copies = Copies(ledger, clock, means, means.closing, policy, rows)
    calls = Calls(ledger, clock, http, means, policy, rows, strays, Retrying(policy.backoff, policy.attempt_minimum))
    return Pipeline(ledger, clock, claims, copies, calls, means, policy, statuses)


async def start_worker(settings: Settings, worker_id: UUID, tap: Tap, left_behind: LeftBehind) -> Worker:
    """Build all parts on the running event loop, and say in the ledger that this worker lives.

    ``tap`` is told which lanes must not be consumed from, ``left_behind`` which workers are dead.

    Raises:
        DefinitionError, ForeignHost: a campaign definition is bad, or leads to a host that isn't allowed.
        SettingsError: a proxy can't be used.
        OSError: certificates can't be read, or a pooler before the database mixes up sessions.
    """
    if not settings.payload_keys.get_secret_value():
        log.warning("payloads-plain", reason=PLAIN_PAYLOADS, do=SEAL_PAYLOADS)
    campaigns = campaigns_of(load_definitions(settings.campaigns), settings)
    definitions = [campaign.definition for campaign in campaigns.values()]
    clock, closing = LedgerClock(), Closing()
    ledger = Ledger(
        renewed(settings, "database_url").now,
        worker_id,
        clock,
        definitions,
        heartbeat=settings.heartbeat_seconds,
        owner_timeout=settings.owner_timeout,
        ages=Ages(settings.dead_letter_days, settings.retention_days, settings.report_days),
        budget=settings.budget_seconds,
        lanes=settings.lanes,
        speed=from_settings.speed(settings),
    )
    tls = tls_context(settings)
    http, token_http = make_adapter(settings), token_client(settings, tls)
    tokens = TokenProvider(token_fetch(settings, token_http), margin=settings.token_refresh_margin)
    policy = Policy(
        backoff=Backoff(settings.backoff_base, settings.backoff_factor, settings.backoff_cap),
        attempt_minimum=settings.attempt_minimum,
        ambiguous_statuses=settings.ambiguous_statuses,
        hash_key=hashing_key(settings.hash_key.get_secret_value()),
        sealer=renewed_as(settings, "payload_keys", Sealer.from_keys).now,
        before_start=settings.before_start,
    )
    lanes, longest = from_settings.lane_rates(settings), longest_budget(settings, campaigns)
    shares = from_settings.place_shares(settings, definitions)
    silences = Silences(destinations_of(campaigns), from_settings.patience(settings), closing, clock.monotonic)
    view = View(
        campaigns,
        from_settings.thresholds(settings),
        from_settings.ramp(settings),
        lanes,
        clock.monotonic,
        lambda: silences.scopes,
        lambda: silences.wanting,
        scope_of_token(settings.token_url),
    )
    slots = Slots(settings.max_in_flight, closing, view.places_of, shares, clock.monotonic)
    leases = leases_of(settings, ledger)
    limits = Limits(lanes, leases.take, view.rates, clock, closing)
    standing = Standing(clock.monotonic, limits, slots)
    means = Means(ledger, clock, tokens, limits, slots, view, closing, settings.attempt_minimum, silences, standing)
    statuses = campaign_statuses(settings, definitions, tokens, token_http)
    pipeline = pipeline_of(means, policy, statuses, http)
    dispatcher = Dispatcher(pipeline, ledger, clock, campaigns, OPEN_PER_SLOT * settings.max_in_flight)
    ways_in = WaysIn(dispatcher, Unsealing(campaigns, clock, policy.sealer), tap, left_behind)
    silence_watch = SilenceWatch(silences, slots, clock.monotonic)
    patrol_ledger = SharedConnection(ledger.connect_shared)
    watch = TokenWatch(tokens, view, clock, ledger.worker_id, settings.outage_seconds)
    timing, liveness = from_settings.timing(settings, longest), ledger.liveness
    patrol = Patrol(
        view, patrol_ledger, ways_in, ledger.worker_id, timing, silence_watch, watch, lambda: liveness.judges
    )
    rules = Rules(timedelta(seconds=settings.feedback_window), timedelta(days=settings.feedback_match_days))
    matching = Matching(ledger.connect, rules)
    endpoints = {name: one.endpoint for name, one in campaigns.items()}
    ways = probed(endpoints, settings.base_url, settings.token_url, proxies(settings))
    network_probes = NetworkProbes(
        ledger.connect_shared, ledger.worker_id, clock, ways, tls, every=settings.network_probe_seconds
    )
    ledger.liveness.full_intakes.because = means.standing.because
    ledger.liveness.token_failing = lambda: tokens.failing
    ledger.liveness.in_hand = lambda: in_hand(dispatcher, slots)
    looking = looking_of(settings, patrol_ledger)
    ledger.liveness.start()
    await ledger.liveness.first_beat.wait()
    if ledger.liveness.refusal is not None:
        raise ledger.liveness.refusal
    await ledger.connections_suffice()
    for part in (ledger, patrol, statuses, matching, network_probes, looking):
        part.start()
    await patrol.first_round.wait()  # an outage that lasts must be known before the first message comes
    log.info(
        "worker-started",
        worker_id=str(ledger.worker_id),
        pid=os.getpid(),
        campaigns=sorted(campaigns),
        stops_within=stops_within(longest),
    )
    grace = longest + LEDGER_GRACE  # a call that was sent is seen through
    return Worker(
        ledger.worker_id,
        dispatcher,
        slots,
        ledger,
        http,
        tokens,
        token_http,
        statuses,
        patrol,
        leases,
        matching,
        network_probes,
        looking,
        grace,
    )
