"""What the intake says of itself: an OpenAPI document, and a page for people without a tool for it."""

from html import escape
from typing import Any

from ajo_producers.events.cloudevents import BATCHED, MAX_EVENTS, STRUCTURED
from ajo_producers.events.translation import STATUSES

PATH, HEALTH, OPENAPI = "/events", "/healthz", "/openapi.json"

_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "description": "Names the event, together with its source."},
        "source": {"type": "string", "minLength": 1, "description": "Who tells of it."},
        "type": {"type": "string", "minLength": 1, "description": "What has happened; mappings choose by it."},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened: the same at each repetition.",
        },
        "subject": {"type": "string", "minLength": 1},
        "datacontenttype": {"type": "string"},
        "traceparent": {"type": "string", "description": "W3C trace context: its trace id is kept with the trigger."},
        "data": {"description": "What the mappings take the trigger's values from."},
        "data_base64": {"type": "string"},
    },
}
_FAULT = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "error": {"type": "string"}, "mapping": {"type": "string"}},
}
_OUTCOME = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"]},
        "status": {"enum": [*STATUSES]},
        "triggers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "mapping": {"type": "string"},
                    "campaign": {"type": "string"},
                    "request_id": {"type": "string", "format": "uuid"},
                    "confirmed": {"type": "boolean", "description": "There where the broker has not confirmed all."},
                },
            },
        },
        "skipped": {"type": "object", "description": "By mapping, why it sends nothing."},
        "faults": {"type": "array", "items": _FAULT},
    },
}
_ANSWERS = {
    "202": "All events are taken, and the broker has confirmed every trigger.",
    "400": "Not JSON, or not all events could be taken: each with its faults by path. The others were taken.",
    "401": "Neither a token nor a signature that is known here.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "A content type or encoding that is not read here.",
    "429": "Too much at once: again after Retry-After.",
    "503": "The broker has not confirmed everything: again after Retry-After. Nothing is doubled by that.",
}


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    retry = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    answers = {
        status: {"description": text, "content": content} | ({"headers": retry} if status in ("429", "503") else {})
        for status, text in _ANSWERS.items()
    }
    one, several = {"$ref": "#/components/schemas/Event"}, {"$ref": "#/components/schemas/Batch"}
    body = {
        STRUCTURED: {"schema": one},
        BATCHED: {"schema": several},
        "application/json": {"schema": {"anyOf": [one, several]}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ajo-dispatch: intake of business events",
            "version": "1",
            "description": "CloudEvents 1.0 in, triggers of Journey Optimizer's campaigns out. The same source, id and "
            "time are the same message, which is sent once: send an event again as often as need be.",
        },
        "paths": {
            PATH: {
                "post": {
                    "summary": "Take one event, or a batch",
                    "description": "Structured, batched, or binary: attributes in headers ce-…, the data as the body.",
                    "security": [{"bearer": []}, {"signature": []}],
                    "requestBody": {"required": True, "content": body},
                    "responses": answers,
                }
            },
            HEALTH: {
                "get": {
                    "summary": "Whether the broker can be reached",
                    "responses": {"200": {"description": "It can."}, "503": {"description": "It can't."}},
                }
            },
        },
        "components": {
            "schemas": {
                "Event": _EVENT,
                "Batch": {"type": "array", "maxItems": MAX_EVENTS, "items": one},
                "Answer": {
                    "type": "object",
                    "properties": {"error": {"type": "string"}, "events": {"type": "array", "items": _OUTCOME}},
                },
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature.",
                },
            },
        },
    }


def page() -> str:
    """The same for people: how to send an event, and what the answers mean. Loads nothing from elsewhere."""
    rows = "".join(f"<tr><td>{status}</td><td>{escape(text)}</td></tr>" for status, text in _ANSWERS.items())
    return _PAGE.replace("{rows}", rows)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Intake of business events</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;overflow:auto}td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>
<h1>Intake of business events</h1>
<p>Send a <a href="https://cloudevents.io/">CloudEvent</a> (1.0) with POST to <code>/events</code>. It is answered with
202 once the broker has every message that it leads to. All of it: <a href="openapi.json">openapi.json</a>.</p>
<pre>curl -i https://HOST/events \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/cloudevents+json" \\
  -d '{"specversion": "1.0", "id": "A-1", "source": "/shop", "type": "com.example.order.shipped",
       "time": "2026-11-01T08:00:00Z", "data": {"orderId": "A-1"}}'</pre>
<p>The same source, id and time are the same message: send it again as often as you like, it goes out once.</p>
<table>{rows}</table>
</html>
"""
