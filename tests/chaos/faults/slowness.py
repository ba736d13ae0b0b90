"""Fault 11: a slow Adobe. Answers that take 20 to 60 s are no outage and no duplicates; a kill meanwhile is marked."""

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import CAMPAIGNS, triggers
from tests.support.waiting import wait_until

GROUP = 11
COUNT = 1_500
UNSURE = ("accepted", "unconfirmed")
STEADY = "[latency]\nseconds = 25\n"
BURSTS = '[[fault]]\nkind = "slow"\nseconds = 20\nhigh = 60\nevery = 8\nlasting = 4\n'
ONE_LANE = '[[fault]]\nkind = "slow"\nlane = "high-throughput"\nseconds = 20\nhigh = 50\n'
AWAY, STORM, COSMOS, HANG, LONG_HANG = 40.0, 25.0, 15.0, 40.0, 80.0
ACCEPTED = "select count(*) as n from ledger.triggers where state = 'accepted' and lane = $1"
SHORT_LIVED = "[token]\nexpires_in = 6\n"


@fault("slow-steady", GROUP, "every answer takes 25 s", duplicates=False, outages=False, count=COUNT, scenario=STEADY)
def steady(run: Run) -> None:
    run.when_done(0.5)


@fault(
    "slow-bursts", GROUP, "answers take 20 to 60 s for 4 of every 8 s",
    duplicates=False, outages=False, states=UNSURE, count=COUNT, scenario=BURSTS,
)  # fmt: skip
def bursts(run: Run) -> None:
    run.when_done(0.5)


@fault(
    "slow-lane", GROUP, "answers in one lane take 20 to 50 s, and are fast in the other",
    duplicates=False, outages=False, count=COUNT, scenario=ONE_LANE,
)  # fmt: skip
def one_lane(run: Run) -> None:
    chunks = triggers(run.folder / "campaigns", run.seed, run.count)
    fast = sum(trigger.trigger.campaign == CAMPAIGNS[0] for chunk in chunks for trigger in chunk)
    wait_until(lambda: _accepted(run, "standard") == fast, what="the fast lane is through")
    if _accepted(run, "high-throughput") == run.count - fast:
        raise AssertionError("the slow lane was through as soon as the fast one")


def _accepted(run: Run, lane: str) -> int:
    return int(run.query(ACCEPTED, lane)[0]["n"])


@fault(
    "slow-sigkill", GROUP, "one of two workers is killed while every answer takes 25 s",
    states=UNSURE, outages=False, count=COUNT, scenario=STEADY,
)  # fmt: skip
def killed(run: Run) -> None:
    wait_until(lambda: run.done() > 0, what="the first answers are there")
    run.kill_worker(run.workers[0])
    run.start_worker()


@fault(
    "never-answered", GROUP, "10 % are accepted and never answered; their connections stay",
    duplicates=False, outages=False, states=UNSURE, count=COUNT,
)  # fmt: skip
def never_answered(run: Run) -> None:
    run.script('[[fault]]\nkind = "hang"\naccept = true\nshare = 0.1')
    run.when_done(0.8)


@fault(
    "vanished", GROUP, "10 % are accepted, and nothing comes of their connections any more, not even a packet",
    outages=False, states=UNSURE, count=COUNT,
)  # fmt: skip
def vanished(run: Run) -> None:
    run.script('[[fault]]\nkind = "vanish"\naccept = true\nshare = 0.1\nattempts = 1')
    run.when_done(0.8)


@fault(
    "hang-and-return", GROUP, f"the endpoint answers nothing for {HANG:g} s, and then all",
    duplicates=False, outages=False, count=COUNT, seconds=20,
)  # fmt: skip
def hang_and_return(run: Run) -> None:
    run.when_done(0.2)
    run.freeze_simulator(HANG)


@fault(
    "hang-beyond-budgets", GROUP, f"the endpoint answers nothing for {LONG_HANG:g} s, longer than a budget",
    duplicates=False, states=UNSURE, count=COUNT, seconds=20,
)  # fmt: skip
def long_hang(run: Run) -> None:
    run.when_done(0.2)
    run.freeze_simulator(LONG_HANG)


@fault(
    "token-away", GROUP, f"tokens live 6 s, and nobody answers for {AWAY:g} s where they come from",
    duplicates=False, count=COUNT, seconds=30, scenario=SHORT_LIVED,
)  # fmt: skip
def token_away(run: Run) -> None:
    run.when_done(0.2)
    way = run.chance.choice(('silence = "hang"', 'silence = "reset"', "fail_status = 500"))
    run.script(f"{SHORT_LIVED}{way}")
    run.hold(AWAY)
    run.script(SHORT_LIVED)


@fault(
    "storm-of-429", GROUP, f"95 % get 429 for {STORM:g} s, most without Retry-After",
    duplicates=False, outages=False, count=COUNT, seconds=20,
)  # fmt: skip
def storm(run: Run) -> None:
    run.when_done(0.2)
    forms = (("0.6", ""), ("0.2", "retry_after = 2"), ("0.15", 'retry_after = 3\nretry_after_form = "date"'))
    rules = (f'[[fault]]\nkind = "rate-limit"\nshare = {share}\nuntil = {STORM}\n{form}' for share, form in forms)
    run.script("\n".join(rules))
    run.hold(STORM)


@fault(
    "cosmos-sigkill", GROUP, f"the Cosmos outage, in all its wordings, for {COSMOS:g} s, and a kill in its middle",
    states=UNSURE, count=COUNT, seconds=15,
)  # fmt: skip
def cosmos(run: Run) -> None:
    run.when_done(0.1)
    run.script('[[fault]]\nkind = "cosmos"\ncode = "any"\nstatus = 403\n')
    run.hold(COSMOS / 2)
    run.kill_worker(run.workers[0])
    run.start_worker()
    run.hold(COSMOS / 2)
    run.script("")
