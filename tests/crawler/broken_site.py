"""A small site on which everything is wrong that the crawler must find. Its urlconf is this module."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = """<!doctype html><html><body>
<a href="/nowhere/">dead link</a>
<a href="#absent">dead anchor</a>
<a href="#">dead hash</a>
<a href="/forbidden/">shown, then refused</a>
<button type="button">dead button</button>
<button type="button" hx-get="/part/" hx-target="#absent-target">misdirected</button>
<form method="post" action="/crash/"><input name="csrfmiddlewaretoken" value="x"><input name="a" value="1"><button>crash</button></form>
<form method="post" action="/fine/"><button>tokenless</button></form>
<form hx-post="/fine/"><button>scripts only</button></form>
<form method="post" action="/reads-only/"><input name="csrfmiddlewaretoken" value="x"><button>wrong method</button></form>
<p id="twice"></p><p id="twice"></p>
</body></html>"""
PART = """<a href="/nowhere/in/part/">dead link in a part</a>"""


def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


def part(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PART)


def fine(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def crash(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"crashed with a={request.POST['a']}")


def reads_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=405 if request.method == "POST" else 200)


def forbidden(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=403)


urlpatterns = [
    path("", page),
    path("part/", part),
    path("fine/", fine),
    path("crash/", crash),
    path("reads-only/", reads_only),
    path("forbidden/", forbidden),
]
