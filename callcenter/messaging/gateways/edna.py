"""edna Pulse: one message = one `cascade/schedule` with our key as `requestId`; statuses and
replies come by webhook.

Ours is the only cascade, so every provider cascade named in the settings has a single stage. Field
names of a channel's content that edna's public pages do not give are settings (`content_key`), not
guesses in code.
"""

import datetime as dt
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from callcenter.lib.phones import BadPhone, parse
from callcenter.messaging.gateways.base import (
    TIMEOUT,
    BadWebhook,
    ButtonPress,
    DeliveryReport,
    FailureScope,
    GatewayAccepted,
    GatewayEvent,
    GatewayRefused,
    IgnoredEvent,
    Outgoing,
    Reply,
    Result,
    StatusQuery,
    Uncertain,
    Webhook,
    ask,
    digits,
    shared_client,
)
from callcenter.messaging.states import DeliveryStatus, MessageChannel, VisitAnswer

_CONTENT: Final[dict[str, str]] = {
    MessageChannel.SMS: "smsContent",
    MessageChannel.WHATSAPP: "whatsappContent",
    MessageChannel.VIBER: "viberContent",
}
_REPORTS: Final[dict[str, DeliveryStatus]] = {
    "ENQUEUED": DeliveryStatus.ACCEPTED,
    "DELAYED": DeliveryStatus.ACCEPTED,
    "ACCEPTED": DeliveryStatus.ACCEPTED,
    "SENT": DeliveryStatus.ACCEPTED,
    "DELIVERED": DeliveryStatus.DELIVERED,
    "READ": DeliveryStatus.READ,
    "UNDELIVERED": DeliveryStatus.UNDELIVERED,
    "FAILED": DeliveryStatus.UNDELIVERED,
    "CANCELLED": DeliveryStatus.UNDELIVERED,
    "EXPIRED": DeliveryStatus.UNDELIVERED,
}
_REASONS: Final[dict[str, str]] = {
    "not-whatsapp-user": "у номера нет WhatsApp",
    "not-viber-user": "у номера нет Viber",
    "user-blocked": "пациент запретил сообщения",
    "error-address-format": "такого номера не бывает",
    "error-address-not-specified": "номер не указан",
    "not-template-match": "текст не совпал с согласованным шаблоном",
    "error-insufficient-balance": "на счёте edna нет денег",
}
_STATUS_REASONS: Final[dict[str, str]] = {
    "EXPIRED": "не доставлено за отведённое время",
    "CANCELLED": "edna не отправила: такой же текст уже ушёл на этот номер меньше 20 минут назад",
}
# 'cascade-scheduling-request-is-not-valid' is spelled in two ways on edna's own pages: known by its
# beginning.
_OUR_SETTINGS: Final = (
    "cascade-not-found",
    "request-doesn't-contain-content",
    "cascade-scheduling-request",
)
_PAGE: Final = 1000
_MOST_PAGES: Final = 20  # of one question: more than any clinic sends in the hours asked about
_ANSWERS: Final = {answer.value: answer for answer in VisitAnswer}


class Edna:
    """Settings: `url`, `api_key`, `cascade_<channel>` (number of a one-stage cascade), `secret`,
    `authorization` (the header's value agreed in the cabinet, optional), `content_<channel>` (name
    of the content field, if not known here).
    """

    is_idempotent = True
    reports = True

    def __init__(self, settings: Mapping[str, str], client: httpx.Client | None = None) -> None:
        self._client = client or shared_client()
        self._settings = settings
        self._url = settings["url"].rstrip("/")
        self._key = settings["api_key"]
        self._secret = settings["secret"]

    def send(self, message: Outgoing) -> Result:
        cascade = self._settings.get(f"cascade_{message.channel}", "")
        content_key = self._settings.get(f"content_{message.channel}") or _CONTENT.get(
            message.channel, ""
        )
        if not cascade.isdigit() or not content_key:
            return GatewayRefused(
                f"в настройках edna нет каскада для канала {message.channel}", FailureScope.GATEWAY
            )
        body = {
            "requestId": message.key,
            "cascadeId": int(cascade),
            "subscriberFilter": {"address": digits(message.to), "type": "PHONE"},
            "content": {content_key: {"contentType": "TEXT", "text": message.text}},
            "comment": message.key,
        }
        answer = self._post("cascade/schedule", body)
        if not isinstance(answer, httpx.Response):
            return answer
        if answer.status_code == 200:
            return GatewayAccepted(message.key)
        return _refusal(answer, message.key)

    def ask(self, question: StatusQuery) -> list[DeliveryReport] | GatewayRefused | Uncertain:
        """The account's history of that time; ours are known by their `comment`, since edna does
        not search by requestId.
        """
        found: list[DeliveryReport] = []
        for page in range(_MOST_PAGES):
            body = {
                "direction": "OUT",
                "dateFrom": _timestamp(question.since),
                "dateTo": _timestamp(question.until),
                "offset": page * _PAGE,
                "limit": _PAGE,
            }
            answer = self._post("messages/history", body)
            if not isinstance(answer, httpx.Response):
                return answer
            if answer.status_code != 200:
                return GatewayRefused(
                    f"история edna ответила {answer.status_code}", FailureScope.LATER
                )
            items, more = _history(answer)
            found += [
                one
                for item in items
                if (one := _remembered(item)) is not None and one.key in question.keys
            ]
            if not more:
                break
        return found

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response | GatewayRefused | Uncertain:
        headers = {"X-API-KEY": self._key}
        return ask(
            lambda: self._client.post(
                f"{self._url}/api/{path}", json=body, headers=headers, timeout=TIMEOUT
            )
        )

    def is_genuine(self, webhook: Webhook) -> bool:
        """The secret in the address, and the whole Authorization header when one is agreed: edna
        signs no bodies.
        """
        expected = self._settings.get("authorization", "")
        given = webhook.headers.get("authorization", "")
        return hmac.compare_digest(
            webhook.path.partition("/")[0].encode(), self._secret.encode()
        ) and (not expected or hmac.compare_digest(given.encode(), expected.encode()))

    def read(self, webhook: Webhook) -> list[GatewayEvent]:
        if webhook.method in ("GET", "HEAD"):
            return [IgnoredEvent("edna проверяет адрес")]
        try:
            body = json.loads(webhook.body)
        except ValueError:
            raise BadWebhook("тело вызова edna — не JSON") from None
        return [_happening(item) for item in (body if isinstance(body, list) else [body])]


def _refusal(answer: httpx.Response, key: str) -> Result:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    words = (
        " ".join(str(body.get(name) or "") for name in ("title", "detail"))
        if isinstance(body, dict)
        else ""
    )
    if "requestId-is-not-unique" in words:  # the first call had arrived after all
        return GatewayAccepted(key)
    reason = f"edna ответила {answer.status_code}: {words.strip()[:120]}"
    if answer.status_code in (401, 403) or any(name in words for name in _OUR_SETTINGS):
        return GatewayRefused(reason, FailureScope.GATEWAY)
    if answer.status_code >= 500 or answer.status_code in (408, 429):
        return GatewayRefused(reason, FailureScope.LATER)
    return GatewayRefused(reason, FailureScope.MESSAGE)


def _history(answer: httpx.Response) -> tuple[list[dict[str, Any]], bool]:
    try:
        body = answer.json()
        return [item for item in body["content"] if isinstance(item, dict)], bool(
            body.get("hasNext")
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return [], False


def _remembered(item: dict[str, Any]) -> DeliveryReport | None:
    """One line of the history. It names no time and no error of its own."""
    status = str(item.get("deliveryStatus") or "")
    report = _REPORTS.get(status)
    if report is None:
        return None
    reason = _STATUS_REASONS.get(status, "") if report == DeliveryStatus.UNDELIVERED else ""
    return DeliveryReport(report, key=str(item.get("comment") or ""), reason=reason)


def _timestamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _happening(item: object) -> GatewayEvent:
    if not isinstance(item, dict):
        raise BadWebhook("в вызове edna не объект")
    if "messageContent" in item:
        return _incoming(item)
    if "status" not in item or "requestId" not in item:
        return IgnoredEvent("вызов edna без статуса и без сообщения")
    status = str(item["status"])
    report = _REPORTS.get(status)
    if report is None:
        return IgnoredEvent(f"статус edna «{status[:40]}»")
    reason = ""
    if report == DeliveryStatus.UNDELIVERED:
        error = str(item.get("error") or "")
        reason = _REASONS.get(error) or error or _STATUS_REASONS.get(status, "")
    return DeliveryReport(
        report, key=str(item["requestId"]), at=_time(item.get("statusAt")), reason=reason[:200]
    )


def _incoming(item: dict[str, Any]) -> GatewayEvent:
    content = item["messageContent"] or {}
    subscriber, person = item.get("subscriber") or {}, item.get("userInfo") or {}
    press = _press(str(content.get("payload") or ""), _time(item.get("receivedAt")))
    if press is not None:
        return press
    text = content.get("text") or content.get("caption") or ""
    if not text:
        text = f"[{str(content.get('type') or 'без текста').lower()}]"
    identifier = str(subscriber.get("identifier") or "")
    try:
        sender = parse(f"+{identifier}") if identifier.isdigit() else identifier
    except BadPhone:
        sender = identifier
    name = str(person.get("userName") or person.get("firstName") or "")
    return Reply(
        id=str(item.get("id") or ""),
        sender=sender,
        text=str(text),
        channel=_channel(str(item.get("subject") or "")),
        key=str(item.get("replyOutMessageExternalRequestId") or ""),
        name=name[:80],
        at=_time(item.get("receivedAt")),
    )


def _press(payload: str, at: dt.datetime | None) -> ButtonPress | None:
    """A quick-reply button carries '<answer>:<token of the page>'."""
    answer, _, token = payload.partition(":")
    return ButtonPress(token, _ANSWERS[answer], at) if token and answer in _ANSWERS else None


def _channel(subject: str) -> str:
    """The channel stands in the beginning of the subject's name ('whatsapp_clinic'); unknown ones
    count as MAX.
    """
    lowered = subject.lower()
    return next(
        (channel.value for channel in MessageChannel if channel.value in lowered),
        MessageChannel.MAX.value,
    )


def _time(text: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
