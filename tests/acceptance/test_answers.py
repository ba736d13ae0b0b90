"""What each answer of Adobe's leads to, whoever it is for: with a worker, a broker and the simulator."""

from collections import Counter
from collections.abc import Callable

from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

REVOKED = "Access to your account is currently revoked because the correspondent key is not found"
KINDS: dict[str, tuple[str, str | None]] = {
    "unknown": ("rejected", "recipient-refused"),
    "strange": ("rejected", "bad-request"),
    "quoting": ("rejected", "bad-request"),
    "two-hundred": ("accepted", None),
    "nameless": ("unconfirmed", "unexpected-status"),
    "gateway": ("accepted", None),
    "mixed-up": ("unconfirmed", "stray-answer"),
    "twice": ("unconfirmed", "conflict"),
    "fine": ("accepted", None),
}
"""What is right for each kind of user, by the beginning of the user's id."""

SCENARIO = """
latency = { distribution = "uniform", low = 0.005, high = 0.02 }
repeated = { status = 400, title = "Duplicate requestId" }
fault = [
    { kind = "status", user_id = "unknown", status = 404, title = "Cannot find the Profile" },
    { kind = "status", user_id = "strange", status = 400, title = "Bad Request" },
    { kind = "status", user_id = "quoting", status = 400, title = "Bad Request", echo = true },
    { kind = "odd-answer", user_id = "two-hundred", status = 200 },
    { kind = "odd-answer", user_id = "nameless", status = 200, execution_id = "none" },
    { kind = "odd-answer", user_id = "gateway", request_id = "unknown" },
    { kind = "odd-answer", user_id = "mixed-up", request_id = "another" },
    { kind = "status", user_id = "twice", status = 503, accept = true, attempts = 1 },
]
"""


def lines(kind: str, count: int) -> list[dict[str, object]]:
    """Triggers for so many users of a kind."""
    order = f"«{REVOKED}», it says" if kind == "quoting" else "A-1"
    return [{"to": f"{kind}{number}@example.com", "context": {"orderId": order}} for number in range(count)]


def test_each_answer_has_its_state_and_no_recipient_s_fault_keeps_others_waiting(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, SCENARIO, AJO_MAX_IN_FLIGHT="10", AJO_ON_AMBIGUOUS="hold")
    delivery.start_worker()
    counts = {**dict.fromkeys(KINDS, 5), "unknown": 25, "strange": 25, "fine": 100}
    kinds = [kind for kind in KINDS for _ in range(counts[kind])]
    ids = delivery.publish_lines([line for kind in KINDS for line in lines(kind, counts[kind])])
    wait_until(lambda: done(database_url) == len(ids), what="all have their state")

    rows = {str(row["request_id"]): row for row in query(database_url, "select * from audit.triggers")}
    found = Counter((kind, rows[one]["state"], rows[one]["reason"]) for kind, one in zip(kinds, ids, strict=True))
    assert found == {(kind, *KINDS[kind]): counts[kind] for kind in KINDS}
    assert not query(database_url, "select * from ledger.outages"), "nothing of this is an outage"
    assert not query(database_url, "select 1 from ledger.triggers where round > 1"), "nothing was parked"

    attempts = {str(row["request_id"]): row for row in query(database_url, "select * from audit.attempts")}
    by_kind: dict[str, list[dict[str, object]]] = {kind: [] for kind in KINDS}
    for kind, one in zip(kinds, ids, strict=True):
        by_kind[kind].append(attempts[one])
    assert all(row["execution_id"] for row in by_kind["two-hundred"]), "the id of a 200 is kept"
    assert all(row["answered_request_id"] not in rows for row in by_kind["gateway"])
    assert all(row["answered_request_id"] for row in by_kind["gateway"]), "an unknown id is shown"
    for row in by_kind["mixed-up"]:
        assert (row["outcome"], row["ambiguous"], row["execution_id"]) == ("retryable", True, None)
        assert row["answered_request_id"] in rows
    alerts = query(database_url, "select alert, value from audit.alerts where alert = 'stray-answers'")
    assert alerts == [{"alert": "stray-answers", "value": 5.0}]


def test_a_campaign_that_is_paused_for_a_long_run_of_bad_recipients_goes_on_by_itself(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    settings = {"AJO_MAX_IN_FLIGHT": "3", "AJO_CAMPAIGN_REFUSALS": "5", "AJO_PROBE_INTERVAL": "0.5"}
    delivery = prepare_delivery(valkey_url, SCENARIO, AJO_RECOVERY_RATE="100", **settings)
    delivery.start_worker()
    ids = delivery.publish_lines([*lines("strange", 40), *lines("fine", 40)])
    wait_until(lambda: done(database_url) == len(ids), what="all have their state")
    states = {str(row["request_id"]): row["state"] for row in query(database_url, "select * from audit.triggers")}
    assert [states[one] for one in ids] == ["rejected"] * 40 + ["accepted"] * 40
    outages = query(database_url, "select scope, reason, ended_at from ledger.outages")
    assert {(row["scope"], row["reason"]) for row in outages} == {("campaign:order-shipped", "campaign-failing")}
    assert all(row["ended_at"] for row in outages)


def test_another_wording_of_the_cosmos_outage_as_a_403_costs_nobody_s_message(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    fault = '[[fault]]\nkind = "cosmos"\nstatus = 403\ncode = 4002\nshape = "detail"\n'
    settings = {"AJO_PROBE_INTERVAL": "0.5", "AJO_RECOVERY_RATE": "100"}
    delivery = prepare_delivery(valkey_url, fault, **settings)
    delivery.start_worker()
    ids = delivery.publish(100)
    opened = "select scope, reason, evidence from ledger.outages"
    wait_until(lambda: query(database_url, opened), what="the circuit is open")
    shown = delivery.run_cli("outage", "show", "standard", env=delivery.env)
    delivery.api.play("")
    wait_until(lambda: done(database_url) == len(ids), what="all have their state")

    assert Counter(row["state"] for row in query(database_url, "select state from audit.triggers")) == {
        "accepted": len(ids)
    }
    (outage,) = query(database_url, opened)
    assert (outage["scope"].partition(":")[0], outage["reason"]) == ("destination", "cosmos-identity")
    assert "the answer says customerManagedKeyStatus 4002 (permission): begin here" in shown.out


def done(url: str) -> int:
    """How many triggers have their state."""
    return int(query(url, "select count(*) as n from ledger.triggers where state not in ('sending', 'parked')")[0]["n"])
