"""«Дозвон» and «ДД»: the lists, and what is done with a whole run."""

import datetime as dt
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Refused
from callcenter.lib.localtime import local_day
from callcenter.lib.query_params import date
from callcenter.messaging.actions import topic as messages_topic
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.queries import on_shift
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_REMINDERS, ShiftColour
from reminders import actions
from reminders.models import ReminderRun
from reminders.queries.dry_run import dry_run
from reminders.queries.lists import SHOWS, Listing, day_list, evening_list, topic


@require_safe
@allow(*CAN_READ_REMINDERS)
def evening(request: StaffRequest) -> HttpResponse:
    """The evening round: the runs of a day, all the user's clinics or one of them. `since=…` gives
    only what changed, `part=runs` the runs alone.
    """
    now = timezone.now()
    clinics, chosen = _clinics(request)
    on = date(request.GET.get("on")) or (local_day(now, chosen[0].zone) if chosen else now.date())
    runs = list(
        ReminderRun.objects.filter(clinic__in=chosen, on=on)
        .select_related("clinic", "sent_by", "handed_over_by")
        .order_by("clinic__name")
    )
    known = _known(request)
    context: dict[str, object] = {
        "runs": runs,
        "missing": [
            clinic for clinic in chosen if clinic.pk not in {run.clinic_id for run in runs}
        ],
        "can_open": on == local_day(now, chosen[0].zone) if chosen else False,
        "can_work": request.user.has(*CAN_CALL_PATIENTS),
        "run_topics": [topic(clinic.pk) for clinic in chosen],
        "runs_url": f"?{urlencode({**known, 'on': on.isoformat(), 'part': 'runs'})}",
    }
    if request.headers.get("HX-Request") and request.GET.get("part") == "runs":
        return render(request, "reminders/list.html#runs", context)
    since = _since(request)
    listing = evening_list(
        runs, clinics=chosen, user=request.user, now=now, show=known.get("show", ""), since=since
    )
    context |= _context(request, "evening", clinics, chosen, on, listing)
    return _answer(request, context, since)


@require_safe
@allow(*CAN_READ_REMINDERS)
def day(request: StaffRequest) -> HttpResponse:
    """ДД: whoever has not confirmed and has not said that he comes."""
    now = timezone.now()
    clinics, chosen = _clinics(request)
    on = date(request.GET.get("on")) or (local_day(now, chosen[0].zone) if chosen else now.date())
    since, show = _since(request), request.GET.get("show", "")
    listing = day_list(on=on, clinics=chosen, user=request.user, now=now, show=show, since=since)
    context = _context(request, "day", clinics, chosen, on, listing)
    context["notes"] = list(
        ReminderRun.objects.filter(clinic__in=chosen, on__lt=on, until__gte=on)
        .exclude(handover_note="")
        .select_related("clinic", "handed_over_by")
    )
    return _answer(request, context, since)


def _since(request: StaffRequest) -> dt.datetime | None:
    """The moment of the screen that asks what has changed; None for one that asks for all."""
    return _moment(request.GET.get("since")) if request.headers.get("HX-Request") else None


def _answer(
    request: StaffRequest, context: dict[str, object], since: dt.datetime | None
) -> HttpResponse:
    if since is not None:
        return render(request, "reminders/list.html#changes", context)
    return render(request, "reminders/list.html", context)


def _known(request: StaffRequest) -> dict[str, str]:
    """What the address says of the list itself."""
    return {name: value for name in ("clinic", "on", "show") if (value := request.GET.get(name))}


def _context(
    request: StaffRequest,
    round: str,
    clinics: list[Clinic],
    chosen: list[Clinic],
    on: dt.date,
    listing: Listing,
) -> dict[str, object]:
    known = _known(request)
    rest: dict[str, str] = {name: value for name, value in known.items() if name != "show"}
    show = known.get("show", "")
    shows = [
        (
            name,
            word,
            icon,
            listing.counts[name],
            f"?{urlencode(rest | ({'show': name} if name else {}))}",
        )
        for name, word, icon in SHOWS
        if name in ("", "call") or listing.counts[name] or show == name
    ]
    since = f"{listing.read_at.timestamp():.3f}"
    return {
        "round": round,
        "listing": listing,
        "shows": shows,
        "show": show,
        "total": listing.counts[""],
        "done": listing.counts[""] - listing.counts["call"],
        "clinics": clinics,
        "clinic": chosen[0] if len(chosen) == 1 else None,
        "several": len(chosen) > 1,
        "on": on,
        "before": on - dt.timedelta(days=1),
        "after": on + dt.timedelta(days=1),
        "topics": _topics(chosen),
        "changes_url": f"?{urlencode({**known, 'on': on.isoformat(), 'since': since})}",
        "can_work": request.user.has(*CAN_CALL_PATIENTS),
        "yellow": on_shift(colour=ShiftColour.YELLOW, on=on, clinic_ids=[one.pk for one in chosen]),
    }


def _topics(clinics: list[Clinic]) -> list[str]:
    return [name for clinic in clinics for name in (topic(clinic.pk), messages_topic(clinic.pk))]


def _clinics(request: StaffRequest) -> tuple[list[Clinic], list[Clinic]]:
    """All clinics of the user, and the chosen ones."""
    mine = list(Clinic.objects.visible_to(request.user).order_by("name"))
    wanted = request.GET.get("clinic", "")
    chosen = [clinic for clinic in mine if str(clinic.pk) == wanted] if wanted else mine
    return mine, chosen or mine


def _moment(text: str | None) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(float(text or ""), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


# What is done with a run


def _run(request: StaffRequest, pk: int) -> ReminderRun:
    return get_object_or_404(
        ReminderRun.objects.visible_to(request.user).select_related("clinic"), pk=pk
    )


@require_POST
@allow(*CAN_CALL_PATIENTS)
def open_run(request: StaffRequest) -> HttpResponse:
    """Opens today's list of a clinic by hand, before noon."""
    clinic = get_object_or_404(
        Clinic.objects.visible_to(request.user), pk=_number(request.POST.get("clinic"))
    )
    now = timezone.now()
    run = actions.open_run(clinic, on=local_day(now, clinic.zone), by=request.user, now=now)
    messages.success(request, f"Список открыт: {clinic.name}, приёмы по {run.until:%d.%m.%Y}.")
    return redirect(_list_of(run))


@allow(*CAN_CALL_PATIENTS)
def send(request: StaffRequest, pk: int) -> HttpResponse:
    """«Отправить уведомление всем пациентам»: first whom it reaches, whom not and why, and the
    price; then the button.
    """
    run = _run(request, pk)
    now = timezone.now()
    if request.method == "POST":
        queued = actions.send_all(run, by=request.user, now=now)
        messages.success(
            request,
            f"Поставлено в очередь сообщений: {queued}." if queued else "Всем уже отправлено.",
        )
        return redirect(_list_of(run))
    return render(request, "reminders/send.html", {"run": run, "plan": dry_run(run, now=now)})


@require_POST
@allow(*CAN_CALL_PATIENTS)
def blue_sms(request: StaffRequest, pk: int) -> HttpResponse:
    """«СМС голубым»."""
    run = _run(request, pk)
    queued = actions.send_blue_sms(run, by=request.user, now=timezone.now())
    messages.success(request, f"СМС отправляется: {queued}." if queued else "Голубых без СМС нет.")
    return redirect(_list_of(run))


@require_POST
@allow(*CAN_CALL_PATIENTS)
def hand_over(request: StaffRequest, pk: int) -> HttpResponse:
    """What the evening leaves for the morning."""
    run = _run(request, pk)
    try:
        actions.hand_over(
            run, note=request.POST.get("note", ""), by=request.user, now=timezone.now()
        )
        messages.success(request, "Передано утренней смене.")
    except Refused as error:
        messages.error(request, str(error))
    return redirect(_list_of(run))


def _list_of(run: ReminderRun) -> str:
    return f"/reminders/?{urlencode({'clinic': run.clinic_id, 'on': run.on.isoformat()})}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 18 else 0


def back(request: HttpRequest, fallback: str) -> str:
    """The page a form came from, if it is ours."""
    path = request.POST.get("next", "")
    return path if path.startswith("/") and not path.startswith("//") else fallback
