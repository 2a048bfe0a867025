"""`POST /api/v1/calls/<pbx>`: a cloud PBX that only sends webhooks."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.contacts.api_keys import source_of, source_with
from callcenter.lib.api import ApiError, endpoint, read_body
from callcenter.telephony.actions.pbx_webhooks import process_pbx_webhook, store_pbx_webhook
from callcenter.telephony.webhooks import FORMATS


@endpoint
@require_POST
def calls(request: HttpRequest, pbx: str) -> HttpResponseBase:
    """Store a webhook and process it at once. The source's key is in the Authorization header, or
    in the format's own field of the body.
    """
    now = timezone.now()
    webhook_format = FORMATS.get(pbx)
    if webhook_format is None:
        raise ApiError(404, f"АТС «{pbx}» не знакома. Есть: {', '.join(FORMATS)}.")
    body = read_body(request, webhook_format.schema_name, content_type=webhook_format.content_type)
    key = str(body.get(webhook_format.key_field) or "") if webhook_format.key_field else ""
    source = source_with(key, now=now) if key else source_of(request, now=now)
    try:
        webhook = store_pbx_webhook(
            webhook_format=webhook_format, body=body, clinic=source.clinic, now=now
        )
    except ValueError as error:
        raise ApiError(422, str(error)) from None
    if webhook.done_at is None:
        process_pbx_webhook(webhook, now=now)
    return JsonResponse({"notice": webhook.pk, "session": webhook.session})
