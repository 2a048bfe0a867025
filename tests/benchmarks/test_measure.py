"""The rulers themselves: an aim that can't be missed measures nothing."""

import pytest

from benchmarks import data
from benchmarks.measure import Aim, Measured, Run, at_least, median, near_bare, p95
from callcenter.clinics.models import Patient


@pytest.mark.parametrize(
    ("aim", "good", "bad"),
    [
        (p95(100), Measured([99.0] * 20), Measured([1.0] * 18 + [101.0] * 2)),
        (median(10), Measured([9.0, 9.0, 500.0]), Measured([11.0, 11.0, 1.0])),
        (near_bare(1.5, plus_ms=30), Measured([59.0], bare=[20.0]), Measured([61.0], bare=[20.0])),
        (near_bare(1.5, plus_ms=30), Measured([30.0], bare=[1.0]), Measured([1.0])),
        (at_least(160), Measured([1.0], per_second=161), Measured([1.0])),
        (p95(10) & median(5), Measured([4.0, 4.0, 9.0]), Measured([6.0, 6.0, 6.0])),
    ],
)
def test_each_aim_can_be_met_and_missed(aim: Aim, good: Measured, bad: Measured) -> None:
    assert aim.met(good)
    assert not aim.met(bad)


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_no_fast_page() -> None:
    run = Run(1)
    client = run.client(data.senior())
    with pytest.raises(AssertionError, match="404"):
        run.get(client, "/no-such-page/")


@pytest.mark.django_db
def test_patients_of_the_measurements_are_as_the_product_writes_them() -> None:
    data.patients(200)
    data.patients(300)
    assert Patient.objects.count() == 300
    one = Patient.objects.filter(
        last_name__startswith="Фёдоров"
    ).first() or Patient.objects.earliest("pk")
    assert one.full_name
    assert one.phones.get().number.startswith("+7")
    assert Patient.objects.visible_to(data.senior()).count() == 300
