"""The fifteen procedures against the document, and the linter against every rule it knows."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from b2c_procedures import linting
from b2c_procedures.definition import BadDefinition, packaged, parse
from b2c_procedures.search import find
from b2c_procedures.version_diff import differences

DOCUMENT: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "document.json").read_text(encoding="utf-8")
)


def dumped() -> list[dict[str, Any]]:
    out = StringIO()
    call_command("dump_procedures", stdout=out)
    procedures: list[dict[str, Any]] = json.loads(out.getvalue())
    return procedures


def test_all_166_functions_of_the_document_are_loaded_with_name_performer_and_norms() -> None:
    ours = {f["id"]: f for procedure in dumped() for f in procedure["functions"]}
    theirs = {f["id"]: f for procedure in DOCUMENT for f in procedure["functions"]}
    assert len(theirs) == 166
    assert ours.keys() == theirs.keys()
    for function_id, source in theirs.items():
        mine = ours[function_id]
        assert mine["name"] == source["name"]
        norms = [note["norm"] for note in source["norm_notes"] or []] or [
            n for n in [source["norm"]] if n
        ]
        assert mine["norms"] == norms, function_id
        assert mine["performer"] == source["performer"] or mine["reading"], function_id


def test_every_link_of_the_document_stands_and_every_addition_is_marked_as_a_reading() -> None:
    ours = {(p["number"], f["id"]): f for p in dumped() for f in p["functions"]}
    links = 0
    for procedure in DOCUMENT:
        for source in procedure["functions"]:
            mine = {r["event"]: r for r in ours[procedure["number"], source["id"]]["results"]}
            for result in source["results"]:
                there = mine.pop(result["event"])
                following = [
                    {k: v for k, v in item.items() if k != "opens"}
                    if isinstance(item, dict)
                    else item
                    for item in there["next"]
                ]
                assert all(item in following for item in result["next"]), (source["id"], result)
                links += len(result["next"])
                if there["next"] != result["next"]:
                    assert there["reading"], (source["id"], result)
            assert all(extra["reading"] for extra in mine.values()), source["id"]
    assert links == sum(
        len(r["next"]) for p in DOCUMENT for f in p["functions"] for r in f["results"]
    )


def test_documents_systems_titles_and_triggers_are_those_of_the_document() -> None:
    book = packaged()
    for procedure in DOCUMENT:
        mine = book[procedure["number"]]
        assert mine.title == procedure["title"]
        assert list(mine.start_events) == procedure["start_events"]
        for source in procedure["functions"]:
            function = mine.function(source["id"])
            assert list(function.documents) == source["documents"]
            assert list(function.systems) == source["systems"]
            assert list(function.triggered_by) == source["triggered_by"]


def test_only_the_three_functions_of_the_reading_do_all_their_results() -> None:
    both = [f.id for p in packaged().values() for f in p.functions if f.is_and]
    assert both == ["1.6", "3.9", "5.8"]


def test_the_repeated_question_has_the_shorter_norm() -> None:
    function = packaged()[1].function("1.2")
    first, again = (
        function.norm_on(event) for event in ("Поступил вопрос", "Получен новый вопрос от клиента")
    )
    assert first is not None
    assert again is not None
    assert (first.seconds, again.seconds) == (180, 60)


def test_the_packaged_procedures_break_no_rule() -> None:
    assert linting.lint(packaged()) == []


GOOD = """\
number: 1
slug: short
title: "Короткая"
version: 1
valid_from: 2024-01-01
start_events: ["Поступил звонок"]
functions:
  - id: "1.1"
    name: "Получить"
    performer: manager_oks
    norms: [{norm: "1 minute"}]
    triggered_by: ["Поступил звонок"]
    split: xor
    results:
      - event: "Есть вопрос"
        next: ["1.2"]
      - event: "Нет вопроса"
        end: true
  - id: "1.2"
    name: "Ответить"
    performer: manager_oks
    norms: [{norm: "1 minute"}]
    results:
      - event: "Ответ дан"
        end: true
"""

BREACHES = [
    (
        "performer",
        '    performer: manager_oks\n    norms: [{norm: "1 minute"}]\n    results',
        "    norms: []\n    results",
        19,
    ),
    (
        "performer",
        'performer: manager_oks\n    norms: [{norm: "1 minute"}]\n    results',
        "performer: cook\n    norms: []\n    results",
        19,
    ),
    ("event-leads-on", 'Ответ дан"\n        end: true', 'Ответ дан"', 24),
    ("event-leads-on", 'next: ["1.2"]', 'next: ["1.2"]\n        end: true', 15),
    ("known-target", 'next: ["1.2"]', 'next: ["1.7"]', 15),
    ("known-target", 'next: ["1.2"]', 'next: ["1.2", {procedure: 9}]', 15),
    (
        "no-split-after-event",
        'next: ["1.2"]',
        'next: ["1.2", "1.1"]\n        choose: ["а", "б"]',
        15,
    ),
    ("split", "    split: xor\n", "", 8),
    (
        "split",
        '    results:\n      - event: "Ответ дан"',
        '    split: xor\n    results:\n      - event: "Ответ дан"',
        19,
    ),
    ("join", 'Нет вопроса"\n        end: true', 'Нет вопроса"\n        next: ["1.2"]', 19),
    ("join", 'id: "1.2"\n', 'id: "1.2"\n    join: xor\n', 19),
    ("one-event-once", "Нет вопроса", "Есть вопрос", 8),
    ("reachable", 'next: ["1.2"]', "end: true", 19),
    ("can-end", 'Ответ дан"\n        end: true', 'Ответ дан"\n        next: ["1.2"]', 19),
    ("ids", 'id: "1.2"', 'id: "2.2"', 19),
    (
        "norm-case",
        'norms: [{norm: "1 minute"}]\n    triggered_by',
        'norms: [{norm: "1 minute", case: "Гром"}]\n    triggered_by',
        8,
    ),
    ("and-marked", "split: xor", "split: and", 8),
    (
        "reading-marked",
        'event: "Ответ дан"',
        'event: "Ответ дан"\n        source_event: "Ответ дам"',
        24,
    ),
    ("reading-marked", 'next: ["1.2"]', 'next: ["1.2", {process: "Чужой", opens: 1}]', 15),
    ("labels", 'next: ["1.2"]', 'next: ["1.2"]\n        choose: ["а", "б"]', 15),
    (
        "needless-exemption",
        'next: ["1.2"]',
        'next: ["1.2"]\n        exempt: {rule: no-split-after-event, reason: "так"}',
        15,
    ),
    ("known-action", "    split: xor", "    does: {action: fly}\n    split: xor", 8),
    ("norm", 'norms: [{norm: "1 minute"}]\n    results', "norms: []\n    results", 19),
]


@pytest.mark.parametrize(
    ("rule", "old", "new", "line"), BREACHES, ids=[f"{b[0]}-{i}" for i, b in enumerate(BREACHES)]
)
def test_the_linter_names_file_line_and_rule_of_each_breach(
    rule: str, old: str, new: str, line: int
) -> None:
    assert GOOD.count(old) >= 1
    procedure = parse(GOOD.replace(old, new, 1), file="01_short.yaml")
    problems = linting.lint({1: procedure}, actions=["send"])
    assert (rule, line) in [(problem.rule, problem.line) for problem in problems], problems
    assert str(problems[0]).startswith("01_short.yaml:")


def test_every_rule_of_the_linter_is_shown_broken_by_a_case() -> None:
    shown = Counter(breach[0] for breach in BREACHES)
    assert linting.RULES.keys() - shown.keys() == set()


def test_the_good_definition_is_clean() -> None:
    assert linting.lint({1: parse(GOOD)}, actions=[]) == []


def test_a_broken_file_says_where_it_is_broken() -> None:
    with pytest.raises(BadDefinition) as unread:
        parse("number: 1\nfunctions: [\n", file="x.yaml")
    assert unread.value.problems[0].rule == "yaml"
    with pytest.raises(BadDefinition) as misspelt:
        parse(GOOD.replace("1 minute", "1 moment", 1), file="x.yaml")
    assert (misspelt.value.problems[0].rule, misspelt.value.problems[0].line) == ("schema", 11)


def test_differences_of_versions_are_told_in_words() -> None:
    old = parse(GOOD)
    new = parse(GOOD.replace("1 minute", "2 minutes", 1).replace('next: ["1.2"]', "end: true"))
    assert differences(old, new) == [
        "1.1: норматив: 1 минута → 2 минуты",
        "1.1: результат «Есть вопрос» вёл: 1.2; теперь: конец",
    ]
    assert differences(old, old) == []


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("сдать анализ", 3), ("хочу вернуть деньги", 13), ("готов ли мой результат", 10), ("записаться к врачу", 4),
        ("вызвать курьера", 5), ("до скольки вы открыты", 8), ("справку в налоговую", 14), ("жалоба", 12),
        ("поменять анализ на другой", 15), ("направление по омс", 7), ("вернуть стекла", 11), ("осталось ли днк", 9),
        ("сколько стоит исследование", 1), ("расшифровать заключение", 2), ("биологистика", 6),
    ],
)  # fmt: skip
def test_what_the_client_says_finds_the_procedure(said: str, number: int) -> None:
    assert find(packaged(), said)[0].number == number


def test_nothing_said_shows_all_and_nonsense_nothing() -> None:
    assert len(find(packaged(), "  ")) == 15
    assert find(packaged(), "фыва") == []
