"""Журнал КОС: the list, the card, the plan, the results."""

from django.urls import path

from journals.views import card, journal, plan, policy, results

app_name = "journals"
urlpatterns = [
    path("", journal.index, name="journal"),
    path("new/", journal.new, name="new"),
    path("<int:pk>/", card.card, name="card"),
    path("<int:pk>/edit/", journal.edit, name="edit"),
    path("<int:pk>/windows/", card.windows, name="windows"),
    path("<int:pk>/hold/", card.hold, name="hold"),
    path("<int:pk>/release/", card.release, name="release"),
    path("<int:pk>/take-over/", card.take_over, name="take_over"),
    path("<int:pk>/grant/", card.grant, name="grant"),
    path("<int:pk>/unflag/", card.unflag, name="unflag"),
    path("<int:pk>/settle/", card.settle, name="settle"),
    path("plan/", plan.plan, name="plan"),
    path("plan/share/", plan.share, name="share"),
    path("results/", results.report, name="results"),
    path("results/rows/", results.rows, name="result_rows"),
    path("results/xlsx/", results.xlsx, name="results_xlsx"),
    path("policy/", policy.policy, name="policy"),
]
