"""Telephones: the bar of every page, calls by a click, clips for the exchange, webhooks of cloud
PBXs.
"""

from django.urls import path

from callcenter.telephony.views import api, lines, phone

app_name = "telephony"
urlpatterns = [
    path("telephony/phone/", phone.phone, name="phone"),
    path("telephony/bind/", phone.bind, name="bind"),
    path("telephony/call/", phone.call, name="call"),
    path("telephony/calls/<int:pk>/hang-up/", phone.hang_up, name="hang_up"),
    path("telephony/transfer/", phone.transfer, name="transfer"),
    path("telephony/press/", phone.press, name="press"),
    path("telephony/try-incoming/", phone.try_incoming, name="try_incoming"),
    path("telephony/speech/<str:token>.wav", phone.clip, name="clip"),
    path("telephony/lines/", lines.lines, name="lines"),
    path("telephony/lines/<int:pk>/remove/", lines.remove, name="line_remove"),
    path("api/v1/calls/<slug:pbx>", api.calls, name="api_calls"),
]
