"""A row of «Дозвон» as HTML. The one part of the pages that is written in Python: a list has a thousand of them, and a
template takes ten times as long. Each cell is a function; `format_html` escapes whatever is put into it."""

from dataclasses import dataclass
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reminders.queries.rows import ICON, TINT, Row
from reminders.states import Colour

register = template.Library()
_NOTHING: Final = SafeString("")


@dataclass(frozen=True, slots=True)
class Look:
    """What of the screen a row depends on."""

    round: str  # evening, day
    can_work: bool
    several: bool  # rows of several clinics stand together


@register.simple_tag(takes_context=True)
def reminder_row(context: template.Context, row: Row) -> SafeString:
    """The row as the page's `round`, `can_work`, `several` want it; `problem` stands in it instead of its call."""
    look = Look(str(context["round"]), bool(context["can_work"]), bool(context["several"]))
    return row_html(row, look, str(context.get("problem") or ""))


@register.simple_tag(takes_context=True)
def reminder_rows(context: template.Context, rows: list[Row]) -> SafeString:
    """All rows of a list, with nothing between them."""
    look = Look(str(context["round"]), bool(context["can_work"]), bool(context["several"]))
    return SafeString("".join([row_html(row, look) for row in rows]))


def row_html(row: Row, look: Look, problem: str = "") -> SafeString:
    """The row with its cells in the order of the table's head (templates/reminders/list.html)."""
    several = "&several=1" if look.several else ""
    until = row.until if look.round == "day" else ""
    clinic = format_html('<td class="clinic">{}</td>', row.clinic) if look.several else _NOTHING
    return format_html(
        '<tr id="r{}" data-row data-v="{}" data-order="{}" data-until="{}" data-row-url="/reminders/{}/row/?round={}{}" class="{}">'
        '<td class="when"><b>{}</b> <span class="on">{}</span></td>{}{}{}<td class="doctor">{}</td>{}{}{}</tr>',
        *(row.id, row.v, row.order, until, row.id, look.round, several, _classes(row)),
        *(row.time, row.day, _who(row, look), _phone(row), clinic, row.doctor),
        *(_state(row, look), _call(row, look, problem), _acts(row, look)),
    )


def _classes(row: Row) -> str:
    return f"{'row-called ' if row.called else ''}{'row-left' if row.left else ''}".rstrip()


def _who(row: Row, look: Look) -> SafeString:
    return format_html(
        '<td class="who"><a href="/reminders/{}/?round={}" data-open data-menu="{}" data-run="{}" data-appointment="{}" '
        'data-patient="{}">{}</a>{}{}</td>',
        *(row.id, _round(row, look), row.id, row.run, row.appointment, row.patient, row.name),
        _DO_NOT_CALL if row.do_not_call else _NOTHING,
        format_html('<span class="note">{}</span>', row.comment) if row.comment else _NOTHING,
    )


_DO_NOT_CALL: Final = SafeString(
    ' <i class="ti ti-phone-off" role="img" aria-label="просил не звонить" title="просил не звонить"></i>'
)
# The coloured number's frame: colour, icon and word never come apart.
_TONES: Final[dict[Colour, tuple[SafeString, SafeString]]] = {
    tone: (
        format_html('<td class="tel"><span class="tint {}"><i class="ti ti-{}"></i> ', TINT[tone], ICON[tone]),
        format_html(' <span class="tone">{}</span></span>', tone.label),
    )
    for tone in Colour
}


def _phone(row: Row) -> SafeString:
    before, after = _TONES[row.colour]
    number = (
        format_html('<a href="tel:{}" data-call="{}">{}</a>', row.number, row.number, row.phone)
        if row.number
        else row.phone
    )
    warning = (
        format_html(
            ' <i class="ti ti-alert-triangle text-warning" role="img" aria-label="{}" title="{}"></i>',
            *(row.warning, row.warning),
        )
        if row.warning
        else _NOTHING
    )
    return format_html("{}{}{}{}</td>", before, number, after, warning)


def _state(row: Row, look: Look) -> SafeString:
    answer = format_html("<b>{}</b> · ", row.answer) if row.answer else _NOTHING
    opened = (
        format_html(' <span class="opened"><i class="ti ti-eye"></i> открыл {}</span>', row.opened)
        if row.opened and not row.answer
        else _NOTHING
    )
    reply = _reply(row, look) if row.reply else _NOTHING
    return format_html('<td class="state">{}{}{}{}</td>', answer, row.state, opened, reply)


def _reply(row: Row, look: Look) -> SafeString:
    """The patient's words with the proposed meaning: a button that accepts it, as long as nobody has."""
    means = format_html(" — {}", row.reply_means)
    if row.reply_id and look.can_work:
        means = format_html(
            ' <button form="marks" class="btn btn-sm" formaction="/reminders/{}/replies/{}/" name="meaning" value="{}" '
            "data-reply>{}?</button>",
            *(row.id, row.reply_id, row.reply_meaning, row.reply_means),
        )
    return format_html('<span class="reply"><i class="ti ti-message"></i> «{}»{}</span>', row.reply, means)


def _call(row: Row, look: Look, problem: str) -> SafeString:
    asks = look.can_work and not row.left and not _by_day(row, look) and ((row.called and not row.result) or row.mine)
    return format_html(
        '<td class="call">{}{}</td>', _called(row, problem), format_html(_RESULTS, row.id) if asks else _NOTHING
    )


def _called(row: Row, problem: str) -> SafeString:
    if problem:
        return format_html('<span class="text-danger">{}</span>', problem)
    if row.calling:
        return format_html('<span class="calling"><i class="ti ti-phone-call"></i> звонит {}</span>', row.calling)
    if row.mine:
        return SafeString('<span class="calling"><i class="ti ti-phone-call"></i> вы звоните</span>')
    if row.called:
        return format_html(
            '<span class="called"><i class="ti ti-phone-check"></i> {}</span><span class="by">{} {}</span>',
            *(row.result_word or "позвонили", row.called_by, row.called_at),
        )
    return _NOTHING


_RESULTS: Final = (
    '<span class="results">'
    + "".join(
        f'<button form="marks" class="btn btn-sm" formaction="/reminders/{{0}}/result/" name="result" value="{value}">{word}</button>'
        for value, word in (("coming", "придёт"), ("not_coming", "не придёт"), ("unreached", "не взял"))
    )
    + "</span>"
)


def _acts(row: Row, look: Look) -> SafeString:
    if not look.can_work or row.left:
        return SafeString('<td class="row-acts"></td>')
    if _by_day(row, look):
        mark = format_html(
            '<a class="btn btn-sm" href="/reminders/{}/?round=day" data-mark data-card><i class="ti ti-phone"></i> записать</a>',
            row.id,
        )
    else:
        mark = format_html(_UNDO if row.called else _MARK, row.id)
    return format_html(
        '<td class="row-acts">{}<a class="btn btn-sm" href="/reminders/{}/?round={}" data-menu-button title="действия">'
        '<i class="ti ti-dots"></i></a></td>',
        *(mark, row.id, _round(row, look)),
    )


_MARK: Final = (
    '<button form="marks" class="btn btn-sm" formaction="/reminders/{}/mark/" title="позвонили (двойной щелчок, пробел)" '
    'data-mark><i class="ti ti-phone-check"></i></button>'
)
_UNDO: Final = (
    '<button form="marks" class="btn btn-sm" formaction="/reminders/{}/mark/" name="undo" value="1" '
    'title="снять отметку" data-mark><i class="ti ti-arrow-back-up"></i></button>'
)


def _by_day(row: Row, look: Look) -> bool:
    """Whether a call is written down as one of ДД, with its two answers and the comment."""
    return look.round == "day" or row.is_today


def _round(row: Row, look: Look) -> str:
    return "day" if _by_day(row, look) else look.round
