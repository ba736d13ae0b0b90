"""Budget, ownership and states hold whatever fails when: real workers, on virtual time, with faults at any moment.

Two or three worker processes run the real dispatcher on event loops of their own, against models of ledger, broker and
endpoint (tests/support/simulation). Hypothesis chooses what is published, what the endpoint answers, and which fault
strikes at which moment; the witness checks the rules. ``AJO_FUZZ_EXAMPLES=20000`` tries longer.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.examples import examples
from tests.support.simulation.cluster import ATTEMPT_TIMEOUT, BUDGET, Cluster
from tests.support.simulation.endpoint import Reply
from tests.support.simulation.network import Fate
from tests.support.simulation.process import OWNER_TIMEOUT, Process

WRITERS = ("admissions", "intents", "records", "looks", "takeovers", "releases", "beats")
MOMENTS = (
    "delivered",
    "called",
    "accepted",
    "replied",
    *(f"{step} {writer}" for writer in WRITERS[:-1] for step in ("asked", "written", "answered")),
)
MOST_WORKERS = 6
REPEATED_AFTER = 2.0
"""Seconds after a frozen machine goes on until what was sent to it meanwhile is sent again (TCP backs off)."""

replies = st.one_of(
    st.sampled_from([0.05, 1.0, 4.0, 9.0]).map(lambda seconds: Reply(202, accepts=True, seconds=seconds)),
    st.sampled_from([400, 401, 409, 500, 503]).map(Reply),
    st.sampled_from([1, 4, 9, 30]).map(lambda seconds: Reply(429, retry_after=seconds)),
    st.just(Reply(failure="refused")),
    st.builds(Reply, status=st.just(504), accepts=st.booleans(), seconds=st.sampled_from([0.05, 3.0])),
    st.builds(Reply, accepts=st.booleans(), failure=st.sampled_from(["reset", "timeout"])),
)
fates = st.sampled_from(
    [
        Fate(arrives=False),  # lost
        Fate(answered=False),  # done, and its answer lost
        Fate(there=2.0, answered=False),  # given up and repeated, and done all the same, later
        Fate(there=OWNER_TIMEOUT + 3),
        Fate(back=OWNER_TIMEOUT + 3),
    ]
)
batches = st.lists(st.integers(1, 5), min_size=1, max_size=3)
moments = st.sampled_from(MOMENTS)
durations = st.sampled_from([0.5, 3.0, OWNER_TIMEOUT + 1, 12.0, BUDGET + 5])
workers = st.integers(0, MOST_WORKERS - 1)


class Machine(RuleBasedStateMachine):
    """Everything that can happen to a few workers and a few triggers."""

    cluster: Cluster

    @initialize(
        count=st.integers(2, 3),
        slots=st.integers(1, 3),
        usual=replies,
        numbers=batches,
        attempt_timeout=st.sampled_from([None, ATTEMPT_TIMEOUT]),
        holds=st.booleans(),
    )
    def begin(
        self, count: int, slots: int, usual: Reply, numbers: list[int], attempt_timeout: float | None, holds: bool
    ) -> None:
        self.cluster = Cluster(count, slots=slots, attempt_timeout=attempt_timeout, holds_ambiguous=holds)
        self.cluster.endpoint.usual = usual
        self.cluster.advance(0.1)
        self.cluster.publish(numbers)

    @rule(numbers=batches, expires=st.none() | st.sampled_from([2.0, 9.0]))
    def publish(self, numbers: list[int], expires: float | None) -> None:
        self.cluster.publish(numbers, expires)

    @rule(answers=st.lists(replies, min_size=1, max_size=4))
    def plan_answers(self, answers: list[Reply]) -> None:
        self.cluster.endpoint.planned.extend(answers)

    @rule(usual=replies)
    def change_the_usual_answer(self, usual: Reply) -> None:
        self.cluster.endpoint.usual = usual

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.6, 2.0, 7.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    @rule(moment=moments)
    def go_on_until(self, moment: str) -> None:
        self.cluster.until(moment)

    @rule(moment=moments)
    def kill_at(self, moment: str) -> None:
        self.strike(moment, Process.kill)

    @rule(moment=moments, seconds=durations, copies=st.booleans(), late=st.booleans())
    def freeze_at(self, moment: str, seconds: float, copies: bool, late: bool) -> None:
        def freeze(process: Process) -> None:
            process.freeze(seconds)
            if late:  # the whole machine is frozen: what was on its way comes again once the sender repeats it
                self.cluster.network.hold_back(process.loop, seconds + REPEATED_AFTER)
            if copies:  # the broker has lost patience as well
                self.hand_to_others(process)

        self.strike(moment, freeze)

    @rule(moment=moments)
    def terminate_at(self, moment: str) -> None:
        self.strike(moment, Process.terminate)

    @rule(moment=moments, seconds=durations, copies=st.booleans())
    def cut_off_from_the_ledger_at(self, moment: str, seconds: float, copies: bool) -> None:
        def cut(process: Process) -> None:
            self.cluster.network.cut(process.loop, seconds)
            if copies:
                self.hand_to_others(process)

        self.strike(moment, cut)

    @rule(moment=moments, seconds=durations, restarts=st.booleans())
    def take_the_ledger_away_at(self, moment: str, seconds: float, restarts: bool) -> None:
        network = self.cluster.network
        self.strike(moment, lambda _: network.restart(seconds) if restarts else network.cut(None, seconds))

    @rule(moment=moments, seconds=st.sampled_from([-86_400.0, -60.0, -10.0, -3.0, 4.0, 60.0, 86_400.0]))
    def set_the_ledgers_clock_at(self, moment: str, seconds: float) -> None:
        self.cluster.until(moment, at_most=5.0)
        self.cluster.network.set_clock(seconds)

    @rule(seconds=durations)
    def refuse_tokens(self, seconds: float) -> None:
        self.cluster.endpoint.no_token_until = self.cluster.world.now + seconds

    @rule(moment=moments)
    def hand_out_copies_at(self, moment: str) -> None:
        self.strike(moment, self.hand_to_others)

    @rule(which=workers, writer=st.sampled_from(WRITERS), fate=fates)
    def seal_the_fate_of_a_statement(self, which: int, writer: str, fate: Fate) -> None:
        living = [process for process in self.cluster.processes if process.takes()]
        if living:
            self.cluster.network.seal(living[which % len(living)].loop, writer, fate)

    @precondition(lambda self: len(self.cluster.processes) < MOST_WORKERS)
    @rule()
    def start_a_worker(self) -> None:
        self.cluster.start()

    @invariant()
    def nothing_was_wrong(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.verify()

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        try:
            if not self.cluster.world.failures:
                self.cluster.settle()
                self.cluster.verify_end()
        finally:
            self.cluster.close()

    def strike(self, moment: str, fault: Callable[[Process], object]) -> None:
        """Do something to the worker to which the next moment of a kind comes, before it can do anything else."""
        process = self.cluster.until(moment, at_most=5.0)
        if process is not None and process.loop.alive and not process.loop.frozen:
            fault(process)

    def hand_to_others(self, process: Process) -> None:
        """Hand what a worker has in hand to another one, although it lives."""
        others = [other for other in self.cluster.processes if other.takes() and other is not process]
        for message in [one for one in self.cluster.broker.messages if one.holder is process]:
            self.cluster.broker.queue(message, to=others[0] if others else None)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=examples(250),
    stateful_step_count=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
