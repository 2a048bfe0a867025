"""`POST /api/v1/calls`: a PBX that only sends webhooks. The key stands in the header, or as
`secret` in the body.
"""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.contacts.api_keys import source_of, source_with
from callcenter.lib.api import ApiError, endpoint, read_body
from callcenter.telephony.actions.pbx_webhooks import process_pbx_webhook, store_pbx_webhook


@endpoint
@require_POST
def calls(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    body = read_body(request, "CallNotice")
    in_body = str(body.get("secret") or "")
    source = source_with(in_body, now=now) if in_body else source_of(request, now=now)
    try:
        notice = store_pbx_webhook(vendor=body["vendor"], body=body, clinic=source.clinic, now=now)
    except ValueError as error:
        raise ApiError(422, str(error)) from None
    if notice.done_at is None:
        process_pbx_webhook(notice, now=now)
    return JsonResponse({"notice": notice.pk, "session": notice.session})
