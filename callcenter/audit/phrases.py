"""The audit log in Russian: a phrase for every action that `audit.actions.record` is called
with, words for fields.

The shared core knows no feature app, so the phrases of all of them are here. A test holds
the table against the code: every action has a phrase. A phrase stays when its action goes: the
entries of that time are still read.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field

from callcenter.audit.models import AuditEntry
from callcenter.lib.calendar_names import weekday_name
from callcenter.lib.localtime import local
from callcenter.staff.roles import Role, ShiftColour

PHRASES: Final[dict[str, str]] = {
    "staff.create_user": "завёл сотрудника",
    "staff.change_user": "изменил сотрудника",
    "staff.place_user": "изменил клиники сотрудника",
    "staff.dismiss_user": "отключил сотрудника",
    "staff.return_user": "вернул сотрудника",
    "staff.set_password": "задал сотруднику новый пароль",
    "staff.change_password": "сменил свой пароль",
    "staff.change_profile": "изменил свой профиль",
    "staff.export_list": "выгрузил список",
    "staff.save_view": "сохранил вид списка",
    "staff.delete_view": "удалил вид списка",
    "staff.set_shift": "поставил смену",
    "staff.copy_week": "повторил смены прошлой недели",
    "clinics.create_clinic": "добавил клинику",
    "clinics.change_clinic": "изменил настройки клиники",
    "clinics.set_special_day": "записал особый день",
    "clinics.remove_special_day": "убрал особый день",
    "clinics.record_legal_basis": "записал основание",
    "clinics.end_legal_basis": "закончил основание",
    "clinics.create_doctor": "добавил врача",
    "clinics.change_doctor": "изменил врача",
    "clinics.create_service": "добавил услугу",
    "clinics.change_service": "изменил услугу",
    "clinics.create_specialty": "добавил специальность",
    "clinics.change_specialty": "переименовал специальность",
    "clinics.remove_specialty": "убрал специальность",
    "assignments.create_task": "поставил задачу",
    "assignments.take_task": "взял задачу",
    "assignments.hand_over_task": "передал задачу",
    "assignments.move_task": "перенёс срок задачи",
    "assignments.close_task": "закрыл задачу",
    "assignments.escalate_task": "поднял просроченную задачу",
    "clinics.booked": "записал на приём",
    "clinics.moved": "перенёс приём",
    "clinics.cancelled": "отменил приём",
    "clinics.marked": "отметил приём",
    "clinics.open_waiting": "внёс в лист ожидания",
    "clinics.move_waiting": "перенёс звонок листа ожидания",
    "clinics.give_waiting": "назначил, кто позвонит",
    "clinics.close_waiting": "закрыл запись листа ожидания",
    "clinics.view_patient": "открыл карту пациента",
    "clinics.create_patient": "завёл карту пациента",
    "clinics.change_patient": "изменил карту пациента",
    "clinics.record_consent": "записал согласие или отказ",
    "clinics.set_do_not_call": "изменил отметку «не звонить»",
    "clinics.start_import": "загрузил файл импорта",
    "clinics.check_import": "проверил файл импорта",
    "clinics.confirm_import": "подтвердил импорт",
    "clinics.load_import": "выполнил импорт",
    "clinics.drop_import": "отменил импорт",
    "clinics.export_rejected": "скачал отклонённые строки импорта",
    "contacts.add_by_hand": "добавил обращение",
    "contacts.assign_patient": "уточнил, кто обратился",
    "contacts.handle_request": "обработал заявку",
    "contacts.delete_comment": "удалил комментарий",
    "contacts.link_result": "привязал результат к обращению",
    "contacts.unlink_result": "отвязал результат от обращения",
    "contacts.dismiss_result": "отложил результат без обращения",
    "contacts.order_recount": "запустил пересчёт каналов",
    "contacts.create_key": "выдал ключ источника",
    "contacts.revoke_key": "отозвал ключ источника",
    "contacts.save_topic": "сохранил тему разговоров",
    "contacts.save_reason": "сохранил причину",
    "contacts.save_adchannel": "сохранил рекламный канал",
    "contacts.save_channelrule": "сохранил правило канала",
    "contacts.save_directorynumber": "сохранил запись справочника номеров",
    "contacts.delete_topic": "удалил тему разговоров",
    "contacts.delete_reason": "удалил причину",
    "contacts.delete_adchannel": "удалил рекламный канал",
    "contacts.delete_channelrule": "удалил правило канала",
    "contacts.delete_directorynumber": "удалил запись справочника номеров",
    "contacts.save_policy": "изменил правила истории обращений",
    "contacts.listen": "прослушал запись разговора",
    "contacts.read_chat": "прочитал переписку",
    "contacts.read_transcript": "прочитал расшифровку разговора",
    "messaging.send_again": "отправил сообщение ещё раз",
    "messaging.answer_visit": "отметил ответ пациента о визите",
    "messaging.accept_reply_intent": "подтвердил смысл ответа пациента",
    "messaging.save_template": "сохранил шаблон сообщения",
    "messaging.drop_template": "убрал шаблон сообщения",
    "messaging.save_cascade": "изменил порядок каналов",
    "messaging.save_provider": "изменил подключение сообщений",
    "telephony.add_line": "записал номер клиники",
    "telephony.remove_line": "убрал номер клиники",
    "telephony.bind_phone": "выбрал аппарат на смену",
    "telephony.call_patient": "позвонил пациенту",
    "telephony.transfer_call": "перевёл звонок коллеге",
    "journals.open_entry": "добавил в Журнал КОС",
    "journals.edit_entry": "изменил запись Журнала КОС",
    "journals.view_card": "открыл карточку КОС",
    "journals.record_call": "записал итог звонка КОС",
    "journals.take_over": "забрал карточку у коллеги",
    "journals.grant_call": "разрешил ещё один звонок",
    "journals.clear_flag": "снял отметку с записи КОС",
    "journals.set_policy": "изменил правила прозвона",
    "journals.give_plan": "дал план прозвона",
    "journals.redistribute": "перераспределил план",
    "journals.follow_waiting": "вернул запись КОС по дате листа ожидания",
    "journals.close_found": "закрыл запись КОС по найденному визиту",
    "journals.settle_visits": "выбрал визит для записи КОС",
    "journals.export_results": "выгрузил результаты прозвона",
    "reminders.open_run": "открыл дозвон дня",
    "reminders.send_all": "отправил напоминания всем",
    "reminders.send_one": "отправил напоминание",
    "reminders.send_blue_sms": "отправил СМС голубым",
    "reminders.mark_called": "отметил «позвонили»",
    "reminders.undo_mark": "снял отметку",
    "reminders.save_result": "записал итог звонка",
    "reminders.save_day_call": "записал итог дневного дозвона",
    "reminders.hand_over": "передал дозвон смене",
    "reminders.view_card": "открыл карточку дозвона",
    "reminders.export_report": "выгрузил отчёт по дозвону",
    "reminders.open_report_rows": "открыл строки отчёта по дозвону",
    "reminders.save_settings": "изменил настройки дозвона",
    "callback.accept_request": "принял заявку на обратный звонок",
    "callback.choose_patient": "выбрал пациента заявки",
    "callback.create_source": "добавил источник заявок",
    "callback.change_source": "изменил источник заявок",
    "callback.change_settings": "изменил порядок обратных звонков",
    "callback.export_report": "выгрузил отчёт обратных звонков",
    "b2c_procedures.start_run": "начал процедуру",
    "b2c_procedures.take_run": "взял процедуру",
    "b2c_procedures.press": "выполнил шаг процедуры",
    "b2c_procedures.go_back": "вернулся на шаг назад",
    "b2c_procedures.stop_run": "прервал процедуру",
    "b2c_procedures.hand_over": "передал процедуру",
    "b2c_procedures.set_client": "указал клиента процедуры",
    "b2c_procedures.create_order": "создал заказ",
    "b2c_procedures.change_studies": "изменил исследования заказа",
    "b2c_procedures.set_order_status": "изменил статус заказа",
    "b2c_procedures.set_invoice_state": "изменил состояние счёта",
    "b2c_procedures.move_due_date": "перенёс срок результата",
    "b2c_procedures.ask_result_date": "запросил дату результата",
    "b2c_procedures.answer_chat": "ответил в чате",
    "b2c_procedures.transfer_chat": "передал чат",
    "b2c_procedures.pause_chats": "ушёл из чатов",
    "b2c_procedures.close_chat": "закрыл чат",
    "b2c_procedures.set_topic": "указал тему чата",
    "b2c_procedures.lift_refusal": "снял с заказа статус «Отказ»",
    "b2c_procedures.save_phrase": "изменил запретную формулировку",
    "b2c_procedures.save_text": "изменил текст",
    "b2c_procedures.save_reference": "изменил справочник процедур",
    "b2c_procedures.import_reference": "загрузил справочник процедур",
    "b2c_procedures.save_settings": "изменил настройки процедур",
    "b2c_procedures.publish_version": "опубликовал редакцию процедуры",
    "b2c_procedures.confirm_versions": "подтвердил актуальность процедур",
    "b2c_procedures.view_receipt": "открыл чек",
    "b2c_procedures.export_report": "выгрузил отчёт по процедурам",
    "reports.export": "выгрузил отчёт",
}

APPS: Final[dict[str, str]] = {
    "staff": "Сотрудники и смены",
    "clinics": "Клиники, пациенты, расписание",
    "assignments": "Задачи",
    "contacts": "Обращения",
    "messaging": "Сообщения",
    "telephony": "Телефония",
    "journals": "Журнал КОС",
    "reminders": "Дозвон",
    "callback": "Обратный звонок",
    "b2c_procedures": "Процедуры",
    "reports": "Отчёты",
}

_WEEKDAY_FIELDS: Final = {f"weekday_{weekday}": weekday for weekday in range(7)}
# Words for what is no field of the object's own model.
FIELDS: Final[dict[str, str]] = {
    "clinics": "клиники",
    "phones": "телефоны",
    "colour": "смена",
    "on": "день",
    "week": "неделя с",
    "shifts": "смен",
    "holder": "держит",
    "role": "роль",
    "state": "состояние",
    "outcome": "итог",
    "reason": "причина",
    "status": "статус",
    "source": "источник",
    "opens": "открывается",
    "closes": "закрывается",
    "basis": "основание",
    "since": "с",
    "until": "по",
    "purpose": "цель",
    "channel": "канал",
    "granted": "согласен",
    "appointment": "приём №",
    "contact": "обращение №",
    "interaction": "звонок №",
    "step": "шаг",
    "cancel_missing": "отменить пропавшие",
    "created": "добавлено",
    "changed": "изменено",
    "unchanged": "без изменений",
    "moved": "перенесено",
    "cancelled": "отменено",
    "closed": "закрыто",
    "missing": "нет в файле",
    "rejected": "не загружено",
}
_CHOICES: Final[dict[str, dict[str, str]]] = {
    "colour": dict(ShiftColour.choices),
    "role": dict(Role.choices),
}


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry, in words; `was` is None when nothing else was, or the action only tells
    what became.
    """

    name: str
    was: str | None
    became: str


def phrase(action: str) -> str:
    """What was done, in Russian; an action of a former version, whose phrase is gone, by its name."""
    return PHRASES.get(action, action)


def field_changes(entry: AuditEntry, zone: str) -> Iterator[FieldChange]:
    """The entry's before and after, field by field, instants on the wall clock of `zone`."""
    before, after = entry.before or {}, entry.after or {}
    for name in {**before, **after}:
        field = _field(entry.object_kind, name)
        word = _field_name(name, field)
        was = _value(before[name], name, field, zone) if name in before else None
        became = _value(after.get(name), name, field, zone)
        yield FieldChange(word, None if was == became else was, became)


def _field_name(name: str, field: "Field[Any, Any] | None") -> str:
    if name in _WEEKDAY_FIELDS:
        return weekday_name(_WEEKDAY_FIELDS[name])
    if name in FIELDS or field is None:
        return FIELDS.get(name, name.replace("_", " "))
    return str(field.verbose_name)


def _field(kind: str, name: str) -> "Field[Any, Any] | None":
    try:
        found = apps.get_model(kind)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None
    return found if isinstance(found, Field) else None


def _value(value: object, name: str, field: "Field[Any, Any] | None", zone: str) -> str:
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, list):
        return ", ".join(
            _value(item, name, getattr(field, "base_field", None), zone) for item in value
        )
    if isinstance(value, dict):
        return ", ".join(
            f"{FIELDS.get(key, key)}: {_value(item, key, None, zone)}"
            for key, item in value.items()
        )
    choices = _CHOICES.get(name) or dict(getattr(field, "flatchoices", None) or ())
    return str(
        choices.get(str(value)) or (_moment(value, zone) if isinstance(value, str) else value)
    )


def _moment(text: str, zone: str) -> str:
    """ISO dates and times as people write them; any other text as it is."""
    if len(text) >= 10 and text[4:5] == "-":
        try:
            if len(text) == 10:
                return f"{dt.date.fromisoformat(text):%d.%m.%Y}"
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return text
        return f"{local(moment, zone) if moment.tzinfo else moment:%d.%m.%Y %H:%M}"
    if len(text) == 8 and text[2:3] == ":" and text[5:6] == ":":
        return text[:5]
    return text
