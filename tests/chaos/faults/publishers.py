"""Fault 10: the publisher is killed in the middle of ``publish_many``; its file is then published again, whole."""

import json
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from ajo_local.processes import environment
from ajo_producers.publishing.request_id import keyed_request_id

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import PLANTED_DOMAIN
from tests.support.programs import PROGRAM
from tests.support.waiting import wait_until

LINES = 5_000
CAMPAIGN = "order-shipped"


@fault(
    "publisher-sigkill",
    10,
    "a publisher is killed in the middle of a file, which is published again",
    duplicates=False,
    count=500,
)
def publisher_killed(run: Run) -> None:
    file = run.folder / "orders.jsonl"
    ids = _write(file)
    run.stream.offered |= ids
    command = [str(PROGRAM), "trigger", CAMPAIGN, "--from", str(file), "--batch-size", "20", "--receipts"]
    env = {**environment(), **run.env}
    first = subprocess.Popen([*command, str(run.folder / "first")], env=env, stdout=subprocess.DEVNULL)
    receipts = run.folder / "first"
    wait_until(lambda: receipts.exists() and len(_confirmed(receipts)) > LINES // 10, what="a tenth is published")
    first.kill()
    if first.wait() != -signal.SIGKILL:
        raise AssertionError("the publisher was through before it could be killed")
    told = _confirmed(run.folder / "first")
    run.stream.confirmed |= told
    again = subprocess.run(
        [*command, str(run.folder / "second")], env=env, stdout=subprocess.DEVNULL, check=True, timeout=120
    )
    if again.returncode == 0:
        run.stream.confirmed |= _confirmed(run.folder / "second")
    if ids - run.stream.confirmed:
        raise AssertionError("the second publisher said that all is well, and has not confirmed all")


def _write(file: Path) -> set[str]:
    moment = datetime.now(UTC)
    ids = set()
    with file.open("w", encoding="utf-8") as lines:
        for number in range(LINES):
            key = f"K-{number}"
            ids.add(str(keyed_request_id(CAMPAIGN, key, moment)))
            line = {
                "to": f"keyed{number}@{PLANTED_DOMAIN}",
                "key": key,
                "occurred_at": moment.isoformat(),
                "context": {"orderId": key},
            }
            lines.write(json.dumps(line) + "\n")
    return ids


def _confirmed(receipts: Path) -> set[str]:
    """The ids that a publisher told of; a line that was cut off says nothing."""
    lines = receipts.read_text(encoding="utf-8").splitlines() if receipts.exists() else []
    return {row["request_id"] for line in lines if line.endswith("}") and (row := json.loads(line)).get("confirmed")}
