"""Who sits at a telephone: everybody to whom a client may be put through."""

from collections.abc import Callable

import pytest
from django.test import Client

from callcenter.staff.models import User
from callcenter.staff.roles import CAN_USE_PHONE, Role
from callcenter.staff.templatetags.access import has_telephone
from callcenter.telephony.models import PhoneBinding
from tests.conftest import World, make_user


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_be_put_through_to_chooses_a_telephone_and_nobody_else_sees_one(
    role: Role, world: World, as_user: Callable[[User], Client]
) -> None:
    person = make_user("person", "Трубкина Ада Ильинична", role, clinics=[world.clinic])
    page = as_user(person).get("/").content.decode()
    answer = as_user(person).post("/telephony/bind/", {"kind": "pbx", "endpoint": "117"})
    may = role in CAN_USE_PHONE
    assert has_telephone(person) is may
    assert ('id="phone"' in page) is may
    assert (answer.status_code, PhoneBinding.objects.filter(user=person).exists()) == (
        302 if may else 403,
        may,
    )
