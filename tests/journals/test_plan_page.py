"""The senior's pages: the plan given, watched and shared again; the clinic's rule."""

import pytest
from django.urls import reverse

from callcenter.staff.models import User
from journals.models import PlanItem, RecallPolicy
from tests.journals.conftest import Recall
from tests.journals.pages import Login, queries_of, url

pytestmark = pytest.mark.usefixtures("at_noon")


def test_seniors_pages_are_closed_to_administrators(recall: Recall, as_user: Login) -> None:
    entry = recall.entry()
    client = as_user(recall.world.administrator)
    for name in ("plan", "results", "results_xlsx", "result_rows", "policy"):
        assert client.get(reverse(f"journals:{name}")).status_code == 403
    for name in ("take_over", "grant", "unflag"):
        assert client.post(url(name, entry)).status_code == 403
    assert client.post(reverse("journals:share")).status_code == 403


def test_the_senior_gives_a_plan_watches_and_shares_again(recall: Recall, as_user: Login) -> None:
    world = recall.world
    for _number in range(5):
        recall.entry()
    client = as_user(world.senior)
    page = client.get("/journals/plan/").content.decode()
    assert "В отборе 5 записей" in page
    people = [world.administrator.pk, world.administrator2.pk]
    assert client.post("/journals/plan/", {"total": 5, "how": "evenly"}).status_code == 422
    assert (
        client.post("/journals/plan/", {"people": people, "total": 5, "how": "evenly"}).status_code
        == 302
    )
    assert sorted(PlanItem.objects.filter(assignee=pk).count() for pk in people) == [2, 3]
    assert (
        client.post(
            "/journals/plan/", {"people": people, "total": 1, "how": "capacity"}
        ).status_code
        == 409
    )
    part = client.get("/journals/plan/", headers={"HX-Request": "true"}).content.decode()
    assert "Орлова Ольга Петровна" in part
    assert "<html" not in part
    share = {"clinic": world.clinic.pk, "on": recall.today, "person": people[0], "to": [people[1]]}
    assert client.post("/journals/plan/share/", share).status_code == 302
    assert PlanItem.objects.filter(assignee=people[1]).count() == 5
    assert client.post("/journals/plan/share/", share).status_code == 409
    for place in ("ready", "planned", "resting", "no_phone", "held"):
        assert client.get(f"/journals/plan/?show={place}").status_code == 200


def test_the_plan_page_takes_as_many_queries_for_thirty_people(
    recall: Recall, as_user: Login
) -> None:
    world = recall.world
    client = as_user(world.senior)

    def grow(count: int) -> None:
        for _number in range(count):
            person = User.objects.create(
                login=f"k{User.objects.count()}",
                full_name="Новая Нина Ильинична",
                roles=["administrator"],
            )
            person.clinics.add(world.clinic)
            recall.entry()
            recall.plan(person)

    grow(3)
    few = queries_of(client, "/journals/plan/?show=planned")
    grow(27)
    assert queries_of(client, "/journals/plan/?show=planned") == few


def test_the_policy_page_saves_and_refuses_nonsense(recall: Recall, as_user: Login) -> None:
    client = as_user(recall.world.senior)
    data = {"calls": 2, "interval_days": 5, "talks_before_flag": 2, "hold_minutes": 15}
    assert client.get("/journals/policy/").status_code == 200
    assert client.post("/journals/policy/", data | {"calls": 0}).status_code == 422
    assert client.post("/journals/policy/", data).status_code == 302
    assert RecallPolicy.of(recall.world.clinic.pk).calls == 2
