"""A conversation changes hands: the colleague's own telephone rings, he talks with the client, the
first one is let go.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from callback.state_machine import RequestState
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User
from callcenter.telephony.actions import staff_phones
from callcenter.telephony.models import Call, Leg
from callcenter.telephony.pbx.simulator import PhonePersona
from callcenter.telephony.queries import ringing_for, talk_of
from callcenter.telephony.states import LegRole
from tests.callback.rig import Rig

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture
def talk(rig: Rig) -> Call:
    """The administrator talks with a patient who has a minute; the second one sits at a
    telephone.
    """
    rig.simulator.personas |= {
        "admin_long": PhonePersona("admin_long", answers=0.5, hangs_up=90.0),
        "patient_slow": PhonePersona("patient_slow", answers=1.0, hangs_up=60.0),
    }
    rig.bind(rig.world.administrator, "admin_long")
    rig.bind(rig.world.administrator2, "admin_long")
    call = staff_phones.call_patient(
        user=rig.world.administrator, number="+79000007700", clinic=rig.world.clinic, now=rig.now
    )
    rig.run(3)
    call.refresh_from_db()
    assert call.connected_at is not None
    return call


def live(call: Call) -> list[User | None]:
    return [leg.user for leg in call.legs.exclude(state="ended").order_by("pk")]


def test_the_colleague_takes_the_client_over_and_the_first_one_is_free(
    rig: Rig, talk: Call
) -> None:
    first, second = rig.world.administrator, rig.world.administrator2
    staff_phones.transfer_call(by=first, to=second, now=rig.now)
    rig.run(0.2)
    assert live(talk) == [first, None, second]  # he rings; the others go on talking
    rig.run(2)
    assert live(talk) == [None, second]
    assert talk_of(second) == talk
    assert talk_of(first) is None
    assert rig.simulator.snapshot().bridges[talk.bridge or Call.objects.get().bridge] == {
        leg.channel for leg in talk.legs.exclude(state="ended")
    }
    rig.run(60)
    talk.refresh_from_db()
    assert talk.end == "answered"
    assert talk.talk_seconds > 50
    assert live(talk) == []


def test_a_colleague_who_does_not_answer_changes_nothing(rig: Rig, talk: Call) -> None:
    rig.bind(rig.world.administrator2, "admin_noanswer")
    staff_phones.transfer_call(by=rig.world.administrator, to=rig.world.administrator2, now=rig.now)
    rig.run(30)
    assert live(talk) == [rig.world.administrator, None]
    assert talk.legs.get(user=rig.world.administrator2).end == "no_answer"


def test_the_first_one_may_hang_up_while_the_colleague_is_rung(rig: Rig, talk: Call) -> None:
    rig.bind(rig.world.administrator2, "admin_thorough")  # picks up after two seconds
    staff_phones.transfer_call(by=rig.world.administrator, to=rig.world.administrator2, now=rig.now)
    rig.run(0.5)
    staff_phones.hang_up_own(user=rig.world.administrator, call=talk, now=rig.now)
    rig.run(0.5)
    assert live(talk) == [None, rig.world.administrator2]
    rig.run(5)
    assert live(talk) == [None, rig.world.administrator2]


def test_a_client_left_with_nobody_is_let_go(rig: Rig, talk: Call) -> None:
    rig.bind(rig.world.administrator2, "admin_busy")
    staff_phones.transfer_call(by=rig.world.administrator, to=rig.world.administrator2, now=rig.now)
    staff_phones.hang_up_own(user=rig.world.administrator, call=talk, now=rig.now)
    rig.run(5)
    assert live(talk) == []


def test_the_robots_talk_may_be_transferred_and_is_done_when_the_client_hangs_up(rig: Rig) -> None:
    rig.simulator.personas["admin_long"] = PhonePersona("admin_long", answers=0.5, hangs_up=90.0)
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask()
    rig.run_until(RequestState.TALKING, request=request, seconds=60)
    rig.run(1)
    rig.bind(rig.world.administrator2, "admin_long")
    staff_phones.transfer_call(by=rig.world.administrator, to=rig.world.administrator2, now=rig.now)
    rig.run(5)
    request.refresh_from_db()
    assert request.state == RequestState.TALKING
    rig.run_until(RequestState.DONE, request=request, seconds=60)
    rig.run(5)
    assert not Leg.objects.exclude(state="ended").exists()


def test_who_cannot_be_given_a_call_is_told_so(rig: Rig, talk: Call) -> None:
    first, second, senior = rig.world.administrator, rig.world.administrator2, rig.world.senior
    with pytest.raises(Refused, match="себе"):
        staff_phones.transfer_call(by=first, to=first, now=rig.now)
    with pytest.raises(Refused, match="не на телефоне"):
        staff_phones.transfer_call(by=first, to=senior, now=rig.now)
    with pytest.raises(Conflict, match="ни с кем"):
        staff_phones.transfer_call(by=second, to=first, now=rig.now)
    staff_phones.transfer_call(by=first, to=second, now=rig.now)
    with pytest.raises(Conflict, match="уже на линии"):
        staff_phones.transfer_call(by=first, to=second, now=rig.now)


def test_the_card_offers_colleagues_who_are_free_and_says_whom_it_rings(
    rig: Rig,
    talk: Call,
    as_user: Login,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("callcenter.telephony.views.phone.timezone.now", lambda: rig.now)
    first, second = rig.world.administrator, rig.world.administrator2
    client = as_user(first)
    bar = client.get(reverse("telephony:phone"), headers={"HX-Request": "true"}).content.decode()
    assert "Перевести звонок" in bar
    assert second.short_name in bar
    answer = client.post(
        reverse("telephony:transfer"), {"to": second.pk}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert Leg.objects.get(user=second).note == f"перевод от {first.short_name}"
    bar = client.get(reverse("telephony:phone"), headers={"HX-Request": "true"}).content.decode()
    assert "Переводим" in bar
    assert "Перевести звонок" not in bar
    card = ringing_for(second, now=rig.now)
    assert card is not None
    assert card.leg.role == LegRole.EMPLOYEE
