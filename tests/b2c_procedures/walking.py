"""Leading a run through its pages as people do: the right person takes it, fills in the form and
presses.
"""

from typing import Any

from django.test import Client
from django.utils import timezone

from b2c_procedures import engine
from b2c_procedures.actions.runs import screen_of, start_run
from b2c_procedures.models import Run
from b2c_procedures.states import ACTS_AS, LIVE_RUNS, Performer
from b2c_procedures.steps.forms import StepForm
from b2c_procedures.steps.registry import STEP_ACTIONS
from b2c_procedures.version_lookup import book_of
from callcenter.staff.models import User
from tests.b2c_procedures.conftest import Service


def form_of(run: Run, user: User) -> StepForm | None:
    function = screen_of(run).function
    if (
        function is None
        or function.action not in STEP_ACTIONS
        or not STEP_ACTIONS[function.action].fields
    ):
        return None
    return StepForm(None, run=run, function=function, now=timezone.now(), user=user, prefix="step")


def answers(service: Service, run: Run, user: User) -> dict[str, Any]:
    """What a diligent manager types into the step's form."""
    form = form_of(run, user)
    if form is None:
        return {}
    given: dict[str, Any] = {
        "question": "Подойдёт ли экзом?",
        "answer": "Да, хватит",
        "comment": "клиент просил",
        "city": "Казань",
        "address": "client@clinic.example"
        if screen_of(run).function.action == "letter"  # type: ignore[union-attr]
        else "ул. Ясная, 5",
        "on": "2026-03-20",
        "email": "client@clinic.example",
        "call_on": "2026-03-20",
        "call_at": "2026-03-19T15:00",
        "documents": "заявление, реквизиты",
        "amount": "45000",
        "number": "С-17",
        "pay_by": "2026-03-30",
        "ground": "не готов результат",
        "way": "",
        "taxpayer": "Клиентов Иван Иванович",
        "inn": "500100732259",
        "years": "2025",
        "branch": str(service.branch.pk),
        "send_now": "on",
        "sender": "person",
        "sender_name": "Клиентова Мария Ивановна",
        "colleague": "",
        "doctor": "",
        "channel": "email",
        "text": "Ссылка на оплату",
    }
    data: dict[str, Any] = {}
    for name in form.fields:
        if name == "window":
            data["step-window"] = str(service.world.window().pk)
        elif name == "order":
            data["step-order"] = str((run.order or service.order()).pk)
        elif name == "studies":
            data["step-studies"] = [str(service.dearer.pk)]
        else:
            data[f"step-{name}"] = given[name]
    if screen_of(run).function.action == "send":  # type: ignore[union-attr]
        data["step-address"] = "client@clinic.example"
    return data


def performer_of(service: Service, run: Run) -> User:
    """Whose turn it is: the holder if he may, else somebody of the role."""
    function = screen_of(run).function
    if function is None:
        return run.holder or service.manager
    roles = ACTS_AS[Performer(function.performer)]
    if run.holder is not None and run.holder.has(*roles):
        return run.holder
    return next(person for person in service.everybody if person.has(*roles))


def press(service: Service, run: Run, key: str, *, opens_page: bool = True, **changes: Any) -> Run:
    """One press through the page, by whoever's turn it is; fails unless the page goes on."""
    user = performer_of(service, run)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    if run.holder_id != user.pk:
        taken = client.post(f"/b2c_procedures/runs/{run.pk}/take/")
        assert taken.status_code == 302, taken.content.decode()[:3000]
        run.refresh_from_db()
    if opens_page:
        page = client.get(f"/b2c_procedures/runs/{run.pk}/")
        assert page.status_code == 200
    data = {"version": run.version, "key": key, **answers(service, run, user), **changes}
    answer = client.post(f"/b2c_procedures/runs/{run.pk}/", data)
    assert answer.status_code == 302, (run.at_function, key, problems(answer.content.decode()))
    return Run.objects.get(pk=run.pk)


def problems(page: str) -> str:
    """The alerts and field errors of a page, for the message of a failed test."""
    import re

    found = re.findall(
        r'(?s)(?:class="alert[^>]*>|invalid-feedback[^>]*>|errorlist[^>]*>)(.{0,400})', page
    )
    return re.sub(r"<[^>]+>|\s+", " ", " | ".join(found))


def begin(service: Service, number: int) -> Run:
    return start_run(
        procedure=number,
        clinic=service.clinic,
        patient=service.patient,
        order=service.order(),
        by=performer_of_start(service, number),
        now=timezone.now(),
    )


def performer_of_start(service: Service, number: int) -> User:
    return service.consultant if number == 2 else service.manager


def finish(service: Service, run: Run) -> Run:
    """By the shortest way to the end, through the pages."""
    for _ in range(60):
        if run.state not in LIVE_RUNS:
            return run
        screen = screen_of(run)
        if screen.kind == "returned":
            key = (
                engine.ALL
                if any(button.key == engine.ALL for button in screen.buttons)
                else engine.ON
            )
        else:
            assert screen.function is not None
            key = engine.shortest_end(screen.procedure, book_of(run))[screen.function.id]
        run = press(service, run, key, opens_page=False)
    raise AssertionError("the run did not end")
