"""`POST /api/v1/interactions`: calls with their phases, chats with messages, requests from sites."""

import contextlib
import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.contacts.actions import (
    InteractionInput,
    InteractionSource,
    Participants,
    Phases,
    WrapUp,
    add_chat_line,
    record_interaction,
)
from callcenter.contacts.api_keys import source_of
from callcenter.contacts.models import Interaction, SourceKey
from callcenter.contacts.states import STATES_OF, Direction, InteractionKind, InteractionState
from callcenter.lib import phones
from callcenter.lib.api import ApiError, endpoint, read_body
from callcenter.staff.models import User

_AHEAD = dt.timedelta(minutes=5)  # clocks differ; anything further on is a mistake
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_HIDDEN = {"", "anonymous", "unknown", "hidden", "private"}
_FIRST_STATE = {
    InteractionKind.CALL: InteractionState.RINGING,
    InteractionKind.CHAT: InteractionState.ACTIVE,
    InteractionKind.REQUEST: InteractionState.NEW,
}


@endpoint
@require_POST
def interactions(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    source = source_of(request, now=now)
    body = read_body(request, "Interaction")
    messages = body.get("messages", [])
    with (
        transaction.atomic() if messages else contextlib.nullcontext()
    ):  # a chat is written with its messages or not at all
        interaction = _write(source, body, now)
        for message in messages:
            add_chat_line(
                interaction,
                at=_moment(message["at"], "messages.at", now),
                direction=Direction(message["direction"]),
                text=message["text"],
                author=message.get("author", ""),
                source_id=message["id"],
            )
    answer = {
        "interaction": interaction.pk,
        "contact": interaction.contact_id,
        "state": interaction.state,
    }
    # What was known already keeps the time of its first telling.
    return JsonResponse(answer, status=201 if interaction.created_at == now else 200)


def _write(source: SourceKey, body: dict[str, Any], now: dt.datetime) -> Interaction:
    kind = InteractionKind(body["kind"])
    started_at = _moment(body["started_at"], "started_at", now)
    answered_at, ended_at = (
        _moment(body[name], name, now) if name in body else None
        for name in ("answered_at", "ended_at")
    )
    for name, moment in (("answered_at", answered_at), ("ended_at", ended_at)):
        if moment is not None and kind != InteractionKind.CALL:
            raise ApiError(422, "Фазы бывают только у звонка.", field=name)
        if moment is not None and moment < started_at:
            raise ApiError(422, "Раньше начала разговора.", field=name)
    if body.get("messages") and kind != InteractionKind.CHAT:
        raise ApiError(422, "Сообщения бывают только у чата.", field="messages")
    return record_interaction(
        InteractionInput(
            clinic=source.clinic,
            kind=kind,
            state=_state(kind, body.get("state")),
            phases=Phases(started_at, answered_at=answered_at, ended_at=ended_at),
            direction=Direction(body.get("direction", "in")),
            participants=Participants(
                number=_number(body.get("phone")),
                client=body.get("client", ""),
                employee=_employee(source, body.get("employee", "")),
                line=phones.e164_or_text(body.get("line", "")),
            ),
            wrap_up=WrapUp(comment=body.get("comment", "")),
            source=InteractionSource(
                name=source.name,
                id=body["id"],
                account=body.get("account", ""),
                chat_channel=body.get("chat_channel", ""),
                utm=body.get("utm") or {},
                referrer=body.get("referrer", ""),
            ),
        ),
        by=None,
        now=now,
    )


def _state(kind: InteractionKind, told: str | None) -> InteractionState:
    if kind == InteractionKind.CALL and told:
        raise ApiError(
            422,
            "Состояние звонка следует из его фаз: пришлите answered_at и ended_at.",
            field="state",
        )
    if not told:
        return _FIRST_STATE[kind]
    state = InteractionState(told)
    if state not in STATES_OF[kind]:
        raise ApiError(422, f"У записи «{kind.label}» не бывает состояния «{told}».", field="state")
    return state


def _moment(text: str, field: str, now: dt.datetime) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(
            422, "Время — в ISO 8601 со смещением: 2026-03-18T12:00:00+03:00.", field=field
        ) from None
    if moment.tzinfo is None:
        raise ApiError(422, "У времени нет смещения: напишите +03:00 или Z.", field=field)
    try:
        moment = moment.astimezone(dt.UTC)
    except OverflowError:
        raise ApiError(422, "Такого времени не бывает.", field=field) from None
    if moment > now + _AHEAD:
        raise ApiError(422, "Это время ещё не наступило. Проверьте часы источника.", field=field)
    if moment < _EARLIEST:
        raise ApiError(422, "Слишком давно: раньше 2000 года.", field=field)
    return moment


def _number(text: str | None) -> str:
    if text is None or text.strip().lower() in _HIDDEN:
        return ""
    try:
        return phones.parse(text)
    except phones.BadPhone as error:
        raise ApiError(422, str(error), field="phone") from None


def _employee(source: SourceKey, text: str) -> User | None:
    """An unknown extension loses nothing: the call stays, without its employee."""
    if not text:
        return None
    return (
        User.objects.filter(Q(extension=text) | Q(login=text), clinics=source.clinic)
        .order_by("pk")
        .first()
    )
