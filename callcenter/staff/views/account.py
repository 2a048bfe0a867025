"""Logging in and out, one's own profile and password."""

import datetime as dt
import math

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from callcenter.lib.errors import Refused
from callcenter.lib.forms import refuse
from callcenter.lib.localtime import local
from callcenter.lib.public_views import public
from callcenter.staff import actions
from callcenter.staff.access import StaffRequest, allow, client_address
from callcenter.staff.forms import ProfileForm
from callcenter.staff.queries import DEFAULT_ZONE
from callcenter.staff.roles import EVERYONE


class LoginForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "Логин или пароль не подходят. Проверьте раскладку и Caps Lock.",
        "inactive": "Эта учётная запись отключена. Обратитесь к старшему администратору.",
    }


login = public(
    auth.LoginView.as_view(
        template_name="staff/login.html",
        authentication_form=LoginForm,
        redirect_authenticated_user=True,
    )
)
logout = public(auth.LogoutView.as_view())


def locked_out(request: HttpRequest, credentials: dict[str, str] | None) -> HttpResponse:
    """What a log-in gets after five wrong passwords in a row: when to try again."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    last = (
        AccessAttempt.objects.filter(username=name, ip_address=client_address(request))
        .order_by("-attempt_time")
        .values_list("attempt_time", flat=True)
        .first()
    )
    now = timezone.now()
    until = (last or now) + dt.timedelta(hours=settings.AXES_COOLOFF_TIME)
    # The minute is rounded up: at the time it names the door is open. Moscow time for everyone: the
    # zone of a clinic would tell a stranger that there is such a log-in.
    context = {
        "at": local(until + dt.timedelta(seconds=59), DEFAULT_ZONE),
        "minutes": max(1, math.ceil((until - now).total_seconds() / 60)),
        "limit": settings.AXES_FAILURE_LIMIT,
    }
    return render(request, "staff/locked_out.html", context, status=429)


@allow(*EVERYONE)
@require_http_methods(["GET", "POST"])
def profile(request: StaffRequest) -> HttpResponse:
    """One's own e-mail and extension; roles and clinics to read."""
    user = request.user
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        initial={"email": user.email, "extension": user.extension},
    )
    if request.method == "POST" and form.is_valid():
        actions.change_profile(user, **form.cleaned_data, now=timezone.now())
        messages.success(request, "Профиль сохранён.")
        return redirect("profile")
    context = {
        "form": form,
        "password_form": PasswordChangeForm(user),
        "clinics": user.clinics.order_by("name"),
    }
    return render(request, "staff/profile.html", context, status=422 if form.is_bound else 200)


@allow(*EVERYONE)
@require_http_methods(["POST"])
def password(request: StaffRequest) -> HttpResponse:
    """Changes one's own password; the present session goes on, all others end."""
    user = request.user
    form = PasswordChangeForm(user, request.POST)
    if form.is_valid():
        try:
            fresh = actions.set_password(
                user, password=form.cleaned_data["new_password1"], by=user, now=timezone.now()
            )
        except Refused as error:
            refuse(form, error)
        else:
            update_session_auth_hash(request, fresh)
            messages.success(request, "Пароль изменён. На других устройствах нужно войти заново.")
            return redirect("profile")
    initial = {"email": user.email, "extension": user.extension}
    context = {
        "form": ProfileForm(initial=initial),
        "password_form": form,
        "clinics": user.clinics.order_by("name"),
    }
    return render(request, "staff/profile.html", context, status=422)
