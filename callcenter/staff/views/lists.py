"""What a person keeps of a list: which columns, in which order, and named sets of conditions."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from callcenter.lib.errors import Refused
from callcenter.staff import actions
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.models import SavedView
from callcenter.staff.roles import EVERYONE


def _page(request: StaffRequest) -> str:
    """Return the address of the list that the form stands on, with its conditions.

    Only a page of our own, named by its view: a form cannot send the person elsewhere.
    """
    name = request.POST.get("page", "")
    kwargs = {key[4:]: value for key, value in request.POST.items() if key.startswith("arg-")}
    try:
        path = reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        raise Refused("Этой страницы больше нет. Откройте список заново.") from None
    return f"{path}?{request.POST.get('query', '').lstrip('?')}"


@allow(*EVERYONE)
@require_POST
def choose_columns(request: StaffRequest) -> HttpResponse:
    """Remember the ticked columns; `up` or `down` moves one of them, `reset` forgets the choice."""
    back = _page(request)
    table = request.POST.get("table", "")
    if "reset" in request.POST:
        actions.choose_columns(request.user, table=table, columns=[])
        return redirect(back)
    columns = request.POST.getlist("column")
    actions.choose_columns(
        request.user,
        table=table,
        columns=_moved(columns, request.POST.get("up"), request.POST.get("down")),
    )
    return redirect(back)


def _moved(columns: list[str], up: str | None, down: str | None) -> list[str]:
    """Return the columns with one of them a place nearer to the beginning (`up`) or the end."""
    name, step = (up, -1) if up else (down, 1)
    if name not in columns:
        return columns
    place = columns.index(name)
    target = min(max(place + step, 0), len(columns) - 1)
    rest = [column for column in columns if column != name]
    return [*rest[:target], name, *rest[target:]]


@allow(*EVERYONE)
@require_POST
def save_view(request: StaffRequest) -> HttpResponse:
    """Give the conditions of the list a name; the same name again replaces the former ones."""
    back = _page(request)
    actions.save_view(
        page=request.POST.get("page", ""),
        name=request.POST.get("name", ""),
        query=request.POST.get("query", "").lstrip("?"),
        is_shared=request.POST.get("is_shared") == "on",
        by=request.user,
        now=timezone.now(),
    )
    return redirect(back)


@allow(*EVERYONE)
@require_POST
def delete_view(request: StaffRequest, pk: int) -> HttpResponse:
    """Delete one of the person's own views; a colleague's is a 404."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user)
    back = _page(request)
    actions.delete_view(view, by=request.user, now=timezone.now())
    return redirect(back)
