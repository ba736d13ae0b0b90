"""Fault 9: clocks that are wrong: the producer's by an hour, the workers' stepped in the middle of budgets."""

import json
import subprocess
from pathlib import Path

from ajo_worker.local.processes import environment

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import PLANTED_DOMAIN
from tests.support.programs import PROGRAM

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
MISSING = None if LIBRARY else "libfaketime is not installed (apt-get install libfaketime)"
LINES = 1_000
HOUR = 3_600


def _faked(offset: str | Path) -> dict[str, str]:
    """The environment of a process whose wall clock is off: by a fixed offset, or by what a file says at the time."""
    source = (
        {"FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1"}
        if isinstance(offset, Path)
        else {"FAKETIME": offset}
    )
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **source}


@fault(
    "clock-of-producer", 9, "two producers' clocks are an hour early and an hour late", duplicates=False, unless=MISSING
)
def producer_off(run: Run) -> None:
    for offset in (f"+{HOUR}", f"-{HOUR}"):
        file, receipts = run.folder / f"orders{offset}.jsonl", run.folder / f"receipts{offset}"
        lines = (
            {"to": f"off{number}@{PLANTED_DOMAIN}", "context": {"orderId": str(number)}} for number in range(LINES)
        )
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        subprocess.run(
            [str(PROGRAM), "trigger", "order-shipped", "--from", str(file), "--receipts", str(receipts)],
            env={**environment(), **run.env, **_faked(offset)}, stdout=subprocess.DEVNULL, check=True, timeout=120,
        )  # fmt: skip
        ids = {json.loads(line)["request_id"] for line in receipts.read_text(encoding="utf-8").splitlines()}
        run.stream.offered |= ids
        run.stream.confirmed |= ids
    run.when_done(0.2)


@fault("clock-of-worker", 9, "workers' wall clocks are stepped by an hour, forth and back, again and again",
       duplicates=False, unless=MISSING, seconds=15)  # fmt: skip
def worker_stepped(run: Run) -> None:
    for worker in run.workers[:]:
        run.retire_worker(worker)
    clock = run.folder / "clock"
    clock.write_text("+0")
    for _ in range(2):
        run.start_worker(**_faked(clock))
    run.script('[[fault]]\nshare = 0.5\nattempts = 2\nkind = "status"\nstatus = 503')
    for step in (HOUR, -HOUR, 0) * 3:
        run.hold(1)
        clock.write_text(f"{step:+}")
    clock.write_text("+0")
