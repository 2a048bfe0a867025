"""Steps that send the client a link, a questionnaire, a contract, a receipt; and letters that are
watched.
"""

from typing import Final

from b2c_procedures.models import ProcedureSettings, SentToClient
from b2c_procedures.sending import send
from b2c_procedures.states import ROLE_OF, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, give_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused
from callcenter.lib.placeholders import fill_known

# what → (subject, text)
SENDINGS: Final[dict[str, tuple[str, str]]] = {
    "payment_and_questionnaire": ("Оплата и анкета", "Ссылка на оплату: {оплата}\nАнкета: {анкета}"),
    "doctors_link": ("Наши специалисты", "Список специалистов: {врачи}"),
    "documents": ("Документы на отправку", "Документы к отправке биоматериала готовы. Курьер: {курьер}."),
    "logistics_questionnaire": ("Анкета на доставку образцов", "Заполните, пожалуйста, анкету: {анкета}"),
    "chat_link": ("Чат с клиникой", "Напишите нам в чат: {чат}"),
    "contract": ("Договор", "Договор по вашему заказу {заказ} готов. Если чего-то не хватает, ответьте на это письмо."),
    "receipt": ("Квитанция на доплату", "{квитанция}\nОплатить: {оплата}"),
    "guarantee_letter": (
        "Гарантийное письмо", "Просим принять биоматериал клиента по заказу {заказ}. Оплату гарантируем."
    ),
    "return_letter": (
        "Возврат биоматериала", "Сообщим о готовности биоматериала к возврату в течение рабочего дня с его поступления."
    ),
}  # fmt: skip


def draft(
    step_what: str, settings: ProcedureSettings, run_facts: dict[str, object], order_number: str
) -> str:
    """The text as it will go out unless the manager changes it."""
    text = SENDINGS[step_what][1]
    values = {
        "оплата": settings.payment_link.replace("{заказ}", order_number),
        "анкета": settings.questionnaire_link.replace("{заказ}", order_number),
        "врачи": settings.doctors_link,
        "чат": settings.chat_link,
        "курьер": " ".join(str(run_facts[k]) for k in ("city", "on", "address") if run_facts.get(k))
        or "по заявке",
        "квитанция": str(run_facts.get("receipt", "Квитанция во вложении.")),
        "заказ": order_number,
    }
    return fill_known(text, values)


def _send(
    step: StepContext, what: str, *, channel: str, address: str, text: str, to_partner: bool = False
) -> SentToClient:
    return send(
        step,
        what=what,
        channel=channel,
        address=address,
        subject=SENDINGS[what][0],
        text=text,
        to_partner=to_partner,
    )


def send_link(step: StepContext) -> list[CreatedObject]:
    """3.6, 4.15, 5.4, 5.7, 6.6, 7.7, 9.3, 9.5, 9.13, 15.12: sent by message or mail; its delivery
    is shown in the run.
    """
    patient = step.patient()
    what = step.option("what")
    channel = step.data.get("channel") or ("email" if patient.email else "sms")
    address = step.data.get("address") or (patient.email if channel == "email" else _number(step))
    if not address:
        raise Refused("Куда отправить? Укажите адрес или номер.", field="address")
    if channel == "email" and not patient.email:
        patient.email = address
        patient.save(update_fields=["email"])
    number = step.run.order.number if step.run.order else ""
    text = step.data.get("text") or draft(what, ProcedureSettings.present(), step.run.facts, number)
    sent = _send(step, what, channel=channel, address=address, text=text)
    return [CreatedObject(sent, f"Отправлено: {sent.subject}", "")]


def letter(step: StepContext) -> list[CreatedObject]:
    """3.7 to the partner, 11.4 to the client: a letter within one working day, watched by a task of
    that deadline.
    """
    what = step.option("what")
    title = SENDINGS[what][0]
    made: list[CreatedObject] = []
    watch = give_task(
        step,
        title=f"{title}: проконтролировать письмо",
        body="Письмо уходит в течение 1 рабочего дня"
        + (f" ({step.function.term})." if step.function.term else "."),
        department=Department.OKS,
        role=ROLE_OF[Performer.MANAGER_OKS],
        deadline="1 working day",
    )
    made.append(watch)
    to_partner = step.option("to") == "partner"
    address = step.data.get("address") or (
        ProcedureSettings.present().partner_email
        if to_partner
        else (step.run.patient.email if step.run.patient else "")
    )
    if step.data.get("send_now") or to_partner:
        if not address:
            raise Refused("Укажите адрес эл. почты для письма.", field="address")
        number = step.run.order.number if step.run.order else ""
        text = step.data.get("text") or draft(
            what, ProcedureSettings.present(), step.run.facts, number
        )
        sent = _send(step, what, channel="email", address=address, text=text, to_partner=to_partner)
        made.append(CreatedObject(sent, f"Отправлено: {sent.subject}", ""))
    return made


def _number(step: StepContext) -> str:
    if step.run.number:
        return step.run.number
    phone = step.patient().phones.first()
    return phone.number if phone is not None else ""
