"""Addresses of «Дозвон»."""

from django.urls import path

from reminders.views import lists, report, rows, settings

app_name = "reminders"
urlpatterns = [
    path("", lists.evening, name="evening"),
    path("day/", lists.day, name="day"),
    path("open/", lists.open_run, name="open"),
    path("runs/<int:pk>/send/", lists.send, name="send"),
    path("runs/<int:pk>/blue-sms/", lists.blue_sms, name="blue_sms"),
    path("runs/<int:pk>/hand-over/", lists.hand_over, name="hand_over"),
    path("<int:pk>/", rows.card, name="card"),
    path("<int:pk>/row/", rows.row, name="row"),
    path("<int:pk>/mark/", rows.mark, name="mark"),
    path("<int:pk>/result/", rows.result, name="result"),
    path("<int:pk>/day-call/", rows.day_call, name="day_call"),
    path("<int:pk>/calling/", rows.calling, name="calling"),
    path("<int:pk>/send/", rows.send_one, name="send_one"),
    path("<int:pk>/messages/<int:message>/again/", rows.send_again, name="send_again"),
    path("<int:pk>/replies/<int:line>/", rows.reply, name="reply"),
    path("settings/", settings.settings, name="settings"),
    path("report/", report.report, name="report"),
    path("report/rows/", report.rows_behind, name="report_rows"),
    path("report.xlsx", report.report_xlsx, name="report_xlsx"),
]
