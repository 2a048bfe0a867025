"""A further outcome of a call is one row of `OUTCOME_RULES`: card, form, journal, report and Excel
follow it.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.test import Client

from callcenter.contacts.models import ReasonUse
from callcenter.staff.models import User
from journals.forms import CallForm
from journals.models import RecallCall
from journals.outcome_rules import OUTCOME_RULES, NextDate, OutcomeRule, Stage
from journals.queries import results
from journals.queries.results import ResultsPeriod
from journals.xlsx import results as workbook
from tests.journals.conftest import Recall
from tests.journals.pages import form, url

Login = Callable[[User], Client]
pytestmark = pytest.mark.usefixtures("at_noon")

ABROAD = OutcomeRule(
    "Уехал на время",
    Stage.CALL,
    "talk",
    NextDate.CHOSEN,
    frozenset({"reason", "comment"}),
    "thinking",
    "Почему уехал",
    button="Уехал",
    icon="plane",
    tone="move",
    digits=(7,),
    column="В отъезде",
    column_help="уехал и вернётся",
)


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(OUTCOME_RULES, "abroad_for_now", ABROAD)
    return "abroad_for_now"


def test_the_card_has_its_button_its_key_and_its_fields(
    recall: Recall, as_user: Login, abroad: str
) -> None:
    page = as_user(recall.world.senior).get(url("card", recall.entry())).content.decode()
    button = re.search(rf'<input[^>]*value="{abroad}"[^>]*>\s*<label.*?</label>', page, re.DOTALL)
    assert button
    assert 'data-key="Digit7"' in button[0]
    assert 'data-asks="comment reason"' in button[0]
    assert "tint-move" in button[0]
    assert "ti-plane" in button[0]
    assert re.sub(r"<[^>]+>", " ", button[0]).split() == ["Уехал", "7"]
    assert "Почему уехал" in page
    assert f'name="reason_{abroad}" id="reason_{abroad}-{recall.thinks.pk}"' in page
    assert f'name="call_on_{abroad}"' in page
    assert f'name="reason_{abroad}" id="reason_{abroad}-{recall.no_answer.pk}"' not in page


def test_its_call_is_saved_by_its_rule(recall: Recall, as_user: Login, abroad: str) -> None:
    entry = recall.entry()
    client = as_user(recall.world.senior)
    page = client.get(url("card", entry)).content.decode()
    lacking = client.post(url("card", entry), form(recall, page, abroad))
    assert lacking.status_code == 422
    assert "Выберите причину." in lacking.content.decode()
    page = client.get(url("card", entry)).content.decode()
    fields = {f"reason_{abroad}": recall.thinks.pk, f"call_on_{abroad}": "2026-03-27"}
    saved = client.post(url("card", entry), form(recall, page, abroad, **fields))
    assert saved.status_code == 302
    entry.refresh_from_db()
    assert (entry.stage, entry.talks, f"{entry.call_on:%d.%m}") == (Stage.CALL, 1, "27.03")
    call = RecallCall.objects.get()
    assert (call.outcome, call.get_outcome_display()) == (abroad, "Уехал на время")
    assert "Уехал на время" in client.get(url("card", entry)).content.decode()


def test_the_report_its_rows_and_excel_count_it(
    recall: Recall, as_user: Login, abroad: str
) -> None:
    recall.call(recall.entry(), abroad)
    period = ResultsPeriod(recall.today, recall.today)
    senior = recall.world.senior
    total = results.results(period, user=senior).total.numbers
    assert (total["called"], total["reached"], total[abroad]) == (1, 1, 1)
    client = as_user(senior)
    address = f"since={recall.today}&until={recall.today}"
    report = client.get(f"/journals/results/?{address}").content.decode()
    assert "В отъезде" in report
    assert "уехал и вернётся" in report
    rows = client.get(f"/journals/results/rows/?{address}&measure={abroad}").content.decode()
    assert "Уехал на время" in rows
    book = openpyxl.load_workbook(io.BytesIO(workbook(period, user=senior)))
    heads, first = list(book["Итоги"].values)[:2]
    assert dict(zip(heads, first, strict=True))["В отъезде"] == 1
    assert "Уехал на время" in [row[7] for row in book["Звонки"].values]


def test_a_row_of_the_table_names_only_what_there_is() -> None:
    styles = Path("static/css/app.css").read_text()
    keys = [digit for rule in OUTCOME_RULES.values() for digit in rule.digits]
    assert len(keys) == len(set(keys))
    for outcome, rule in OUTCOME_RULES.items():
        assert ("reason" in rule.asks) == (rule.reason_use in ReasonUse.values), outcome
        assert rule.asks <= {"window", "reason", "refusal_reason", "call_on", "comment"}
        assert f".tint-{rule.tone}" in styles


def test_the_form_has_no_fields_of_outcomes_that_ask_for_nothing(recall: Recall) -> None:
    fields = set(CallForm(user=recall.world.senior).fields)
    assert {"reason_thinking", "reason_refused", "call_on_thinking", "call_on_remind"} <= fields
    assert not {"reason_unreached", "reason_booked", "call_on_booked", "call_on_refused"} & fields
