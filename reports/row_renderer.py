"""The parts of the report that repeat hundreds of times: check boxes of filters, rows, cells of
totals.

As templates they would cost more than the queries behind them (some three thousand look-ups a
page); each value is escaped here.
"""

import functools
from collections.abc import Iterable, Mapping
from html import (
    escape,  # Django's looks each time whether it was given a lazy text: a page has a thousand
)
from typing import Any

from django.template import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from callcenter.contacts.rules import ResultBadge
from callcenter.contacts.states import InteractionKind
from callcenter.lib.templatetags.formatting import clock, date_time, duration, percent, rub
from callcenter.lib.templatetags.icons import icon
from callcenter.lib.templatetags.phone_numbers import phone_for
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_CALL_PATIENTS, Role
from reports.dimensions import Dimension
from reports.filters import ALL, ReportFilter
from reports.queries import TotalsGroup
from reports.row_presenter import ReportRow, ResultExplanation, TypeBadge


def metric_help(text: str) -> SafeString:
    """The question mark that says what a number means."""
    badge = icon("help-circle")
    return mark_safe(  # noqa: S308 (the text is escaped)
        f'<details class="pop rule"><summary aria-label="Что значит это число">{badge}</summary>'
        f'<span class="pop-body">{escape(text)}</span></details>\n'
    )


def dimension_options(dimensions: Iterable[Dimension], chosen: str, before: str) -> SafeString:
    """The options of one level of totals."""
    options = [
        f'<option value="{one.slug}"{" selected" if one.slug == chosen else ""}>{before}: {one.title.lower()}</option>'
        for one in dimensions
    ]
    return mark_safe("".join(options))  # noqa: S308 (our own slugs and titles)


def choices(name: str, values: Iterable[tuple[object, str, bool]]) -> SafeString:
    """Check boxes of one filter."""
    boxes = [
        f'<label class="form-check"><input class="form-check-input" type="checkbox" name="{name}" value="{value}"'
        f'{" checked" if on else ""}><span class="form-check-label">{escape(label)}</span></label>'
        for value, label, on in values
    ]
    # Names and values are our own slugs and keys, labels are escaped
    return mark_safe("".join(boxes))  # noqa: S308


# --- Totals
# -----------------------------------------------------------------------------------------------------------


def groups(shown: Iterable[Mapping[str, Any]], report_filter: ReportFilter) -> SafeString:
    """The rows of totals: each group, and under an open one its second level."""
    html = []
    for number, row in enumerate(shown, start=1):
        toggle = (
            f'<a class="toggle" href="{escape(row["toggle"])}" data-open title="Детализировать"'
            f' aria-expanded="{"true" if row["is_open"] else "false"}">'
            f"{icon('chevron-down' if row['is_open'] else 'chevron-right')} {escape(row['group'].label)}</a>"
        )
        html.append(_group(row["group"], row["rows"], toggle, f"g{number}", "group", report_filter))
        for place, child in enumerate(row["children"], start=1):
            link = (
                f'<a class="toggle" href="{escape(child["rows"])}" data-open>{icon("corner-down-right")}'
                f" {escape(child['group'].label)}</a>"
            )
            html.append(
                _group(
                    child["group"],
                    child["rows"],
                    link,
                    f"g{number}-{place}",
                    "child",
                    report_filter,
                )
            )
    # Labels and addresses are escaped, the rest are numbers
    return mark_safe("".join(html))  # noqa: S308


def _group(
    group: TotalsGroup, rows: str, link: str, key: str, level: str, report_filter: ReportFilter
) -> str:
    now, before = group.now, group.before
    earlier = f'{before.booked} / {before.count} <span class="share">{percent(before.booked_share)}</span>'
    small = " small-sample" if now.small else ""
    fifth = now.missed or "" if report_filter.view == ALL else rub(now.money) if now.money else ""
    return (
        f'<tr data-row data-open-row class="{level}{small}" id="{key}"><th scope="row">{link}</th>'
        f'<td class="num"><a href="{escape(rows)}" title="Показать эти строки">{now.count}</a></td>'
        f'<td class="num">{percent(group.share)}</td>'
        f'<td class="num">{now.booked} / {now.count} <span class="share">{percent(now.booked_share)}</span></td>'
        f'<td class="num">{now.came}</td><td class="num">{fifth}</td>'
        f'<td class="num">{duration(now.mean_wait)}</td><td class="num">{duration(now.mean_talk)}</td>'
        f'<td class="num">{earlier if before.count else "—"}</td></tr>'
    )


# --- Rows
# -------------------------------------------------------------------------------------------------------------


def rows(context: RequestContext, report_rows: Iterable[ReportRow]) -> SafeString:
    """The rows of a page, of contacts or of interactions."""
    user, token, report_filter = (
        context["request"].user,
        str(context["csrf_token"]),
        context["report_filter"],
    )
    when = clock if report_filter.days == 1 else date_time
    several = len(context["clinics"]) > 1  # each with its own clock: a row says whose it is
    shown = [_row(row, user, token, _when(row, when(row.at), several)) for row in report_rows]
    return mark_safe("".join(shown))  # noqa: S308


def _when(row: ReportRow, when: str, several: bool) -> str:
    return (
        f'{when}<div class="text-secondary small clinic">{escape(row.clinic.name)}</div>'
        if several
        else when
    )


def _row(row: ReportRow, user: User, token: str, when: str) -> str:
    tone = f' class="row-{row.tone}"' if row.tone else ""
    key = f"i{row.interaction.pk}" if row.interaction else f"c{row.contact.pk}"
    explanation = (
        f' tabindex="0">{_outcome(row)}{_explanations(row.explanations)}'
        if row.explanations
        else f">{_outcome(row)}"
    )
    return (
        f'<tr data-row data-open-row id="{key}"{tone}>{"" if row.interaction else _arrow(row)}'
        f'<td class="text-nowrap" data-label="Когда">{when}</td>'
        f'<td class="kind" data-label="Тип">{_kind(row.badge)}</td>'
        f'<td data-label="Кто">{_who(row, user)}</td>'
        f'<td data-label="Кто, тип">{row.who}</td>'
        f'<td data-label="Тема">{escape(row.topic)}</td>'
        f'<td class="outcome" data-label="Успешность"{explanation}</td>'
        f'<td class="text-nowrap" data-label="Сотрудник">{_employee(row)}</td>'
        f'<td data-label="Канал">{escape(row.channel)}</td>'
        f'<td class="comment" data-label="Комментарий">{_recordings(row)}{_comment(row)}</td>'
        f'<td class="num" data-label="Ожидание">{duration(row.wait_seconds)}</td>'
        f'<td class="num" data-label="Длительность">{duration(row.talk_seconds)}</td>'
        f'<td class="row-actions">{_menu(row, user, token)}</td></tr>'
    )


def _arrow(row: ReportRow) -> str:
    size = (
        f'<span class="size">{row.contact.interaction_count}</span>'
        if row.contact.interaction_count > 1
        else ""
    )
    return (
        f'<td class="unfold"><a class="btn btn-sm btn-icon" data-unfold href="{row.contact_url}" aria-expanded="false"'
        f' title="Развернуть обращение" aria-label="Развернуть обращение">{icon("chevron-right")}{size}</a></td>'
    )


@functools.cache
def _kind(badge: TypeBadge) -> str:
    noted = icon("message-2") if badge.noted else ""
    return (
        f'<span class="sym sym-{badge.tone}" title="{badge.word}">{icon(badge.icon)}{noted}</span>'
        f'<span class="word">{badge.word}</span>'
    )


def _who(row: ReportRow, user: User) -> str:
    number = escape(phone_for(row.number, user))
    who = f'<span class="text-nowrap">{number or "без номера"}</span>'
    if row.patient:
        who = f'<a class="text-nowrap" href="{row.patient_url}">{escape(row.patient.short)}</a>'
    if row.contact.is_first_time:
        who += f' <span class="first" title="Первичный пациент">{icon("user-plus", "первичный")}</span>'
    if row.contact.is_ambiguous:
        who += (
            f' <a class="badge whose-badge" href="{row.whose_url}"'
            ' title="У номера несколько пациентов: выберите, чьё это обращение">чей?</a>'
            if user.has(*CAN_CALL_PATIENTS)
            else ' <span class="badge whose-badge" title="У номера несколько пациентов">чей?</span>'
        )
    if row.patient and number:
        who += f'<div class="text-secondary small text-nowrap">{number}</div>'
    return who


def _outcome(row: ReportRow) -> str:
    if row.sign is None:
        return row.outcome
    count = f" {row.contact.results_count}" if row.contact.results_count > 1 else ""
    return (
        f'<span class="sign sign-{row.sign.colour}">{_sign(row.sign)}{count}</span> {row.outcome}'
    )


@functools.cache
def _sign(sign: ResultBadge) -> str:
    return icon(sign.icon, sign.word)


def _explanations(explanations: Iterable[ResultExplanation]) -> str:
    """«Всплывающая подсказка разделена на два столбца»; on the contact's page the same is
    reports/why.html.
    """
    cells = [
        f'<div class="why-cell{" main" if explanation.is_main else ""}{"" if explanation.is_counted else " text-secondary"}">'
        f'{escape(explanation.then)}<span class="text-secondary"> — {escape(explanation.then_by)}</span>'
        f"{'' if explanation.is_counted else ' (другой пациент, не считается)'}</div>"
        f'<div class="why-cell{" main" if explanation.is_main else ""}">{_now(explanation)}</div>'
        for explanation in explanations
    ]
    return (
        '<div class="why" role="tooltip"><div class="why-columns"><div class="why-head">В момент обращения</div>'
        f'<div class="why-head">Текущий статус</div>{"".join(cells)}</div></div>'
    )


def _now(explanation: ResultExplanation) -> str:
    main = " <strong>· главный результат</strong>" if explanation.is_main else ""
    if explanation.sign is None:
        return escape(explanation.now) + main
    sign = f'<span class="sign sign-{explanation.sign.colour}">{icon(explanation.sign.icon)}</span> {explanation.sign.word}'
    return f"{sign}: {escape(explanation.now)}{main}" if explanation.now else sign + main


def _employee(row: ReportRow) -> str:
    if not row.others:
        return escape(row.employee)
    names = escape(", ".join(row.others))
    return (
        f'{escape(row.employee)}<div class="text-secondary small" title="Участвовали: {names}">'
        f"+ {len(row.others)} участв.</div>"
    )


def _comment(row: ReportRow) -> str:
    if not row.comment:
        return ""
    text = escape(row.comment)
    return (
        f'<span class="clip{" text-secondary" if row.is_auto else ""}" title="{text}">{text}</span>'
    )


def _recordings(row: ReportRow) -> str:
    return "".join(
        f'<a class="btn btn-sm btn-icon play" href="{recording.url}" data-play="{recording.url}" title="Прослушать запись"'
        f' aria-label="Прослушать запись">{icon("player-play")}</a>'
        for recording in row.recordings[:2]
    )


def _menu(row: ReportRow, user: User, token: str) -> str:
    """What the right button of the mouse shows too; without scripts it opens by itself. Only what
    the user may do.
    """
    may_work = user.has(*CAN_CALL_PATIENTS)
    items = [_item(row.contact_url, "list-search", "Детализировать", "data-open")]
    if row.interaction:
        items.append(
            _item(row.rules_url, "route", "Посмотреть правила определения канала…", "data-window")
        )
        if may_work and row.interaction.kind == InteractionKind.CALL:
            items.append(_item(row.comment_url, "edit", "Изменить комментарий"))
        if may_work and row.is_open_request:
            items.append(
                _form_item(
                    reverse("contacts:handle", args=[row.interaction.pk]),
                    "check",
                    "Заявка обработана",
                    token,
                )
            )
        is_own = row.interaction.created_by_id == user.pk or user.has(Role.SENIOR)
        if may_work and is_own and row.interaction.kind == InteractionKind.COMMENT:
            url = reverse("contacts:delete_comment", args=[row.interaction.pk])
            items.append(_form_item(url, "trash", "Удалить комментарий", token))
    if may_work and not row.patient:
        items.append(_item(row.whose_url, "user-question", "Чьё это обращение?"))
    return (
        '<details class="pop pop-right"><summary class="btn btn-sm btn-icon" aria-label="Действия со строкой"'
        f' title="Действия (или правая кнопка мыши)">{icon("dots")}</summary>'
        f'<div class="pop-body" data-menu>{"".join(items)}</div></details>'
    )


def _item(url: str, name: str, words: str, flag: str = "") -> str:
    return f'<a class="pop-item" {flag} href="{url}">{icon(name)} {words}</a>'


def _form_item(url: str, name: str, words: str, token: str) -> str:
    return (
        f'<form method="post" action="{url}"><input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        f'<button class="pop-item">{icon(name)} {words}</button></form>'
    )
