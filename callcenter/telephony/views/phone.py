"""The telephone bar of every page: what rings, the caller's card, where one sits, calls by
a click.
"""

import datetime as dt
import uuid

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from callcenter.clinics.models import Clinic, Patient
from callcenter.clinics.panels import patient_panels
from callcenter.lib import live_updates, phones, query_params
from callcenter.lib.contributions import Panel
from callcenter.lib.errors import NotAllowed, Refused
from callcenter.lib.public_views import public
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_USE_PHONE
from callcenter.telephony import queries
from callcenter.telephony.actions import staff_phones
from callcenter.telephony.models import BrowserPhoneAction, Call
from callcenter.telephony.panels import common_panels, scenario_panels
from callcenter.telephony.speech.asterisk_media import clip_url, key_of
from callcenter.telephony.speech.audio_cache import clip_path
from callcenter.telephony.states import LegState, PhoneKind
from callcenter.telephony.templatetags.telephony import number_of


@allow(*CAN_USE_PHONE)
def phone(request: StaffRequest) -> HttpResponse:
    """What is on the user's telephone at this moment; the bar of every page fetches its
    part of it.
    """
    now = timezone.now()
    card = queries.ringing_for(request.user, now=now)
    browser_phone = card.browser_phone if card is not None else None
    context = {
        "card": card,
        "first_panels": scenario_panels(card.call, request.user, now=now)
        if card is not None
        else [],
        "panels": _panels(request, card, now) if card is not None else [],
        "colleagues": _colleagues(request, card, now) if card is not None else [],
        "clip": clip_url(browser_phone.clip)
        if browser_phone is not None and browser_phone.clip
        else "",
        "binding": queries.binding_of(request.user, now=now),
        "link": queries.link(now=now),
        "kinds": PhoneKind,
        "has_browser_phones": settings.PBX == "simulator",
        "digits": "123456789*0#",
        "token": live_updates.sign([f"phone:user:{request.user.pk}", "pbx"]),
        "now": now,
    }
    template = (
        "telephony/phone.html#bar" if request.headers.get("HX-Request") else "telephony/phone.html"
    )
    return render(request, template, context)


def _colleagues(request: StaffRequest, card: queries.CallerCard, now: dt.datetime) -> list[User]:
    """To whom a conversation may be transferred; nobody while one is being rung for it."""
    talks = card.call.connected_at is not None and card.leg.state == LegState.UP
    return (
        queries.colleagues_for(card.call, request.user, now=now)
        if talks and not card.transfer
        else []
    )


def _panels(request: StaffRequest, card: queries.CallerCard, now: dt.datetime) -> list[Panel]:
    """Return what the apps know of any call, and of its patient when exactly one fits the
    number.
    """
    found = common_panels(card.call, request.user, now=now)
    if len(card.people) == 1:
        found += patient_panels(card.people[0], request.user, now=now)
    return found


@allow(*CAN_USE_PHONE)
@require_POST
def bind(request: StaffRequest) -> HttpResponse:
    """Says where the user sits today, or that he is not on the telephone."""
    kind = request.POST.get("kind", "")
    if kind not in PhoneKind.values or (kind == PhoneKind.BROWSER and settings.PBX != "simulator"):
        raise Refused("Выберите телефон из списка.", field="kind")
    staff_phones.bind_phone(
        user=request.user,
        kind=PhoneKind(kind),
        endpoint=request.POST.get("endpoint", ""),
        now=timezone.now(),
    )
    return _back(request)


@allow(*CAN_USE_PHONE)
@require_POST
def call(request: StaffRequest) -> HttpResponse:
    """Click-to-call: the user's own telephone rings first, then the patient's."""
    patient = None
    if request.POST.get("patient", "").isdecimal():
        patient = get_object_or_404(
            Patient.objects.visible_to(request.user), pk=request.POST["patient"]
        )
    number = _number(request)
    staff_phones.call_patient(
        user=request.user,
        number=number,
        clinic=_clinic(request, patient),
        patient=patient,
        now=timezone.now(),
    )
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    messages.info(request, "Сейчас зазвонит ваш телефон, затем телефон пациента.")
    return _back(request)


def _number(request: StaffRequest) -> str:
    """The button's token, or a number typed by hand. Raises Refused."""
    try:
        if "to" in request.POST:
            return number_of(request.POST["to"])
        return phones.parse(request.POST.get("number", ""))
    except signing.BadSignature:
        raise Refused("Страница устарела. Обновите её и нажмите ещё раз.") from None
    except phones.BadPhone as error:
        raise Refused(str(error), field="number") from None


def _clinic(request: StaffRequest, patient: Patient | None) -> Clinic:
    """The clinic in whose name one calls: one of the patient's that the user works in, else the
    user's first.
    """
    own = Clinic.objects.filter(staff=request.user)
    if request.POST.get("clinic", "").isdecimal():
        return get_object_or_404(own, pk=request.POST["clinic"])
    shared = own.filter(patients=patient).first() if patient is not None else None
    clinic = shared or own.first()
    if clinic is None:
        raise NotAllowed("Вам не назначена ни одна клиника. Попросите старшего.")
    return clinic


@allow(*CAN_USE_PHONE)
@require_POST
def hang_up(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Call.objects.visible_to(request.user), pk=pk)
    staff_phones.hang_up_own(user=request.user, call=found, now=timezone.now())
    return HttpResponse(status=204) if request.headers.get("HX-Request") else _back(request)


@allow(*CAN_USE_PHONE)
@require_POST
def transfer(request: StaffRequest) -> HttpResponse:
    """Gives the user's present conversation to a colleague, whose own telephone rings."""
    colleagues = User.objects.filter(clinics__staff=request.user, is_active=True).distinct()
    to = get_object_or_404(colleagues, pk=query_params.number(request.POST.get("to")) or 0)
    staff_phones.transfer_call(by=request.user, to=to, now=timezone.now())
    return HttpResponse(status=204) if request.headers.get("HX-Request") else _back(request)


@allow(*CAN_USE_PHONE)
@require_POST
def press(request: StaffRequest) -> HttpResponse:
    """A button of the telephone in the browser."""
    action, value = request.POST.get("action", ""), request.POST.get("value", "")
    if action not in {"answer", "digit", "hang_up"} or (
        action == "digit" and value not in set("0123456789*#")
    ):
        raise Refused("Такой кнопки нет.")
    channel = request.POST.get("channel", "")
    staff_phones.press(
        user=request.user, channel=channel, action=action, value=value, now=timezone.now()
    )
    return HttpResponse(status=204) if request.headers.get("HX-Request") else _back(request)


@allow(*CAN_USE_PHONE)
@require_POST
def try_incoming(request: StaffRequest) -> HttpResponse:
    """On the simulator: somebody calls the clinic, to see and to train what happens then."""
    if settings.PBX != "simulator":
        raise Refused("Пробный звонок бывает только на симуляторе АТС.")
    clinic = Clinic.objects.filter(staff=request.user).first()
    if clinic is None or not clinic.phone:
        raise Refused("У клиники не указан телефон.")
    try:
        number = phones.parse(request.POST.get("number", "+79000000001"))
    except phones.BadPhone as error:
        raise Refused(str(error), field="number") from None
    BrowserPhoneAction.objects.create(
        channel=f"in-{uuid.uuid4().hex}",
        kind="incoming",
        value=f"{number} {clinic.phone}",
        at=timezone.now(),
    )
    return _back(request)


@require_GET
def _clip(_request: HttpRequest, token: str) -> HttpResponseBase:
    """A piece of the robot's speech, by an address that only we can make; asked for by the exchange
    and by browsers.
    """
    try:
        path = clip_path(key_of(token))
    except signing.BadSignature:
        raise Http404 from None
    if not path.is_file():
        raise Http404
    answer = FileResponse(path.open("rb"), content_type="audio/wav")
    answer["Cache-Control"] = "private, max-age=86400"
    return answer


clip = public(_clip)


def _back(request: StaffRequest) -> HttpResponse:
    target = request.POST.get("next", "") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return redirect(target if safe else "home")
