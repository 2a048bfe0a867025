"""The client service of the demo: tests, orders, institutions, couriers, branches, runs on the way,
chats that wait.
"""

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from b2c_procedures.actions.chat_distribution import gather_due_chats
from b2c_procedures.actions.orders import create_order
from b2c_procedures.actions.runs import press, screen_of, start_run, stop_run
from b2c_procedures.actions.versions import store_packaged
from b2c_procedures.definition import packaged
from b2c_procedures.models import Branch, CourierCity, Institution, Order, Run, Study
from b2c_procedures.states import LIVE_RUNS, OrderStatus
from callcenter.clinics.models import Clinic, Patient
from callcenter.contacts.models import Topic
from callcenter.lib.errors import DomainError
from callcenter.messaging.actions.chats import receive_reply
from callcenter.messaging.gateways.base import Reply
from callcenter.messaging.models import Provider
from callcenter.staff.models import User

STUDIES: Final = (
    # code, name, days, roubles, biomaterial, description, preanalytics
    ("ЭКЗ-1", "Полноэкзомное секвенирование", 45, 39_900, "кровь 4 мл", "Поиск причин наследственных болезней по всем кодирующим участкам.", "Не натощак. Пробирка с ЭДТА, до 7 суток при +4 °C."),
    ("ГЕН-1", "Полногеномное секвенирование", 60, 79_900, "кровь 4 мл", "Самое полное исследование ДНК.", "Не натощак. Пробирка с ЭДТА."),
    ("НИПТ-1", "Пренатальный тест на трисомии", 10, 24_500, "кровь 10 мл", "Скрининг хромосомных болезней плода с 10-й недели.", "С 10-й недели, одноплодная беременность, специальная пробирка."),
    ("КАР-1", "Кариотип", 15, 6_900, "кровь 5 мл", "Число и строение хромосом.", "За 2 недели отменить антибиотики, пробирка с гепарином."),
    ("ХМА-1", "Хромосомный микроматричный анализ", 20, 22_000, "кровь 4 мл", "Потерянные и лишние участки хромосом.", "Не натощак."),
    ("BRCA-1", "BRCA1 и BRCA2, полное исследование", 25, 18_500, "кровь или мазок", "Наследственный риск рака груди и яичников.", "Мазок: не есть и не курить час."),
    ("ОНКО-1", "Молекулярный профиль опухоли", 21, 64_000, "блоки и стёкла", "Подбор лечения по изменениям в опухоли.", "Парафиновый блок и два стекла, описание патолога."),
    ("РОД-1", "Установление родства", 7, 11_900, "мазок", "Отцовство, материнство, родство.", "Не есть час, чистить зубы не нужно."),
)  # fmt: skip
CITIES: Final = (
    ("Казань", (0, 2, 4)),
    ("Тула", (1, 3)),
    ("Тверь", (0, 3)),
    ("Пермь", (2,)),
    ("Омск", (1, 4)),
)
INSTITUTIONS: Final = (
    ("Москва", "Городская поликлиника № 901", ("КАР-1", "НИПТ-1")),
    ("Екатеринбург", "Областной центр охраны материнства", ("НИПТ-1", "ХМА-1")),
    ("Казань", "Городской онкологический диспансер", ("BRCA-1",)),
)
PARTNERS: Final = (
    ("Казань", "Пункт «Василёк»", "ул. Речная, 2"),
    ("Тула", "Пункт «Подорожник»", "ул. Полевая, 11"),
)
QUESTIONS: Final = (
    "Здравствуйте! Сколько стоит полногеномное секвенирование?",
    "Когда будет готов мой результат?",
    "Хочу вызвать курьера в Казани",
    "Где вы находитесь и до скольки работаете?",
    "Как получить справку для налоговой?",
)
RUNS: Final = (
    45  # finished ones of the last days, so that the head's figures have something to show
)


def load(now: dt.datetime) -> None:
    """After the chain and its patients. The same day gives the same service."""
    chance = random.Random(20_260_322)
    store_packaged(now=now)
    responsible = User.objects.get(login="responsible")
    studies = [
        Study.objects.create(
            code=code, name=name, term_days=days, price=Decimal(price), biomaterial=biomaterial, description=description,
            preanalytics=preanalytics, link=f"https://romashka.example.org/tests/{index + 1}", responsible=responsible,
        )
        for index, (code, name, days, price, biomaterial, description, preanalytics) in enumerate(STUDIES)
    ]  # fmt: skip
    _places({study.code: study for study in studies})
    for procedure in packaged().values():
        Topic.objects.get_or_create(name=procedure.title[:100])
    clinic = Clinic.objects.order_by("pk")[0]
    patients = list(Patient.objects.filter(clinics=clinic).order_by("pk")[:60])
    _orders(clinic, patients, studies, chance, now)
    _runs(clinic, patients, chance, now)
    _chats(patients, now)


def _places(studies: dict[str, Study]) -> None:
    CourierCity.objects.bulk_create(
        CourierCity(city=city, weekdays=list(days)) for city, days in CITIES
    )
    for city, name, codes in INSTITUTIONS:
        row = Institution.objects.create(city=city, name=name, note="направление 057/у")
        row.studies.set([studies[code] for code in codes])
    for clinic in Clinic.objects.order_by("pk"):
        city, _, street = clinic.address.partition(", ")
        Branch.objects.create(
            name=clinic.name, city=city, address=street, hours="пн–пт 9:00–20:00, сб 10:00–16:00", phone=clinic.phone,
            clinic=clinic,
        )  # fmt: skip
    Branch.objects.bulk_create(
        Branch(name=name, city=city, address=street, hours="пн–сб 8:00–14:00", partner=True)
        for city, name, street in PARTNERS
    )


def _orders(
    clinic: Clinic,
    patients: list[Patient],
    studies: list[Study],
    chance: random.Random,
    now: dt.datetime,
) -> None:
    """One of each fate: on its way, late with a new date, taken anew, done, a partner's, paid."""
    by = User.objects.get(login="administrator")
    today = now.date()
    for index, patient in enumerate(patients[:24]):
        made = now - dt.timedelta(days=chance.randint(2, 40))
        order = create_order(
            clinic=clinic, patient=patient, studies=[chance.choice(studies)], by=by, now=made
        )
        fate = index % 6
        order.biomaterial_received_on = made.date() if fate != 5 else None
        if fate == 1:
            order.moved_due_on = today + dt.timedelta(days=9)
        elif fate == 2:
            order.status = OrderStatus.RESAMPLE
        elif fate == 3:
            order.status, order.result_sent_on = OrderStatus.READY, today - dt.timedelta(days=1)
        elif fate == 4:
            order.partner = PARTNERS[0][1]
        else:
            order.status = OrderStatus.PAID
        order.save()


def _runs(clinic: Clinic, patients: list[Patient], chance: random.Random, now: dt.datetime) -> None:
    """Consultations and questions about hours and results led to their ends, and three still on the
    way.
    """
    by = [User.objects.get(login=login) for login in ("administrator", "administrator2")]
    for index in range(RUNS):
        at = now - dt.timedelta(days=chance.randint(1, 12), minutes=chance.randint(0, 400))
        order = Order.objects.order_by("pk")[index % 20]
        number = chance.choice((1, 8, 10))
        run = start_run(
            procedure=number,
            clinic=clinic,
            patient=order.patient,
            order=order,
            by=chance.choice(by),
            now=at,
        )
        at = _lead(run, at, chance.random, most=12)
        run.refresh_from_db()
        if run.state in LIVE_RUNS and run.holder is not None:
            stop_run(
                run, version=run.version, reason="клиент положил трубку", by=run.holder, now=at
            )
    for number, patient in zip((3, 13, 1), patients[30:33], strict=True):
        order = create_order(
            clinic=clinic, patient=patient, studies=[Study.objects.all()[0]], by=by[0], now=now
        )
        run = start_run(
            procedure=number, clinic=clinic, patient=patient, order=order, by=by[0], now=now
        )
        _lead(run, now, lambda: 0.0, most=2)


def _lead(run: Run, at: dt.datetime, chance: Callable[[], float], *, most: int) -> dt.datetime:
    """Presses as a person would, at a human pace; a step that wants what the demo does not say
    stays as it is.

    Returns when the last press was made (UTC).
    """
    for _ in range(most):
        screen = screen_of(run)
        if screen.kind == "end" or run.holder is None:
            return at
        buttons = [
            button
            for button in screen.buttons
            if not any(target.enters for target in button.targets)
        ]
        if not buttons:
            return at
        button = buttons[int(chance() * len(buttons))]
        seconds = screen.norm.seconds if screen.norm else 60
        at += dt.timedelta(seconds=int(seconds * (0.4 + chance() * 0.9)))
        data: dict[str, Any] = {"order": run.order, "question": "Подойдёт ли это исследование?"}
        try:
            run = press(run, version=run.version, key=button.key, by=run.holder, now=at, data=data)
        except DomainError:
            return at
    return at


def _chats(patients: list[Patient], now: dt.datetime) -> None:
    """Five clients have just written; the ticker has shared them out."""
    provider = Provider.objects.filter(channels__overlap=["telegram", "max", "whatsapp"]).first()
    if (
        provider is None
    ):  # the messages' own loader sets the gateways up; without them nobody can write
        return
    channel = next(name for name in provider.channels if name in {"telegram", "max", "whatsapp"})
    for index, text in enumerate(QUESTIONS):
        patient = patients[40 + index]
        phone = patient.phones.first()
        if phone is None:
            continue
        reply = Reply(
            id=f"demo-chat-{index}", sender=phone.number, name=patient.first_name, text=text, channel=channel, key="",
            at=now - dt.timedelta(seconds=20 * index),
        )  # fmt: skip
        receive_reply(reply, provider=provider, now=now)
    gather_due_chats(now=now)
