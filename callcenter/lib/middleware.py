"""What every page needs around its view: a log-in, and errors that tell a person what to do."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from callcenter.lib.errors import DomainError


class LoginRequired(LoginRequiredMiddleware):
    """An expired session answers htmx with HX-Redirect, so that no log-in form lands inside a table
    row.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[object, ...],
        view_kwargs: dict[str, object],
    ) -> HttpResponseBase | None:
        """Asks a public page's marks before the user: Django asks the user first, which reads the
        session each time.
        """
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        """To the log-in, and from there back to the page one was on: a form's own address shows
        nothing by itself.
        """
        answer: HttpResponseBase = super().handle_no_permission(request, view_func)
        if page := _page_of(request):
            answer = redirect_to_login(
                page, self.get_login_url(view_func), self.get_redirect_field_name(view_func)
            )
        if request.headers.get("HX-Request") and isinstance(answer, HttpResponseRedirect):
            return HttpResponseClientRedirect(answer.url)
        return answer


class StripNulBytes(MiddlewareMixin):
    """NUL in an address is a space before any page reads it: PostgreSQL takes it in no text, and
    nobody means it.
    """

    def process_request(self, request: HttpRequest) -> None:
        asked = request.META.get("QUERY_STRING", "")
        if "%00" in asked or "\x00" in asked:
            request.META["QUERY_STRING"] = asked.replace("%00", "+").replace("\x00", "+")


def _page_of(request: HttpRequest) -> str:
    """The page of ours from which htmx asked or a form was sent; '' where the request's own address
    is the page.
    """
    address = request.headers.get("HX-Current-URL") or (
        "" if request.method == "GET" else request.headers.get("Referer")
    )
    if not url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(address or "")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class DomainErrorMiddleware(MiddlewareMixin):
    """Turns an action's Conflict, Refused, NotAllowed that no view has caught into a page (or a
    message for htmx).
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        template = (
            "errors/message.html" if request.headers.get("HX-Request") else "errors/page.html"
        )
        answer = render(request, template, {"error": exception}, status=exception.status)
        if request.headers.get("HX-Request"):
            answer["HX-Retarget"] = "#messages"
            answer["HX-Reswap"] = "beforeend"
        return answer
