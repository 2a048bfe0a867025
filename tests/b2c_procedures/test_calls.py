"""A client on the line goes with his run: the colleague's own telephone rings."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from b2c_procedures.actions.runs import press, start_run
from b2c_procedures.models import Run
from b2c_procedures.panels import call_panel
from b2c_procedures.states import RunState
from callcenter.lib.errors import Refused
from callcenter.staff.models import User
from callcenter.telephony.actions.staff_phones import call_patient
from callcenter.telephony.models import Call
from callcenter.telephony.pbx.simulator import PhonePersona
from callcenter.telephony.queries import talk_of
from tests.b2c_procedures.conftest import Service
from tests.callback.rig import Rig

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(rig: Rig, service: Service) -> Call:
    """The manager talks with a client who has a minute."""
    rig.simulator.personas |= {
        "long": PhonePersona("long", answers=0.5, hangs_up=90.0),
        "patient_slow": PhonePersona("patient_slow", answers=1.0, hangs_up=60.0),
    }
    rig.bind(service.manager, "long")
    call = call_patient(
        user=service.manager, number="+79000007700", clinic=service.clinic, now=rig.now
    )
    rig.run(3)
    assert talk_of(service.manager) == call
    return call


def at_the_transfer(service: Service, rig: Rig) -> Run:
    run = start_run(
        procedure=1, clinic=service.clinic, patient=service.patient, by=service.manager, now=rig.now
    )
    for key in ("1", "2a"):
        run = press(run, version=run.version, key=key, by=service.manager, now=rig.now)
    return run


def test_the_call_goes_with_the_run_to_the_doctor_at_a_telephone(
    talk: Call, rig: Rig, service: Service
) -> None:
    rig.bind(service.consultant, "long")
    run = at_the_transfer(service, rig)
    run = press(run, version=run.version, key="1", by=service.manager, now=rig.now)
    assert (run.at_function, run.holder, run.state) == ("2.1", service.consultant, RunState.OPEN)
    rig.run(3)
    assert talk_of(service.consultant) == talk
    assert talk_of(service.manager) is None


def test_the_callers_card_leads_to_the_start_with_all_that_is_known(
    talk: Call,
    rig: Rig,
    service: Service,
    as_user: Callable[[User], Client],
    noon: Any,
) -> None:
    panel = call_panel(talk, service.manager, rig.now)
    assert panel is not None
    page = as_user(service.manager).get(str(panel.context["address"])).content.decode()
    assert "+7 (900) 000-77-00" in page
    assert f'name="clinic" value="{service.clinic.pk}"' in page
    assert call_panel(talk, service.world.doctor_user, rig.now) is None


def test_with_no_doctor_at_a_telephone_the_client_stays_on_the_line(
    talk: Call, rig: Rig, service: Service
) -> None:
    run = at_the_transfer(service, rig)
    with pytest.raises(Refused, match="не на телефоне") as wrong:
        press(
            run,
            version=run.version,
            key="1",
            by=service.manager,
            now=rig.now,
            data={"colleague": service.consultant},
        )
    assert wrong.value.field == "colleague"
    run = press(run, version=run.version, key="1", by=service.manager, now=rig.now)
    assert (run.state, run.waits_for) == (RunState.WAITING, "consultant_doctor")
    assert "остался у сотрудника Орлова О. П." in run.facts["call"]
    assert talk_of(service.manager) == talk
