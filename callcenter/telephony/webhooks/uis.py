"""UIS / CoMagic: HTTP notifications with a body of our own making (docs/cloud-pbx.md holds the
template to paste).

The cabinet substitutes {{variables}} as JSON values; there is no signature, so the template carries
the source's key. Times are `YYYY-MM-DD hh:mm:ss` in the cabinet's zone, or unix seconds in
notification_timestamp.
"""

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

RINGS: Final = {"incoming_call", "in_call", "outgoing_call", "out_call", "waiting", "leg_ringing"}
TALKS: Final = {"talk_started", "call_answered", "start_talk"}
ENDS: Final = {"talk_finished", "call_finished", "lost_call", "finish_call", "call_lost"}
RECORDS: Final = {"call_record_completed", "record_completed", "recorded_call"}


def read(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Told`. Raises ValueError naming what is missing or unreadable."""
    event = str(body.get("event") or "").strip().lower()
    session = str(body.get("session") or "").strip()
    if not event or not session:
        raise ValueError("нужны event и session: {{notification_mnemonic}} и {{call_session_id}}")
    zone = str(body.get("zone") or "Europe/Moscow")
    at = _instant(body.get("timestamp") or body.get("time"), zone)
    if at is None:
        raise ValueError(
            "нужно время: timestamp ({{notification_timestamp}}) или time ({{notification_time}})"
        )
    told: dict[str, Any] = {
        "session": session,
        "event": event,
        "direction": "out"
        if str(body.get("direction") or "").lower() in {"out", "outgoing"}
        else "in",
        "client": str(body.get("contact") or ""),
        "line": str(body.get("line") or ""),
        "at": at,
        "started_at": _instant(body.get("start_time"), zone),
        "extension": str(body.get("employee_phone") or ""),
    }
    if event in TALKS:
        told["answered_at"] = at
    elif event in ENDS:
        told["ended_at"] = at
        told.update(_from_durations(told, body))
    elif event in RECORDS:
        told["record_url"] = str(body.get("file_link") or "")
        told["record_seconds"] = float(body.get("file_duration") or 0)
    elif event not in RINGS:
        raise ValueError(f"событие «{event}» не знакомо")
    return told


def _from_durations(told: dict[str, Any], body: dict[str, Any]) -> dict[str, dt.datetime]:
    """A finished call tells how long it was talked: the answer lies that far before the end."""
    talked = int(body.get("talk_time") or 0)
    if talked <= 0 or told["event"] in {"lost_call", "call_lost"}:
        return {}
    return {"answered_at": told["at"] - dt.timedelta(seconds=talked)}


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
