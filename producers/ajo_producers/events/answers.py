"""What is told of an event: to its sender, in dead letters, by the commands; by default without its values."""

from collections.abc import Iterable
from typing import Any

from ajo_producers.campaigns.definition import AREAS
from ajo_producers.events.event import BadEvent, Fault
from ajo_producers.events.translation import Considered, Translation


def outcome_of(found: Translation | BadEvent) -> dict[str, Any]:
    """What became of an event, as JSON: its status, the triggers that it made, and every fault by path. Pure."""
    if isinstance(found, BadEvent):
        return {"id": found.id, "status": "refused", "triggers": [], "faults": faults_of(found.faults)}
    told: dict[str, Any] = {
        "id": found.event.id,
        "status": found.status,
        "triggers": [
            {
                "mapping": one.mapping.name,
                "campaign": one.mapping.campaign,
                "request_id": str(one.trigger.request_id),
            }
            for one in found.considered
            if one.trigger is not None
        ],
    }
    if skipped := {one.mapping.name: one.skipped for one in found.considered if one.skipped is not None}:
        told["skipped"] = skipped
    if found.faults:
        told["faults"] = faults_of(found.faults)
    return told


def faults_of(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Faults as JSON: ``path``, ``error``, and ``mapping`` where one is concerned."""
    return [
        {"path": fault.path, "error": fault.text} | ({"mapping": fault.mapping} if fault.mapping else {})
        for fault in faults
    ]


def explanation_of(found: Translation | BadEvent, *, payload: bool) -> dict[str, Any]:
    """The same with the reasons: each mapping and each of its conditions; ``payload`` adds what would be sent."""
    if isinstance(found, BadEvent):
        return outcome_of(found)
    mappings = [_explained(one, payload=payload) for one in found.considered]
    about = {"id": found.event.id, "source": found.event.source, "type": found.event.type, "status": found.status}
    return {**about, "mappings": mappings, "faults": faults_of(found.faults)}


def _explained(one: Considered, *, payload: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "mapping": one.mapping.name,
        "campaign": one.mapping.campaign,
        "matched": one.matched,
        "conditions": [{"condition": condition.text, "holds": condition.holds} for condition in one.conditions],
    }
    if one.skipped is not None:
        told["skipped"] = one.skipped
    if one.faults:
        told["faults"] = faults_of(one.faults)
    if one.trigger is not None:
        trigger = one.trigger.trigger
        [recipient] = trigger.recipients
        told["trigger"] = {
            "request_id": str(trigger.request_id),
            "occurred_at": trigger.occurred_at and trigger.occurred_at.isoformat(),
            "expires_at": trigger.expires_at and trigger.expires_at.isoformat(),
            "trace_id": trigger.trace_id,
            "user_id": recipient.user_id,
            "channel_data": recipient.channel_data,
            "profile": recipient.profile,
            "context": recipient.context,
        }
        if not payload:
            told["trigger"] |= {"user_id": "…", **{area: _hidden(told["trigger"][area]) for area in AREAS}}
    return told


def _hidden(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """The same with … for every value."""
    return {name: _hidden(inner) for name, inner in value.items()} if isinstance(value, dict) and value else "…"
