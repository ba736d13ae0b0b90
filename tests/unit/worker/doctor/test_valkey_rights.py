"""Redis and Valkey: what the refusal of a command means."""

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.valkey_rights import RefusedCommand, judge_permissions

WORDS = "ERR ACL failure in script: User hunter2 has no permissions to run the 'rpush' command"


@pytest.mark.parametrize(
    ("found", "status", "text"),
    [
        ([], "ok", "give them back"),
        ([RefusedCommand("RPUSH", "ajo.standard", WORDS)], "failed", "refused: RPUSH ajo.standard"),
        ([RefusedCommand("TIME", "", "NOPERM"), RefusedCommand("EVAL", "", "NOPERM")], "failed", "refused: TIME, EVAL"),
        ([RefusedCommand("RPUSH", "q", WORDS)] * 2, "failed", "refused: RPUSH q"),
        ([RefusedCommand("LINDEX", "ajo.bulk", "WRONGTYPE Operation …")], "failed", "ajo.bulk: neither a queue nor"),
        ([RefusedCommand("HDEL", "ajo.unacked", "MISCONF Redis is …")], "skipped", "takes no writes (MISCONF)"),
    ],
)
def test_what_a_worker_may_not_do_is_named_and_the_user_is_not(
    found: list[RefusedCommand], status: Status, text: str
) -> None:
    check = judge_permissions(found)
    assert (check.status, text in check.found) == (status, True)
    assert "hunter2" not in repr(check)
