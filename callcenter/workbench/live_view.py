"""`/live`: what of this page has changed? Asked every 2 s by static/js/live.js from every visible
tab.

It touches neither the session nor the database: the topics stand signed in the page, their versions
in Valkey.
"""

import redis
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_GET

from callcenter.lib import live_updates as hints
from callcenter.lib.public_views import public

MOST_PARTS = 40  # of one page
SECONDS_WITHOUT_HINTS = 10  # how often a page refreshes by itself while Valkey is away


@public
@require_GET
def look(request: HttpRequest) -> HttpResponseBase:
    """`topics`: the parts' tokens, repeated; `since`: their marks of the former answer (or ''),
    joined by dots.

    204: nothing changed. 200: {"since": …, "changed": [numbers of the parts]}. 400: a token that is
    not ours or of the day before yesterday, the page must be opened anew. 503: Valkey is away,
    refresh after Retry-After seconds.
    """
    tokens = request.GET.getlist("topics")[:MOST_PARTS]
    try:
        parts = [hints.unsign(token) for token in tokens]
    except signing.BadSignature:
        return HttpResponse(status=400)
    if not parts:
        return HttpResponse(status=400)
    try:
        versions = hints.versions(sorted({topic for part in parts for topic in part.topics}))
    except redis.RedisError:
        return HttpResponse(status=503, headers={"Retry-After": str(SECONDS_WITHOUT_HINTS)})
    marks = [part.mark(versions) for part in parts]
    known = request.GET.get("since", "").split(".")
    if known == marks:
        return HttpResponse(status=204)
    if len(known) != len(parts):
        known = [""] * len(parts)
    changed = [
        number
        for number, (part, mark, old) in enumerate(zip(parts, marks, known, strict=True))
        if (mark != old if old else part.is_older_than(versions))
    ]
    answer = JsonResponse({"since": ".".join(marks), "changed": changed})
    answer["Cache-Control"] = "no-store"
    return answer
