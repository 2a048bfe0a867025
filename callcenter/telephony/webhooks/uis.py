"""UIS / CoMagic: HTTP notifications with a body that we define (docs/cloud-pbx.md holds the
template to paste into the cabinet).

The cabinet substitutes {{variables}} as JSON values. There is no signature, so the template carries
the source's key. Times are `YYYY-MM-DD hh:mm:ss` in the cabinet's zone, or unix seconds in
notification_timestamp.
"""

import datetime as dt
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from callcenter.telephony.webhooks.base import CallEvent, PbxWebhookFormat

RINGS: Final = {"incoming_call", "in_call", "outgoing_call", "out_call", "waiting", "leg_ringing"}
TALKS: Final = {"talk_started", "call_answered", "start_talk"}
ENDS: Final = {"talk_finished", "call_finished", "lost_call", "finish_call", "call_lost"}
LOST: Final = {"lost_call", "call_lost"}
RECORDS: Final = {"call_record_completed", "record_completed", "recorded_call"}

_LINE: Final = {"type": ["string", "integer", "null"], "maxLength": 200}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["event", "session"],
    "properties": {
        "secret": {
            "type": "string",
            "maxLength": 200,
            "description": "The source's key, where no header can be set.",
        },
        "event": {**_LINE, "description": "{{notification_mnemonic}}"},
        "session": {**_LINE, "description": "{{call_session_id}}"},
        "timestamp": {
            "type": ["string", "number", "null"],
            "description": "{{notification_timestamp}}, unix seconds",
        },
        "time": {**_LINE, "description": "{{notification_time}}, in `zone`"},
        "zone": {"type": "string", "maxLength": 40, "default": "Europe/Moscow"},
        "start_time": {**_LINE, "description": "{{start_time}}, in `zone`"},
        "direction": {**_LINE, "description": "{{direction}}: in, out"},
        "contact": {**_LINE, "description": "{{contact_phone_number}}"},
        "line": {**_LINE, "description": "{{virtual_phone_number}}"},
        "employee_phone": {**_LINE, "description": "{{employee_phone_number}}"},
        "talk_time": {
            "type": ["integer", "string", "null"],
            "description": "{{talk_time_duration}}, seconds",
        },
        "file_link": {"type": ["string", "null"], "maxLength": 500, "description": "{{file_link}}"},
        "file_duration": {
            "type": ["number", "string", "null"],
            "description": "{{file_duration}}, seconds",
        },
    },
}


def parse(body: dict[str, Any]) -> CallEvent:
    """Return the event of one notification. Raises ValueError naming what is missing or
    unreadable.
    """
    name = str(body.get("event") or "").strip().lower()
    session = str(body.get("session") or "").strip()
    if not name or not session:
        raise ValueError("нужны event и session: {{notification_mnemonic}} и {{call_session_id}}")
    zone = str(body.get("zone") or "Europe/Moscow")
    at = _instant(body.get("timestamp") or body.get("time"), zone)
    if at is None:
        raise ValueError(
            "нужно время: timestamp ({{notification_timestamp}}) или time ({{notification_time}})"
        )
    direction = str(body.get("direction") or "").lower()
    event = CallEvent(
        session=session,
        event=name,
        direction="out" if direction in {"out", "outgoing"} else "in",
        client=str(body.get("contact") or ""),
        line=str(body.get("line") or ""),
        at=at,
        started_at=_instant(body.get("start_time"), zone),
        extension=str(body.get("employee_phone") or ""),
    )
    if name in TALKS:
        return replace(event, answered_at=at)
    if name in ENDS:
        return replace(event, ended_at=at, answered_at=_answered_at(event, body))
    if name in RECORDS:
        return replace(
            event,
            record_url=str(body.get("file_link") or ""),
            record_seconds=float(body.get("file_duration") or 0),
        )
    if name in RINGS:
        return event
    raise ValueError(f"событие «{name}» не знакомо")


def _answered_at(event: CallEvent, body: dict[str, Any]) -> dt.datetime | None:
    """Return the instant of the answer: it lies as far before the end as the call was talked."""
    talk_seconds = int(body.get("talk_time") or 0)
    if talk_seconds <= 0 or event.event in LOST:
        return None
    return event.at - dt.timedelta(seconds=talk_seconds)


def _instant(value: object, zone: str) -> dt.datetime | None:
    if value in (None, ""):
        return None
    text = str(value).strip()
    if text.replace(".", "", 1).isdigit():
        return dt.datetime.fromtimestamp(float(text), dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"время «{text}» не читается") from None
    return (
        moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
    ).astimezone(dt.UTC)


FORMAT: Final = PbxWebhookFormat(
    name="uis",
    title="UIS, CoMagic",
    content_type="application/json",
    schema_name="UisCallNotification",
    schema=SCHEMA,
    parse=parse,
    key_field="secret",
)
