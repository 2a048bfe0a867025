"""Chats: one's own and those that wait, and the conversation."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from b2c_procedures.actions import chat_distribution
from b2c_procedures.actions import chats as actions
from b2c_procedures.forms import FailureForm
from b2c_procedures.models import (
    Chat,
    ChatPause,
    FailedChatMessage,
    Order,
    ProcedureSettings,
    Study,
)
from b2c_procedures.queries.chats import board, conversation
from b2c_procedures.queries.runs import words_of
from b2c_procedures.search import find
from b2c_procedures.states import ChatState, ClockKind, OrderStatus
from b2c_procedures.texts import CHAT_RULES, fill
from b2c_procedures.version_lookup import current_book
from b2c_procedures.views.runs import number_of
from callcenter.assignments.models import Task
from callcenter.clinics.models import Clinic
from callcenter.clinics.search_keys import normalise
from callcenter.contacts.models import Topic
from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.localtime import local_day
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_HOLD_CHATS, CAN_LEAD_PROCEDURES, CAN_RUN_PROCEDURES, Role


def visible_chat(user: User, pk: int) -> Chat:
    rows: QuerySet[Chat] = Chat.objects.visible_to(user)
    return get_object_or_404(rows.select_related("clinic", "manager", "patient", "topic"), pk=pk)


@allow(*CAN_HOLD_CHATS)
def chats(request: StaffRequest) -> HttpResponse:
    """One's own chats, the ones that burn first; for a lead everybody's, and how they are shared."""
    leads = request.user.has(*CAN_LEAD_PROCEDURES)
    everybody = leads and request.GET.get("all") == "1"
    now = timezone.now()
    clinics = Clinic.objects.visible_to(request.user).values_list("pk", flat=True)
    context = {
        "rows": board(request.user, now, everybody=everybody),
        "everybody": everybody,
        "leads": leads,
        "shares": request.user.has(Role.ADMINISTRATOR),
        "troubles": FailedChatMessage.objects.visible_to(request.user).select_related(
            "message__clinic", "message__patient"
        ),
        "absent": ChatPause.objects.filter(user=request.user).first(),
        "topics": [
            f"b2c_procedures:manager:{request.user.pk}",
            *(f"b2c_procedures:chats:{pk}" for pk in clinics),
        ],
        "now": now,
    }
    return render(request, "b2c_procedures/chats.html", context)


@allow(*CAN_HOLD_CHATS)
def chat(request: StaffRequest, pk: int) -> HttpResponse:
    """The conversation; POST sends an answer, a forbidden wording comes back with what is wrong
    (422).
    """
    here = visible_chat(request.user, pk)
    now = timezone.now()
    status, problem, text = 200, "", ""
    if request.method == "POST":
        text = request.POST.get("text", "")
        topic = Topic.objects.filter(
            pk=number_of(request.POST.get("topic")) or 0, is_active=True
        ).first()
        try:
            actions.answer(
                here,
                text=text,
                topic=topic,
                override=bool(request.POST.get("override")),
                by=request.user,
                now=now,
            )
            return redirect("b2c_procedures:chat", pk)
        except (Refused, Conflict) as error:
            status, problem = error.status, str(error)
            here = visible_chat(request.user, pk)
    return render(
        request, "b2c_procedures/chat.html", _context(request, here, problem, text), status=status
    )


def _context(request: StaffRequest, here: Chat, problem: str, text: str) -> dict[str, Any]:
    now = timezone.now()
    lines = conversation(here)
    first = next((line.message for line in lines if line.message.direction == "in"), None)
    orders = (
        Order.objects.filter(patient=here.patient_id or 0)
        .select_related("clinic")
        .prefetch_related("lines__study")[:5]
    )
    team = ProcedureSettings.present().team_name
    words = request.GET.get("study", "")[:100]
    studies = Study.objects.filter(is_active=True)
    for word in normalise(words).split():
        studies = studies.filter(search_key__contains=word)
    return {
        "chat": here,
        "lines": lines,
        "clocks": list(here.clocks.select_related("task")),
        "problem": problem,
        "text": text,
        "topics": list(Topic.objects.filter(is_active=True)),
        "suggested": find(current_book(now), first.text)[:3] if first else [],
        "study": words,
        "studies": list(studies[:5]) if words.strip() else [],
        "orders": [(order, _unsure(order, now)) for order in orders],
        "runs": list(here.runs.all()[:5]),
        "may_act": here.manager_id in (request.user.pk, None)
        or request.user.has(*CAN_LEAD_PROCEDURES),
        # What was chosen with an answer that was stopped is not chosen anew.
        "topic_chosen": number_of(request.POST.get("topic")) or here.topic_id,
        "leads": request.user.has(*CAN_LEAD_PROCEDURES),
        "live_chat": here.state != ChatState.CLOSED,
        "team": team,
        "rules": fill(words_of([CHAT_RULES])[CHAT_RULES], {"команда": team}),
        "colleagues": [person for person in actions.takers(here, now) if person != request.user],
        "topic_name": f"b2c_procedures:chat:{here.pk}",
        "now": now,
    }


def _unsure(order: Order, now: dt.datetime) -> str:
    """Why the person responsible must be asked (CH-14): «нет информации о дате … и/или срок
    исполнения превышен».
    """
    if order.status in {OrderStatus.READY, OrderStatus.REFUSED} or order.result_sent_on:
        return ""
    if order.due_on is None:
        return "срок не назван"
    return "срок прошёл" if order.due_on < local_day(now, order.clinic.zone) else ""


@require_POST
@allow(*CAN_HOLD_CHATS)
def chat_action(request: StaffRequest, pk: int, what: str) -> HttpResponse:
    """Topic, clocks, questions to the doctor and the person responsible, passing on, closing."""
    here = visible_chat(request.user, pk)
    now, user = timezone.now(), request.user
    if what == "topic":
        topic = get_object_or_404(
            Topic, pk=number_of(request.POST.get("topic")) or 0, is_active=True
        )
        actions.set_topic(here, topic=topic, by=user, now=now)
    elif what == "result-date":
        actions.ask_result_date(here, by=user, now=now)
    elif what in {"consultant", "responsible"}:
        order = (
            Order.objects.visible_to(user)
            .filter(pk=number_of(request.POST.get("order")) or 0)
            .first()
        )
        actions.ask_person(
            here,
            kind=ClockKind(what),
            question=request.POST.get("question", ""),
            order=order,
            by=user,
            now=now,
        )
    elif what == "pass":
        to = get_object_or_404(User, pk=number_of(request.POST.get("to")) or 0, is_active=True)
        actions.hand_over_chat(here, to=to, by=user, now=now)
        return redirect("b2c_procedures:chats")
    elif what == "take":
        actions.hand_over_chat(here, to=user, by=user, now=now)
    elif what == "close":
        actions.close_chat(here, by=user, now=now)
        return redirect("b2c_procedures:chats")
    return redirect("b2c_procedures:chat", pk)


@require_POST
@allow(*CAN_HOLD_CHATS)
def presence(request: StaffRequest) -> HttpResponse:
    """«Не беру чаты» and back."""
    if request.POST.get("away"):
        moved = chat_distribution.pause_chats(request.user, now=timezone.now())
        messages.success(request, f"Чаты переданы коллегам: {moved}.")
    else:
        chat_distribution.resume_chats(request.user, now=timezone.now())
        messages.success(request, "Чаты снова приходят к вам.")
    return redirect("b2c_procedures:chats")


@allow(*CAN_RUN_PROCEDURES)
def failure(request: StaffRequest) -> HttpResponse:
    """«Сообщить о сбое» (CRM, мессенджер, ERP); a lead manager opens the Help Desk task from the
    reports.
    """
    form = FailureForm(request.POST or None)
    status = 200
    if request.method == "POST" and request.POST.get("task"):
        task = get_object_or_404(
            Task, pk=number_of(request.POST.get("task")) or 0, title__startswith="Сбой: "
        )
        actions.open_help_desk(
            task, text=request.POST.get("text", ""), by=request.user, now=timezone.now()
        )
        messages.success(request, "Задача в Help Desk поставлена, руководитель её видит.")
        return redirect("b2c_procedures:failure")
    if request.method == "POST":
        if form.is_valid():
            clinic = Clinic.objects.visible_to(request.user).first()
            actions.report_failure(
                system=form.cleaned_data["system"],
                text=form.cleaned_data["text"],
                clinic=clinic,
                by=request.user,
                now=timezone.now(),
            )
            messages.success(request, "Ведущие менеджеры извещены.")
            return redirect("b2c_procedures:failure")
        status = 422
    leads = request.user.has(*CAN_LEAD_PROCEDURES)
    reports = (
        Task.objects.filter(title__startswith="Сбой: ", department="oks").order_by("-created_at")[
            :20
        ]
        if leads
        else []
    )
    return render(
        request,
        "b2c_procedures/failure.html",
        {"form": form, "reports": reports, "leads": leads},
        status=status,
    )
