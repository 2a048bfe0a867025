"""The robot and its link: how old a gap is, callers that nobody takes, what is left at the exchange
after a call.
"""

import pytest

from callback.models import CallbackRequest
from callback.state_machine import RequestState
from callcenter.clinics.models import Clinic
from callcenter.telephony.models import Leg, PbxCommand
from callcenter.telephony.pbx.base import LinkDown
from callcenter.telephony.queries import link_since
from callcenter.telephony.states import CommandType
from tests.callback.rig import Rig

pytestmark = pytest.mark.django_db


def test_a_gap_is_as_old_as_its_beginning_however_often_it_is_tried(rig: Rig) -> None:
    began = rig.now
    for _ in range(4):
        rig.robot._handle(LinkDown(rig.now, "Нет связи с Астериском."))
        rig.now += rig.now.resolution * 30_000_000
        rig.robot._keep_lease(rig.now)
    assert link_since() == began


def test_people_hear_of_a_request_when_the_exchange_has_been_away_for_a_minute(rig: Rig) -> None:
    rig.robot._handle(LinkDown(rig.now, "Нет связи с Астериском."))
    request = rig.ask()
    rig.run(40)
    assert CallbackRequest.objects.filter(details_at=None).exists()
    rig.robot._handle(LinkDown(rig.now, "Нет связи с Астериском."))
    rig.run(40)
    assert not CallbackRequest.objects.filter(details_at=None).exists()
    assert request.attempts.count() == 0


def test_a_call_leaves_no_bridge_behind(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    request = rig.ask()
    rig.run_until(RequestState.DONE, request=request, seconds=120)
    rig.run(1)
    assert PbxCommand.objects.filter(verb=CommandType.CONNECT).exists()
    assert rig.simulator.snapshot().bridges == {}


def test_who_becomes_free_while_it_rings_is_rung_too(rig: Rig) -> None:
    rig.simulator.incoming("in-1", "+79000007700", rig.world.clinic.phone)
    rig.run(10)
    assert not Leg.objects.filter(user__isnull=False).exists()
    rig.bind(rig.world.administrator, "admin")
    rig.run(5)
    assert Leg.objects.get(user=rig.world.administrator).state == "up"


def test_a_caller_nobody_takes_goes_back_to_the_exchange_after_forty_seconds(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.simulator.incoming("in-1", "+79000007700", rig.world.clinic.phone)
    rig.run(39)
    caller = Leg.objects.get(channel="in-1")
    assert caller.state == "up"
    rig.run(5)
    caller.refresh_from_db()
    assert caller.end == "passed_on"
    assert not Leg.objects.exclude(state="ended").exists()


def test_a_call_to_a_number_of_no_clinic_goes_back_at_once(rig: Rig) -> None:
    Clinic.objects.create(name="Вторая", phone="+79000008888")
    rig.simulator.incoming("in-1", "+79000007700", "+79000006666")
    rig.run(1)
    assert not Leg.objects.exists()
    assert rig.simulator.snapshot().channels == {}
