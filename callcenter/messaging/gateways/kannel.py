"""Kannel's smsbox: `sendsms` over HTTP, delivery reports and incoming SMS as GET calls to us.

Kannel returns no message id and does not dedupe, so our key travels inside `dlr-url`, and a lost
answer stays a Maybe. Kannel repeats a report only when its `http-request-retry` is set (its default
is to lose it): see docs/gateways.md.
"""

import datetime as dt
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, parse_qsl, quote, unquote_to_bytes

import httpx

from callcenter.lib.phones import BadPhone, parse
from callcenter.messaging.gateways.base import (
    TIMEOUT,
    BadWebhook,
    DeliveryReport,
    FailureScope,
    GatewayAccepted,
    GatewayEvent,
    GatewayRefused,
    IgnoredEvent,
    Outgoing,
    Reply,
    Result,
    Webhook,
    ask,
    shared_client,
)
from callcenter.messaging.states import DeliveryStatus, MessageChannel

_WANTED: Final = 1 | 2 | 16  # delivered, not delivered, rejected by the SMSC
# 4 'queued on the SMSC' and 8 'accepted by the SMSC' say nothing that an administrator could use.
_REPORTS: Final = {
    "1": DeliveryStatus.DELIVERED,
    "2": DeliveryStatus.UNDELIVERED,
    "16": DeliveryStatus.UNDELIVERED,
    "8": DeliveryStatus.ACCEPTED,
}


class Kannel:
    """Settings: `url` (…/cgi-bin/sendsms), `username`, `password`, `sender`, `secret` (of our
    webhook's address).
    """

    is_idempotent = False
    reports = True

    def __init__(self, settings: Mapping[str, str], client: httpx.Client | None = None) -> None:
        self._client = client or shared_client()
        self._url = settings["url"]
        self._login = {"username": settings["username"], "password": settings["password"]}
        self._sender = settings["sender"]  # Kannel refuses every message without one
        self._smsc = settings.get("smsc", "")
        self._secret = settings["secret"]

    def send(self, message: Outgoing) -> Result:
        params = {
            **self._login,
            "to": message.to,
            "from": self._sender,
            "text": message.text,
            "coding": "2",  # UCS-2: without it Cyrillic arrives as question marks
            "charset": "UTF-8",
        }
        if self._smsc:
            params["smsc"] = self._smsc
        if message.report_url:
            params["dlr-mask"] = str(_WANTED)
            params["dlr-url"] = (
                f"{message.report_url}dlr?key={quote(message.key, safe='')}&type=%d&at=%T&why=%A"
            )
        if not message.text:  # Kannel would send an empty SMS
            return GatewayRefused("пустой текст")
        answer = ask(lambda: self._client.get(self._url, params=params, timeout=TIMEOUT))
        if not isinstance(answer, httpx.Response):
            return answer
        if (
            answer.status_code == 202
        ):  # '0: Accepted for delivery' or '3: Queued for later delivery'
            return GatewayAccepted()
        reason = f"шлюз СМС ответил {answer.status_code}: {answer.text.strip()[:120]}"
        if answer.status_code in (401, 403, 404):
            return GatewayRefused(reason, FailureScope.GATEWAY)
        if answer.status_code >= 500 or answer.status_code == 429:
            return GatewayRefused(reason, FailureScope.LATER)
        return GatewayRefused(reason, FailureScope.MESSAGE)

    def is_genuine(self, webhook: Webhook) -> bool:
        """Kannel signs nothing: the secret stands in the address (first part of the path)."""
        return hmac.compare_digest(webhook.path.partition("/")[0].encode(), self._secret.encode())

    def read(self, webhook: Webhook) -> list[GatewayEvent]:
        what = webhook.path.rpartition("/")[2]
        if what == "dlr":
            return [_report(dict(parse_qsl(webhook.query, keep_blank_values=True)))]
        if what == "mo":
            return [_incoming(webhook.query)]
        raise BadWebhook(f"Kannel зовёт неизвестный адрес «{what}»")


def _report(fields: dict[str, str]) -> GatewayEvent:
    if "key" not in fields or "type" not in fields:
        raise BadWebhook("в отчёте Kannel нет key или type")
    report = _REPORTS.get(fields["type"])
    if report is None:
        return IgnoredEvent(f"отчёт Kannel вида {fields['type']}")
    reason = fields.get("why", "") if report == DeliveryStatus.UNDELIVERED else ""
    return DeliveryReport(
        report, key=fields["key"], at=_time(fields.get("at", "")), reason=reason[:200]
    )


def _incoming(query: str) -> GatewayEvent:
    """A UCS-2 text comes as percent-encoded UTF-16BE bytes: read from bytes, never from a UTF-8
    query string.
    """
    fields = {
        name: values[0]
        for name, values in parse_qs(query, keep_blank_values=True, encoding="latin-1").items()
    }
    if "from" not in fields or "id" not in fields:
        raise BadWebhook("во входящем СМС Kannel нет from или id")
    raw = _raw_of(query, "text")
    charset = fields.get("charset", "") or ("UTF-16BE" if fields.get("coding") == "2" else "UTF-8")
    try:
        text = raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        text = raw.decode("utf-8", errors="replace")
    try:
        sender = parse(fields["from"])
    except BadPhone:
        sender = fields["from"]
    return Reply(fields["id"], sender, text, MessageChannel.SMS, at=_time(fields.get("at", "")))


def _raw_of(query: str, name: str) -> bytes:
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return unquote_to_bytes(value.replace("+", " "))
    return b""


def _time(text: str) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(int(text), dt.UTC) if text.isdigit() else None
