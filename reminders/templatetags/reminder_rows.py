"""A row of «Дозвон» as HTML. The one part of the pages that is written in Python: a list has a
thousand of them, and a template takes ten times as long.

Each cell is a function. Every text of a row goes through `escape`; only numbers and this module's
own words do not.
"""

from dataclasses import dataclass
from html import escape
from typing import Final

from django import template
from django.utils.safestring import SafeString

from reminders.queries.rows import ICON, TINT, ReminderRow
from reminders.states import Colour

register = template.Library()


@dataclass(frozen=True, slots=True)
class RowContext:
    """What of the screen a row depends on."""

    round: str  # evening, day
    can_work: bool
    several: bool  # rows of several clinics stand together


@register.simple_tag(takes_context=True)
def reminder_row(context: template.Context, row: ReminderRow) -> SafeString:
    """The row as the page's `round`, `can_work`, `several` want it; `problem` stands in it instead
    of its call.
    """
    return SafeString(row_html(row, _look(context), str(context.get("problem") or "")))


@register.simple_tag(takes_context=True)
def reminder_rows(context: template.Context, rows: list[ReminderRow]) -> SafeString:
    """All rows of a list, with nothing between them."""
    look = _look(context)
    return SafeString("".join([row_html(row, look) for row in rows]))


def _look(context: template.Context) -> RowContext:
    round = "day" if context["round"] == "day" else "evening"
    return RowContext(round, bool(context["can_work"]), bool(context["several"]))


def row_html(row: ReminderRow, look: RowContext, problem: str = "") -> str:
    """The row with its cells in the order of the table's head (templates/reminders/list.html)."""
    several = "&amp;several=1" if look.several else ""
    until = f' data-until="{row.until}"' if look.round == "day" else ""
    clinic = f'<td class="clinic">{escape(row.clinic)}</td>' if look.several else ""
    return (
        f'<tr id="r{row.id}" data-row data-v="{row.v}" data-order="{row.order}"{until} '
        f'data-row-url="/reminders/{row.id}/row/?round={look.round}{several}" class="{_classes(row)}">'
        f'<td class="when"><b>{escape(row.time)}</b> <span class="on">{escape(row.day)}</span></td>'
        f"{_who(row, look)}{_phone(row)}{clinic}"
        f'<td class="doctor">{escape(row.doctor)}</td>'
        f"{_state(row, look)}{_call(row, look, problem)}{_acts(row, look)}</tr>"
    )


def _classes(row: ReminderRow) -> str:
    return f"{'row-called ' if row.called else ''}{'row-left' if row.left else ''}".rstrip()


def _who(row: ReminderRow, look: RowContext) -> str:
    silent = _icon("phone-off", "просил не звонить") if row.do_not_call else ""
    note = f'<span class="note">{escape(row.comment)}</span>' if row.comment else ""
    return (
        f'<td class="who"><a href="/reminders/{row.id}/?round={_round(row, look)}" data-open data-menu="{row.id}" '
        f'data-run="{row.run}" data-appointment="{row.appointment}" data-patient="{row.patient}">{escape(row.name)}</a>'
        f"{silent}{note}</td>"
    )


# The coloured number's frame: colour, icon and word never come apart.
_TONES: Final[dict[Colour, tuple[str, str]]] = {
    tone: (
        f'<td class="tel"><span class="tint {TINT[tone]}"><i class="ti ti-{ICON[tone]}"></i> ',
        f' <span class="tone">{tone.label}</span></span>',
    )
    for tone in Colour
}


def _phone(row: ReminderRow) -> str:
    before, after = _TONES[row.colour]
    phone, number = escape(row.phone), escape(row.number)
    shown = f'<a href="tel:{number}" data-call="{number}">{phone}</a>' if number else phone
    return f"{before}{shown}{after}{_icon('alert-triangle text-warning', row.warning) if row.warning else ''}</td>"


def _icon(name: str, title: str) -> str:
    said = escape(title)
    return f' <i class="ti ti-{name}" role="img" aria-label="{said}" title="{said}"></i>'


def _state(row: ReminderRow, look: RowContext) -> str:
    answer = f"<b>{escape(row.answer)}</b> · " if row.answer else ""
    opened = ""
    if row.opened and not row.answer:
        opened = (
            f' <span class="opened"><i class="ti ti-eye"></i> открыл {escape(row.opened)}</span>'
        )
    return f'<td class="state">{answer}{escape(row.state)}{opened}{_reply(row, look) if row.reply else ""}</td>'


def _reply(row: ReminderRow, look: RowContext) -> str:
    """The patient's words with the proposed intent: a button that accepts it, as long as nobody
    has.
    """
    means = f" — {escape(row.reply_intent_label)}"
    if row.reply_id and look.can_work:
        means = (
            f' <button form="marks" class="btn btn-sm" formaction="/reminders/{row.id}/replies/{row.reply_id}/" '
            f'name="intent" value="{escape(row.reply_intent)}" data-reply>{escape(row.reply_intent_label)}?</button>'
        )
    return f'<span class="reply"><i class="ti ti-message"></i> «{escape(row.reply)}»{means}</span>'


def _call(row: ReminderRow, look: RowContext, problem: str) -> str:
    asks = (
        look.can_work
        and not row.left
        and not _by_day(row, look)
        and ((row.called and not row.result) or row.mine)
    )
    return f'<td class="call">{_called(row, problem)}{_results(row) if asks else ""}</td>'


def _called(row: ReminderRow, problem: str) -> str:
    if problem:
        return f'<span class="text-danger">{escape(problem)}</span>'
    if row.calling:
        return f'<span class="calling"><i class="ti ti-phone-call"></i> звонит {escape(row.calling)}</span>'
    if row.mine:
        return '<span class="calling"><i class="ti ti-phone-call"></i> вы звоните</span>'
    if row.called:
        what = escape(row.result_word) or "позвонили"
        by = f'<span class="by">{escape(row.called_by)} {escape(row.called_at)}</span>'
        return f'<span class="called"><i class="ti ti-phone-check"></i> {what}</span>{by}'
    return ""


def _results(row: ReminderRow) -> str:
    words = (("coming", "придёт"), ("not_coming", "не придёт"), ("unreached", "не взял"))
    buttons = [
        f'<button form="marks" class="btn btn-sm" formaction="/reminders/{row.id}/result/" name="result" value="{value}">'
        f"{word}</button>"
        for value, word in words
    ]
    return f'<span class="results">{"".join(buttons)}</span>'


def _acts(row: ReminderRow, look: RowContext) -> str:
    if not look.can_work or row.left:
        return '<td class="row-acts"></td>'
    return (
        f'<td class="row-acts">{_mark(row, look)}<a class="btn btn-sm" href="/reminders/{row.id}/?round={_round(row, look)}" '
        'data-menu-button title="действия"><i class="ti ti-dots"></i></a></td>'
    )


def _mark(row: ReminderRow, look: RowContext) -> str:
    if _by_day(row, look):
        href = f"/reminders/{row.id}/?round=day"
        return f'<a class="btn btn-sm" href="{href}" data-mark data-card><i class="ti ti-phone"></i> записать</a>'
    undo, icon = 'title="позвонили (двойной щелчок, пробел)"', "phone-check"
    if row.called:
        undo, icon = 'name="undo" value="1" title="снять отметку"', "arrow-back-up"
    action = f"/reminders/{row.id}/mark/"
    return f'<button form="marks" class="btn btn-sm" formaction="{action}" {undo} data-mark><i class="ti ti-{icon}"></i></button>'


def _by_day(row: ReminderRow, look: RowContext) -> bool:
    """Whether a call is written down as one of ДД, with its two answers and the comment."""
    return look.round == "day" or row.is_today


def _round(row: ReminderRow, look: RowContext) -> str:
    return "day" if _by_day(row, look) else look.round
