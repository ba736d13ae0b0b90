"""Fault 9: clocks that are wrong: the producer's by an hour, the workers' stepped in the middle of budgets."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

from ajo_worker.local.processes import environment

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import PLANTED_DOMAIN
from tests.support.programs import PROGRAM
from tests.support.waiting import wait_until

SOURCE = Path(__file__).parents[1] / "wall_clock.c"
COMPILER = shutil.which("cc")
MISSING = None if COMPILER else "there is no C compiler (cc) for tests/chaos/wall_clock.c"
LINES = 1_000
HOUR = 3_600


class WallClock:
    """A wall clock for processes of one run, which can be stepped while they work."""

    def __init__(self, folder: Path, name: str, offset: int = 0) -> None:
        self._file, library = folder / f"{name}.offset", folder / "wall_clock.so"
        self._file.write_bytes(struct.pack("q", offset))
        if not library.exists():  # once a run: processes may have it mapped
            command = [str(COMPILER), "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True, capture_output=True)
        self.env = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET_FILE": str(self._file)}

    def step(self, offset: int) -> None:
        """Be ``offset`` seconds early from now on."""
        with self._file.open("r+b") as file:  # in place: the processes have it mapped
            file.write(struct.pack("q", offset))


@fault(
    "clock-of-producer", 9, "two producers' clocks are an hour early and an hour late", duplicates=False, unless=MISSING
)
def producer_off(run: Run) -> None:
    for name, offset in (("early", HOUR), ("late", -HOUR)):
        file, receipts = run.folder / f"{name}.jsonl", run.folder / f"{name}.receipts"
        lines = ({"to": f"{name}{n}@{PLANTED_DOMAIN}", "context": {"orderId": str(n)}} for n in range(LINES))
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        subprocess.run(
            [str(PROGRAM), "trigger", "order-shipped", "--from", str(file), "--receipts", str(receipts)],
            env={**environment(), **run.env, **WallClock(run.folder, name, offset).env},
            stdout=subprocess.DEVNULL, check=True, timeout=120,
        )  # fmt: skip
        ids = {json.loads(line)["request_id"] for line in receipts.read_text(encoding="utf-8").splitlines()}
        run.stream.offered |= ids
        run.stream.confirmed |= ids
    shifted = run.query(
        "select count(*) as n from audit.delays where abs(extract(epoch from received_at - enqueued_at)) > 3000"
    )[0]["n"]
    if not shifted:
        raise AssertionError("the producers' clocks were not off")
    run.when_done(0.2)


@fault("clock-of-worker", 9, "workers' wall clocks are stepped by an hour, forth and back, again and again",
       duplicates=False, unless=MISSING, seconds=15)  # fmt: skip
def worker_stepped(run: Run) -> None:
    clock = WallClock(run.folder, "workers")
    for worker in run.workers[:]:
        run.start_worker(**clock.env)
        run.retire_worker(worker)
    run.script('[[fault]]\nshare = 0.5\nattempts = 2\nkind = "status"\nstatus = 503')
    for offset in (HOUR, -HOUR, 0) * 3:
        clock.step(offset)
        wait_until(lambda wanted=offset: _skew(run) == wanted, what=f"both workers' clocks are {offset} s off")


def _skew(run: Run) -> int | None:
    """By how much the living workers' clocks are off, if they agree."""
    rows = run.query("select clock_skew_seconds as skew from ledger.workers where stopped_at is null")
    [skew, *others] = {round(row["skew"]) for row in rows}
    return None if others else skew
