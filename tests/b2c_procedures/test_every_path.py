"""For each procedure every edge is taken through the runner's pages with its real actions."""

from typing import Any

import pytest
from django.apps import apps

from b2c_procedures.actions.runs import history_of, screen_of
from b2c_procedures.definition import packaged
from b2c_procedures.engine import presses, result_entry, step, way_to
from b2c_procedures.models import Run, RunObject, StepRecord
from b2c_procedures.states import LIVE_RUNS
from b2c_procedures.steps.action_names import ACTION_NAMES
from b2c_procedures.steps.registry import STEP_ACTIONS
from b2c_procedures.version_lookup import book_of
from tests.b2c_procedures.conftest import Service
from tests.b2c_procedures.walking import begin, finish, press

# Functions whose action leaves an object of the product behind (not only a note in the run).
MAKING = ACTION_NAMES - {"transfer", "hold", "ask_logistics", "note_delivery", "department_answer"}


def test_the_registry_knows_exactly_the_names_that_definitions_may_use() -> None:
    assert set(STEP_ACTIONS) == ACTION_NAMES
    used = {
        function.action for procedure in packaged().values() for function in procedure.functions
    } - {""}
    assert used == ACTION_NAMES


@pytest.mark.parametrize("number", sorted(packaged()))
def test_every_edge_goes_through_the_pages_and_makes_its_objects(
    number: int, service: Service, noon: Any
) -> None:
    procedure = packaged()[number]
    left = {(function.id, button.key) for function, button in presses(procedure, packaged())}
    while left:
        run = begin(service, number)
        target = sorted(left)[0]
        keys = [str(entry["choice"]) for entry in way_to(procedure, target[0], packaged())[1:]] + [
            target[1]
        ]
        for key in keys:
            screen = screen_of(run)
            assert screen.function is not None
            done = (screen.function.id, key)
            before = run.objects_made.count()
            function = screen.function
            run = press(service, run, key, opens_page=done in left)
            left.discard(done)
            found = function.action == "find_order" and "не в Геномед" in str(
                screen.button(key).label
            )
            found = found or "через партнера" in str(screen.button(key).label)
            if function.action in MAKING and not found:
                assert run.objects_made.filter(function=function.id).exists(), (function.id, before)
        # A run that has gone into another procedure comes to its end there, too, now and then.
        if target[1] == "1" or run.state not in LIVE_RUNS:
            run = finish(service, run)
            assert run.state not in LIVE_RUNS
            assert run.finished_at is not None
    for made in RunObject.objects.all():
        assert apps.get_model(made.kind).objects.filter(pk=made.object_id).exists(), made
    assert StepRecord.objects.filter(procedure=number).exists()


def test_what_stands_in_the_columns_is_what_the_history_says(service: Service, noon: Any) -> None:
    run = finish(service, begin(service, 15))
    screen = step(book_of(run), history_of(run))
    assert (screen.kind, run.at_procedure, run.at_function) == ("end", screen.procedure.number, "")
    assert Run.objects.get(pk=run.pk).version == run.entries.count()


def test_entries_are_of_the_screen_they_were_made_on(service: Service, noon: Any) -> None:
    run = begin(service, 3)
    screen = screen_of(run)
    run = press(service, run, "1")
    assert history_of(run)[-1] == {**result_entry(screen, screen.buttons[0]), "seq": 1}
