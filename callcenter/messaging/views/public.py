"""Pages without a log-in: what providers call, and the patient's page."""

import datetime as dt
import logging

import icalendar
from django.conf import settings
from django.core.cache import cache
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    HttpResponseNotFound,
)
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from redis import RedisError

from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.public_views import public
from callcenter.messaging import actions
from callcenter.messaging.gateways import build
from callcenter.messaging.gateways.base import Webhook
from callcenter.messaging.models import Provider, VisitLink
from callcenter.messaging.states import VisitAnswer
from callcenter.staff.access import client_address

log = logging.getLogger(__name__)
MOST_BYTES = 256 * 1024
_HEADERS = ("authorization", "content-type", "user-agent", "x-signature")
PAGES_PER_MINUTE = 60  # of one address: a family behind one router is far from it, a guesser is not


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def hook(request: HttpRequest, provider: int, rest: str) -> HttpResponseBase:
    """A provider's call: its secret is checked, the call is written down, and it is absorbed by a
    worker afterwards.
    """
    row = Provider.objects.filter(pk=provider).first()
    if row is None:
        return HttpResponseNotFound()
    try:
        gateway = build(row.kind, {**row.settings, "secret": row.secret})
    except ValueError:
        return HttpResponseForbidden()
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    headers = {name: request.headers[name][:500] for name in _HEADERS if name in request.headers}
    webhook = Webhook(
        request.method or "GET", rest, request.META.get("QUERY_STRING", ""), headers, request.body
    )
    if not gateway.is_genuine(webhook):
        return HttpResponseForbidden()
    if request.method != "HEAD" and (
        webhook.query or webhook.body
    ):  # else edna's probe of the address
        actions.store_provider_webhook(row, webhook, now=timezone.now())
    return HttpResponse("", content_type="text/plain")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def visit_page(request: HttpRequest, token: str) -> HttpResponseBase:
    """The patient's page. GET only shows (previews and scanners open links); a pressed button
    answers by POST.
    """
    if _too_many(request):
        return _private(
            render(request, "messaging/visit_closed.html", {"trouble": _SLOWLY}, status=429)
        )
    now = timezone.now()
    link = actions.find_link(token)
    if link is None:
        return _closed(request, None, "Такой ссылки нет или она устарела.", 404)
    trouble = actions.link_problem(link, now)
    if trouble is not None:
        return _closed(request, link, trouble, 410)
    if request.method == "POST":
        answer = request.POST.get("answer", "")
        if answer not in VisitAnswer.values:
            return _closed(
                request,
                link,
                "Не понятно, что вы выбрали. Вернитесь и нажмите одну из кнопок.",
                422,
            )
        try:
            actions.answer_visit(token=token, answer=VisitAnswer(answer), via="page", now=now)
        except (Conflict, Refused) as error:
            return _closed(request, link, str(error), error.status)
        return redirect("messaging:visit", token=token)
    if request.method == "GET":
        actions.note_opening(link, now=now)
    return _private(
        render(
            request,
            "messaging/visit.html",
            {"link": link, "visit": link.appointment, "answers": VisitAnswer},
        )
    )


@public
@require_safe
def visit_calendar(request: HttpRequest, token: str) -> HttpResponseBase:
    """The visit as an .ics file: clinic, address, local time; neither the doctor's specialty nor
    the patient's name.
    """
    link = actions.find_link(token)
    now = timezone.now()
    if link is None or actions.link_problem(link, now) is not None or _too_many(request):
        return redirect("messaging:visit", token=token)
    answer = HttpResponse(_calendar(link, now), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return _private(answer)


def _calendar(link: VisitLink, now: dt.datetime) -> bytes:
    """Return the visit as an iCalendar file (RFC 5545): times in UTC, lines folded by octets."""
    visit = link.appointment
    event = icalendar.Event()
    event.add("uid", f"visit-{link.token[:12]}@{settings.PUBLIC_URL.partition('//')[2]}")
    # A moved visit takes the place of the former one in the patient's calendar.
    event.add("sequence", link.version)
    event.add("dtstamp", now.astimezone(dt.UTC))
    event.add("dtstart", visit.starts_at.astimezone(dt.UTC))
    event.add("dtend", visit.ends_at.astimezone(dt.UTC))
    event.add("summary", f"Приём: {visit.clinic.name}")
    event.add("location", visit.clinic.address)
    event.add("description", f"Телефон клиники: {visit.clinic.phone}")
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Dozvon//RU")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


_SLOWLY = "Слишком много запросов. Подождите минуту и откройте ссылку снова."


def _closed(
    request: HttpRequest, link: VisitLink | None, trouble: str, status: int
) -> HttpResponse:
    clinics = (
        [link.appointment.clinic]
        if link is not None
        else list(Clinic.objects.exclude(phone="").order_by("name"))
    )
    return _private(
        render(
            request,
            "messaging/visit_closed.html",
            {"trouble": trouble, "clinics": clinics},
            status=status,
        )
    )


def _private(answer: HttpResponse) -> HttpResponse:
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer["Referrer-Policy"] = (
        "same-origin"  # "no-referrer" would send `Origin: null` with the form, and CSRF says no
    )
    return answer


def _too_many(request: HttpRequest) -> bool:
    """Best effort: without Valkey nobody is turned away, the token's 128 bits are guard enough."""
    key = f"visit-page:{client_address(request)}"
    try:
        cache.add(key, 0, timeout=60)
        return cache.incr(key) > PAGES_PER_MINUTE
    except (RedisError, ValueError):
        return False
