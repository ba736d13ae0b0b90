"""Fault 12: workers whose campaign definitions are not those of the publisher."""

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import CAMPAIGNS
from tests.support.conservation import write_definition
from tests.support.waiting import wait_until

OTHER_ID = "00000000-dead-4c1a-8e6b-1a2b3c4d5e6f"
WAITING = "select count(*) as n from ledger.triggers where state = 'parked' and reason = 'definition-unknown'"


@fault(
    "definitions-differ",
    12,
    "workers with another definition, then with none, take the place of those with the right one for some seconds",
    duplicates=False,
    outages=False,
)
def differ(run: Run) -> None:
    run.when_done(0.1)
    other, none = run.folder / "other", run.folder / "none"
    none.mkdir()
    write_definition(other, CAMPAIGNS[0], campaign_id=OTHER_ID)
    right = run.workers[:]
    wrong = [run.start_worker(AJO_CAMPAIGNS=str(folder)) for folder in (other, none)]
    run.hold(1)  # all of them together
    for worker in right:
        run.retire_worker(worker)
    wait_until(lambda: run.query(WAITING)[0]["n"] >= run.count // 20, what="triggers that wait for their definition")
    run.start_worker()
    run.hold(1)
    run.kill_worker(wrong[0])
    run.suspects.clear()  # it sent nothing, so nothing of it may be marked
    run.when_done(1)
    if any(call["campaign_id"] == OTHER_ID for call in run.journal()):
        raise AssertionError("a trigger was sent by another definition than its own")
