import pytest

from callcenter.staff.models import User


@pytest.mark.django_db
def test_the_database_stands() -> None:
    assert User.objects.count() == 0
