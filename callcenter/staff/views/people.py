"""«Сотрудники»: the accounts of one's clinics. What may be changed of whom: docs/adr/0010."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from callcenter.lib.errors import Conflict, Refused
from callcenter.lib.forms import refuse, show_conflict
from callcenter.lib.query_params import number
from callcenter.staff import actions, queries
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.forms import ClinicsOfPersonForm, NewPersonForm, PasswordForm, PersonForm
from callcenter.staff.list_pages import list_page
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_MANAGE_STAFF, Role, grantable
from callcenter.staff.tables import PeopleTable


@allow(*CAN_MANAGE_STAFF)
@require_GET
def people(request: StaffRequest) -> HttpResponse:
    """Colleagues by name, role and clinic; dismissed ones apart."""
    chosen = {
        "q": request.GET.get("q", "").strip(),
        "role": request.GET.get("role", ""),
        "clinic": number(request.GET.get("clinic")),
        "dismissed": "dismissed" in request.GET,
    }
    found = queries.search_people(
        request.user,
        text=str(chosen["q"]),
        role=str(chosen["role"]),
        clinic_id=number(request.GET.get("clinic")),
        dismissed=bool(chosen["dismissed"]),
    )
    context = {
        "chosen": chosen,
        "roles": Role.choices,
        "clinics": request.user.clinics.order_by("name"),
    }
    return list_page(request, "staff/people.html", PeopleTable, found, context)


@allow(*CAN_MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Opens an account."""
    own = list(request.user.clinics.all())
    form = NewPersonForm(
        request.POST if request.method == "POST" else None,
        by=request.user,
        initial={"roles": [Role.ADMINISTRATOR], "clinics": own if len(own) == 1 else []},
    )
    if request.method == "POST" and form.is_valid():
        try:
            person = actions.create_user(
                facts=form.facts(),
                password=form.cleaned_data["password"],
                by=request.user,
                now=timezone.now(),
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(
                request, f"Сотрудник {person.full_name} заведён: логин {person.login}."
            )
            return redirect("staff:people")
    return render(
        request, "staff/person_new.html", {"form": form}, status=422 if form.is_bound else 200
    )


@allow(*CAN_MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def person(request: StaffRequest, pk: int) -> HttpResponse:
    """One account: data, roles, clinics; for a colleague who also works elsewhere only the place."""
    found = _find(request, pk)
    if not queries.manages(request.user, found):
        return _place(request, found)
    shown = (
        request.POST.get("shown", "")
        if request.method == "POST"
        else actions.person_fingerprint(found)
    )
    form = PersonForm(
        request.POST if request.method == "POST" else None, by=request.user, initial=_initial(found)
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_user(
                found, facts=form.facts(), by=request.user, now=timezone.now(), shown=shown
            )
        except Refused as error:
            refuse(form, error)
        except Conflict as error:
            found = _find(request, pk)
            show_conflict(form, PersonForm(by=request.user, initial=_initial(found)), error)
            status, shown = error.status, actions.person_fingerprint(found)
        else:
            messages.success(request, "Изменения сохранены.")
            return redirect("staff:person", pk)
    context = {"person": found, "form": form, "password_form": PasswordForm(), "shown": shown}
    return render(request, "staff/person.html", context, status=status)


def _place(request: StaffRequest, found: User) -> HttpResponse:
    may = set(found.roles) <= {str(role) for role in grantable(request.user.roles)}
    shown = (
        request.POST.get("shown", "")
        if request.method == "POST"
        else actions.place_fingerprint(found, request.user)
    )
    form = (
        ClinicsOfPersonForm(
            request.POST if request.method == "POST" else None,
            by=request.user,
            initial=_places(request, found),
        )
        if may
        else None
    )
    status = 422 if form is not None and form.is_bound else 200
    if form is not None and request.method == "POST" and form.is_valid():
        chosen = [clinic.pk for clinic in form.cleaned_data["clinics"]]
        try:
            actions.place_user(
                found, clinic_ids=chosen, by=request.user, now=timezone.now(), shown=shown
            )
        except Refused as error:
            refuse(form, error)
        except Conflict as error:
            show_conflict(
                form, ClinicsOfPersonForm(by=request.user, initial=_places(request, found)), error
            )
            status, shown = error.status, actions.place_fingerprint(found, request.user)
        else:
            messages.success(request, "Изменения сохранены.")
            return redirect("staff:people")
    context = {"person": found, "place_form": form, "elsewhere": True, "shown": shown}
    return render(request, "staff/person.html", context, status=status)


@allow(*CAN_MANAGE_STAFF)
@require_POST
def password(request: StaffRequest, pk: int) -> HttpResponse:
    """A new password from the senior's hand; it also lifts a lock-out."""
    found = _find(request, pk)
    form = PasswordForm(request.POST)
    if form.is_valid():
        try:
            actions.set_password(
                found, password=form.cleaned_data["password"], by=request.user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(
                request, f"Новый пароль для {found.full_name} задан. Передайте его лично."
            )
            return redirect("staff:person", pk)
    context = {
        "person": found,
        "form": PersonForm(by=request.user, initial=_initial(found)),
        "password_form": form,
        "shown": actions.person_fingerprint(found),
    }
    return render(request, "staff/person.html", context, status=422)


@allow(*CAN_MANAGE_STAFF)
@require_POST
def dismiss(request: StaffRequest, pk: int) -> HttpResponse:
    """Closes the account."""
    found = actions.dismiss_user(_find(request, pk), by=request.user, now=timezone.now())
    messages.success(request, f"{found.full_name}: учётная запись отключена.")
    return redirect("staff:people")


@allow(*CAN_MANAGE_STAFF)
@require_POST
def bring_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Opens a closed account again."""
    found = actions.return_user(_find(request, pk), by=request.user, now=timezone.now())
    messages.success(request, f"{found.full_name} снова работает.")
    return redirect("staff:person", pk)


def _find(request: StaffRequest, pk: int) -> User:
    return get_object_or_404(queries.colleagues(request.user), pk=pk)


def _places(request: StaffRequest, found: User) -> dict[str, object]:
    return {"clinics": found.clinics.filter(pk__in=request.user.clinics.values("pk"))}


def _initial(found: User) -> dict[str, object]:
    fields = ("full_name", "login", "email", "extension", "roles", "sees_phones", "capacity")
    return {**{name: getattr(found, name) for name in fields}, "clinics": found.clinics.all()}
