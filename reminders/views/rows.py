"""One row: its marks, its messages, its card. htmx gets the row back, a browser without scripts the
list.
"""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from callcenter.audit import actions as audit
from callcenter.lib.errors import Conflict, DomainError, Refused
from callcenter.messaging.actions import send_again as repeat_message
from callcenter.messaging.models import ChatMessage, Message, VisitEvent
from callcenter.messaging.queries import conversation
from callcenter.messaging.reply_intent import ReplyIntent
from callcenter.messaging.states import REPEATABLE, MessageChannel
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_CALL_PATIENTS, CAN_READ_REMINDERS
from reminders import actions
from reminders.forms import DayCallForm
from reminders.models import Reminder
from reminders.queries.rows import ReminderRow, RowBuilder, entries_of
from reminders.states import AttendanceAnswer, CallResult, Round
from reminders.views.lists import back


def _reminder(request: StaffRequest, pk: int) -> Reminder:
    """For a mark, which gives the row back: the clinic alone is read with it."""
    return get_object_or_404(
        Reminder.objects.visible_to(request.user).select_related("clinic"), pk=pk
    )


def _reminder_of_card(request: StaffRequest, pk: int) -> Reminder:
    found = Reminder.objects.visible_to(request.user).select_related(
        "clinic", "run", "patient", "appointment__doctor"
    )
    return get_object_or_404(found, pk=pk)


def _round(params: QueryDict) -> str:
    return Round.DAY if params.get("round") == Round.DAY else Round.EVENING


def _shown(
    request: StaffRequest, reminder: Reminder, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    """The row as it stands now; without htmx back to the list."""
    if not request.headers.get("HX-Request"):
        if problem:
            messages.error(request, problem)
        return redirect(back(request, "/reminders/"))
    context = {
        "row": _words(request, reminder),
        "round": _round(request.POST or request.GET),
        "can_work": request.user.has(*CAN_CALL_PATIENTS),
        "several": (request.POST or request.GET).get("several") == "1",
        "problem": problem,
    }
    return render(request, "reminders/list.html#one", context, status=status)


def _words(request: StaffRequest, reminder: Reminder) -> ReminderRow:
    now = timezone.now()
    evening = _round(request.POST or request.GET) == Round.EVENING
    entries = entries_of(Reminder.objects.filter(pk=reminder.pk), now=now, urgent_first=evening)
    return RowBuilder(entries, clinics=[reminder.clinic], user=request.user, now=now).of(entries[0])


@require_safe
@allow(*CAN_READ_REMINDERS)
def row(request: StaffRequest, pk: int) -> HttpResponse:
    """The row alone, for a screen that had to leave it as it was."""
    return _shown(request, _reminder(request, pk))


@require_POST
@allow(*CAN_CALL_PATIENTS)
def mark(request: StaffRequest, pk: int) -> HttpResponse:
    """The double click. `undo=1` on a pink row."""
    reminder = _reminder(request, pk)
    now = timezone.now()
    try:
        if request.POST.get("undo"):
            actions.undo_mark(reminder, by=request.user, now=now)
        else:
            actions.mark_called(
                reminder, by=request.user, now=now, round=Round(_round(request.POST))
            )
    except Conflict as error:
        return _shown(request, reminder, status=409, problem=str(error))
    return _shown(request, reminder)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def result(request: StaffRequest, pk: int) -> HttpResponse:
    """What the call gave."""
    reminder = _reminder(request, pk)
    chosen = request.POST.get("result", "")
    if chosen not in CallResult.values:
        raise Refused("Выберите результат звонка.", field="result")
    try:
        actions.save_result(
            reminder,
            result=CallResult(chosen),
            by=request.user,
            now=timezone.now(),
            comment=request.POST.get("comment", ""),
        )
    except (Conflict, Refused) as error:
        return _shown(request, reminder, status=error.status, problem=str(error))
    return _after(request, reminder)


@allow(*CAN_CALL_PATIENTS)
def day_call(request: StaffRequest, pk: int) -> HttpResponse:
    """The form of a day call; 422 with the form until both answers and the comment are there."""
    reminder = _reminder_of_card(request, pk)
    form = DayCallForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.save_day_call(
                    reminder,
                    picked_up=form.cleaned_data["picked_up"],
                    coming=form.cleaned_data["coming"],
                    comment=form.cleaned_data["comment"],
                    by=request.user,
                    now=timezone.now(),
                )
                return _after(request, reminder)
            except (Refused, Conflict) as error:
                form.add_error(error.field if isinstance(error, Refused) else None, str(error))
                status = error.status
        else:
            status = 422
    return render(
        request, "reminders/card.html", _card(request, reminder) | {"day_form": form}, status=status
    )


def _after(request: StaffRequest, reminder: Reminder) -> HttpResponse:
    """From the card: close it and refresh the row; from the row: the row."""
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "card":
        answer = _shown(request, reminder)
        answer["HX-Retarget"] = f"#r{reminder.pk}"
        answer["HX-Reswap"] = "outerHTML"
        answer["HX-Trigger"] = "card:close"
        return answer
    return _shown(request, reminder)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def calling(request: StaffRequest, pk: int) -> HttpResponse:
    """«Звоню»: colleagues see it. `stop=1` takes it back."""
    reminder = _reminder(request, pk)
    now = timezone.now()
    try:
        if request.POST.get("stop"):
            actions.stop_calling(reminder, by=request.user, now=now)
        else:
            actions.start_calling(reminder, by=request.user, now=now)
    except Conflict as error:
        return _shown(request, reminder, status=409, problem=str(error))
    return _shown(request, reminder)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def send_one(request: StaffRequest, pk: int) -> HttpResponse:
    """«Отправить уведомление этому пациенту», or the SMS alone (`channel=sms`)."""
    reminder = _reminder(request, pk)
    channel = MessageChannel.SMS if request.POST.get("channel") == MessageChannel.SMS else None
    try:
        actions.send_one(reminder, by=request.user, now=timezone.now(), channel=channel)
    except Conflict as error:
        return _shown(request, reminder, status=409, problem=str(error))
    return _shown(request, reminder)


@require_POST
@allow(*CAN_CALL_PATIENTS)
def send_again(request: StaffRequest, pk: int, message: int) -> HttpResponse:
    """A person repeats a message that failed or may not have gone."""
    reminder = _reminder_of_card(request, pk)
    found = get_object_or_404(Message, pk=message, appointment=reminder.appointment)
    problem, status = "", 200
    try:
        repeat_message(found, by=request.user, now=timezone.now())
    except DomainError as error:
        problem, status = str(error), error.status
    return render(
        request,
        "reminders/card.html",
        _card(request, reminder) | {"problem": problem},
        status=status,
    )


@require_POST
@allow(*CAN_CALL_PATIENTS)
def reply(request: StaffRequest, pk: int, line: int) -> HttpResponse:
    """Takes the patient's words for what was proposed, or for what the person says they mean."""
    reminder = _reminder_of_card(request, pk)
    numbers = reminder.patient.phones.values("number")
    found = get_object_or_404(ChatMessage, pk=line, number__in=numbers)
    intent = request.POST.get("intent", "") or found.intent
    if intent not in ReplyIntent.values:
        raise Refused("Выберите, что хотел сказать пациент.", field="intent")
    try:
        actions.accept_reply(
            reminder, found, intent=ReplyIntent(intent), by=request.user, now=timezone.now()
        )
    except Conflict as error:
        return _shown(request, reminder, status=409, problem=str(error))
    return _after(request, reminder)


@require_safe
@allow(*CAN_READ_REMINDERS)
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """Everything of one row: messages step by step, the link's story, replies, marks, and what can
    be done.
    """
    reminder = _reminder_of_card(request, pk)
    audit.record("reminders.view_card", reminder, by=request.user, now=timezone.now())
    return render(request, "reminders/card.html", _card(request, reminder))


def _card(request: StaffRequest, reminder: Reminder) -> dict[str, object]:
    numbers = [phone.number for phone in reminder.patient.phones.all()]
    since = reminder.run.opened_at
    return {
        "reminder": reminder,
        "row": _words(request, reminder),
        "zone": reminder.clinic.zone,
        "numbers": numbers,
        "steps": Message.objects.filter(appointment=reminder.appointment)
        .select_related("created_by")
        .order_by("pk"),
        "repeatable": REPEATABLE,
        "events": VisitEvent.objects.filter(link__appointment=reminder.appointment).select_related(
            "by"
        ),
        "lines": [line for number in numbers for line in conversation(number, since=since)],
        "marks": reminder.marks.select_related("by", "undone_by"),
        "intents": ReplyIntent.choices,
        "results": CallResult.choices,
        "comings": AttendanceAnswer.choices,
        "day_form": DayCallForm(),
        "round": _round(request.POST or request.GET),
        "can_work": request.user.has(*CAN_CALL_PATIENTS) and reminder.removed_at is None,
        "partial": bool(request.headers.get("HX-Request")),
    }
