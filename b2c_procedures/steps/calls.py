"""Steps about the conversation itself: transfer, hold, questions to the doctor and the logistics
department.
"""

import datetime as dt

from django.urls import reverse

from b2c_procedures.models import ProcedureSettings, Run
from b2c_procedures.states import ACTS_AS, ROLE_OF, Performer, RunSource
from b2c_procedures.steps.base import CreatedObject, StepContext, close_given, give_task
from callcenter.assignments.models import Task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused
from callcenter.staff.models import User
from callcenter.telephony.actions.staff_phones import transfer_call
from callcenter.telephony.models import Call
from callcenter.telephony.queries import colleagues_for, talk_of


def transfer(step: StepContext) -> list[CreatedObject]:
    """1.5, 2.4, 2.8, 12.4: the call or chat goes with the run to the colleague chosen, else to
    whoever takes the run.

    The run is given away when the step has been written down (actions/turns.py). Raises Refused for
    a colleague who sits at no telephone while the client is on the line.
    """
    to = step.data.get("colleague")
    call = talk_of(step.by)
    if call is not None:
        to = _pass_call(step, call, to)
    step.run.facts["transfer"] = {"to": to.pk if to is not None else None}
    return []


def _pass_call(step: StepContext, call: Call, chosen: User | None) -> User | None:
    """Rings the colleague chosen, else somebody of the role who sits at a telephone and is free,
    the run's manager first.

    None when nobody of the role is at a telephone: the client stays on the line, the run waits for
    the role.
    """
    performer, manager = Performer(step.option("to")), step.run.facts.get("manager")
    free = [
        person
        for person in colleagues_for(call, step.by, now=step.now)
        if person.has(*ACTS_AS[performer])
    ]
    to = chosen or min(free, key=lambda person: person.pk != manager, default=None)
    if to is None:
        step.run.facts["call"] = (
            f"остался у сотрудника {step.by.short_name}: {performer.label} не у телефона"
        )
        return None
    try:
        transfer_call(by=step.by, to=to, now=step.now)
    except Refused as error:
        raise Refused(str(error), field="colleague") from None
    step.run.facts["call"] = f"переводится: {to.short_name}"
    return to


def ask_consultant(step: StepContext) -> list[CreatedObject]:
    """1.6: «указать ФИО клиента, ссылку на заказ, информацию о запросе» (CH-18); the doctor answers
    in 30 minutes.

    The task opens the start of procedure 2, which the document begins with this very event; its end
    closes the task.
    """
    question = step.need("question", "Напишите, о чём клиент спрашивает врача.")
    patient = step.patient()
    minutes = ProcedureSettings.present().consultant_minutes
    step.run.facts["consultant_question"] = question
    made = give_task(
        step,
        title=f"Ответить клиенту: {patient.full_name}",
        body=f"Вопрос: {question}",
        department=Department.CONSULTANT,
        role=ROLE_OF[Performer.CONSULTANT_DOCTOR],
        deadline_at=step.now + dt.timedelta(minutes=minutes),
        link=f"{reverse('b2c_procedures:home')}?run={step.run.pk}&source={RunSource.TASK}&q=2",
    )
    step.run.facts["consultant_task"] = made.obj.pk
    return [made]


def hold(step: StepContext) -> list[CreatedObject]:
    """6.3: the client waits on the line; the run shows since when, until 6.4 has its answer."""
    step.run.facts["line_held_at"] = step.now.isoformat()
    return []


def ask_logistics(step: StepContext) -> list[CreatedObject]:
    """6.4: what the logistics department answered stays with the run."""
    step.run.facts["logistics_answer"] = step.need("answer", "Напишите, что ответили в логистике.")
    step.run.facts.pop("line_held_at", None)
    return []


def note_delivery(step: StepContext) -> list[CreatedObject]:
    """5.1, 5.3: the city, the address and the date, for the checks and the request that follow."""
    for name in ("city", "address"):
        if step.data.get(name):
            step.run.facts[name] = step.data[name]
    if step.data.get("on"):
        step.run.facts["on"] = step.data["on"].isoformat()
    if not step.run.facts.get("city"):
        step.need("city", "Спросите город отправки.")
    return []


def department_task(step: StepContext) -> list[CreatedObject]:
    """9.6, 9.8, 9.15: a task to the sample-preparation department; its answer is shown in the run."""
    text = step.data.get("question") or "Проверить, осталось ли ДНК"
    made = give_task(
        step,
        title=text.splitlines()[0][:120],
        body=text,
        department=step.option("department"),
        role=ROLE_OF[Performer.RESPONSIBLE_PERSON],
        deadline="1 working day",
    )
    step.run.facts["department_task"] = made.obj.pk
    return [made]


def department_reply(run: Run) -> str:
    """What the department wrote in its task: the outcome of a closed one, else the last line of its
    dialogue.
    """
    task = Task.objects.filter(pk=run.facts.get("department_task")).first()
    if task is None or task.outcome:
        return task.outcome if task is not None else ""
    said = task.messages.exclude(by=task.author_id).exclude(by=None).last()
    return said.text if said is not None else ""


def department_answer(step: StepContext) -> list[CreatedObject]:
    """9.9: the department's answer out of its task; one that was told by telephone closes the task."""
    answer = step.data.get("answer") or department_reply(step.run)
    if not answer:
        raise Refused(
            "Отдел пробоподготовки ещё не ответил в задаче. Узнали иначе — напишите его ответ.",
            field="answer",
        )
    step.run.facts["department_answer"] = answer
    close_given(step, "department_task", answer)
    return []


def tell_logistics(step: StepContext) -> list[CreatedObject]:
    """5.8: the refusal goes to the logistics department, too."""
    city = step.run.facts.get("city", "")
    return [
        give_task(
            step,
            title=f"Отправка невозможна: {city or 'город не назван'}",
            body=step.data.get("question")
            or "Клиент просил курьера, из этого города отправки нет.",
            department=Department.LOGISTICS,
            role=ROLE_OF[Performer.LEAD_MANAGER_OKS],
            deadline="1 working day",
        )
    ]
