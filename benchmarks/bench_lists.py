"""An ordinary list: fifty rows of eight columns, the template's work alone."""

import time

from django.db.models import Count
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import resolve

from benchmarks import data
from benchmarks.measure import Measured, Run, bench, median
from callcenter.clinics.models import Clinic
from callcenter.clinics.tables import ClinicsTable
from callcenter.lib.tables import PER_PAGE
from callcenter.staff.list_pages import open_list


@bench(rows=(PER_PAGE,), aim=median(25))
def list_rendering(run: Run) -> Measured:
    """Time the processor of `templates/tables/table.html` for rows that are there."""
    user = data.senior()
    request = RequestFactory().get("/settings/clinics/")
    request.user = user
    request.resolver_match = resolve("/settings/clinics/")
    rows = list(
        Clinic.objects.annotate(
            people=Count("staff"), receiving=Count("doctors"), open_days=Count("opening_hours"),
            ground_count=Count("grounds"),
        )[:1]
    )  # fmt: skip
    samples = []
    for _ in range(40):
        table = open_list(request, ClinicsTable, rows * run.rows)  # type: ignore[arg-type]
        started = time.process_time()
        render_to_string("tables/table.html", {"table": table}, request)
        samples.append((time.process_time() - started) * 1000)
    return Measured(samples[2:], note=f"{run.rows} rows × {len(table.columns)} columns")
