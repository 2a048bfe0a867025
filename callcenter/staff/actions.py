"""Every meaningful write about people: accounts, passwords, roles, clinics, shifts. Who may do
what: docs/adr/0010.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from axes.utils import reset as forget_failed_logins
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.audit.actions import LogRow
from callcenter.lib import live_updates, optimistic_lock
from callcenter.lib.errors import Conflict, NotAllowed, Refused
from callcenter.staff.models import SavedView, Shift, TableColumns, User
from callcenter.staff.queries import colleagues, manages
from callcenter.staff.roles import Role, ShiftColour, grantable

_SHOWN = ("login", "full_name", "email", "extension", "roles", "sees_phones", "capacity")


@dataclass(frozen=True)
class PersonFacts:
    """What is written about a person; `clinic_ids` are the clinics he may see."""

    login: str
    full_name: str
    roles: tuple[str, ...]
    clinic_ids: frozenset[int]
    email: str = ""
    extension: str = ""
    sees_phones: bool = True
    capacity: int = 40


def create_user(*, facts: PersonFacts, password: str, by: User | None, now: dt.datetime) -> User:
    """Opens an account; `by=None` is the command line of the installation, which may give anything.

    Raises Refused for a log-in that is taken, a weak password, no roles, no clinics or the sight of
    numbers that she does not have herself; NotAllowed for a role or a clinic that is not hers to
    give.
    """
    with transaction.atomic():
        if User.objects.filter(login__iexact=facts.login).exists():
            raise Refused(f"Логин «{facts.login}» уже занят. Придумайте другой.", field="login")
        _check_rights(by, facts, roles_before=(), clinics_before=frozenset(), saw_phones=False)
        person = User(**_columns(facts))
        _check_password(password, person)
        person.set_password(password)
        person.save()
        person.clinics.set(facts.clinic_ids)
        audit.record(
            "staff.create_user",
            person,
            by=by,
            now=now,
            after=_person(person),
        )
    return person


def change_user(
    person: User, *, facts: PersonFacts, by: User, now: dt.datetime, shown: str | None = None
) -> User:
    """Changes a person's data, roles and clinics; an unchanged form writes nothing.

    Raises NotAllowed when the person is not hers to manage; Refused when a clinic would stay
    without a senior or for the sight of numbers that she does not have herself; Conflict when the
    person is not what a page `shown` him as (`person_fingerprint`): a role taken away meanwhile must not
    come back.
    """
    with transaction.atomic():
        person = _lock(person)
        if not manages(by, person):
            raise NotAllowed(_NOT_YOURS)
        optimistic_lock.ensure_unchanged(shown, person_fingerprint(person))
        if User.objects.filter(login__iexact=facts.login).exclude(pk=person.pk).exists():
            raise Refused(f"Логин «{facts.login}» уже занят. Придумайте другой.", field="login")
        clinics = _clinic_ids(person)
        _check_rights(
            by,
            facts,
            roles_before=tuple(person.roles),
            clinics_before=clinics,
            saw_phones=person.sees_phones,
        )
        was = _person(person)
        leaves = clinics if Role.SENIOR not in facts.roles else clinics - facts.clinic_ids
        _keep_a_senior(person, leaves)
        for name, value in _columns(facts).items():
            setattr(person, name, value)
        person.save()
        person.clinics.set(facts.clinic_ids)
        before, after = audit.changes(was, _person(person))
        if after:
            audit.record("staff.change_user", person, by=by, now=now, before=before, after=after)
    return person


def place_user(
    person: User, *, clinic_ids: Iterable[int], by: User, now: dt.datetime, shown: str | None = None
) -> User:
    """Says in which of `by`'s own clinics a colleague works; his other clinics stay as they are.

    For people who also work where `by` does not: their data and password are not hers to change,
    their place is. Raises Conflict when his places are not what a page `shown` them as
    (`place_fingerprint`).
    """
    with transaction.atomic():
        person = _lock(person)
        if not set(person.roles) <= {str(role) for role in grantable(by.roles)}:
            raise NotAllowed(_NOT_YOURS)
        hers, had, wanted = _clinic_ids(by), _clinic_ids(person), frozenset(clinic_ids)
        if not had & hers or not wanted <= hers:
            raise NotAllowed(_NOT_YOURS)
        optimistic_lock.ensure_unchanged(shown, place_fingerprint(person, by))
        result = (had - hers) | wanted
        if not result:
            raise Refused(
                "Оставьте хотя бы одну клинику или отключите сотрудника.", field="clinics"
            )
        _keep_a_senior(person, had - result)
        was = _names(person)
        person.clinics.set(result)
        if result != had:
            audit.record(
                "staff.place_user",
                person,
                by=by,
                now=now,
                before={"clinics": was},
                after={"clinics": _names(person)},
            )
    return person


def person_fingerprint(person: User) -> str:
    """Of what the page of an account shows."""
    return optimistic_lock.fingerprint(_person(person))


def place_fingerprint(person: User, by: User) -> str:
    """Of the colleague's places that `by` sees."""
    return optimistic_lock.fingerprint({"clinics": sorted(_clinic_ids(person) & _clinic_ids(by))})


def dismiss_user(person: User, *, by: User, now: dt.datetime) -> User:
    """Closes the account: the person is logged out at the next click, his work shows as nobody's.

    Raises Refused for oneself and for the last senior of a clinic, Conflict when somebody has done
    it already.
    """
    with transaction.atomic():
        person = _lock(person)
        if not manages(by, person):
            raise NotAllowed(_NOT_YOURS)
        if person == by:
            raise Refused("Себя отключить нельзя: попросите другого старшего.")
        if not person.is_active:
            raise Conflict(f"{person.full_name} уже отключён.")
        _keep_a_senior(person, _clinic_ids(person))
        person.is_active = False
        person.save(update_fields=["is_active"])
        audit.record("staff.dismiss_user", person, by=by, now=now)
    return person


def return_user(person: User, *, by: User, now: dt.datetime) -> User:
    """Opens a closed account again."""
    with transaction.atomic():
        person = _lock(person)
        if not manages(by, person):
            raise NotAllowed(_NOT_YOURS)
        if person.is_active:
            raise Conflict(f"{person.full_name} уже работает.")
        person.is_active = True
        person.save(update_fields=["is_active"])
        audit.record("staff.return_user", person, by=by, now=now)
    return person


def set_password(person: User, *, password: str, by: User, now: dt.datetime) -> User:
    """Sets a password, one's own or (senior) a colleague's; his sessions end, a lock-out of his
    log-in is lifted.

    Raises Refused for a weak password and for a colleague who sees numbers that `by` does not: she
    could log in as him.
    """
    with transaction.atomic():
        person = _lock(person)
        if person != by and not manages(by, person):
            raise NotAllowed(_NOT_YOURS)
        if person.sees_phones and not by.sees_phones:
            raise Refused(
                "Вы не видите номеров телефонов, а этот сотрудник видит. Обратитесь к тому, у кого есть это право.",
                field="password",
            )
        _check_password(password, person)
        person.set_password(password)
        person.save(update_fields=["password"])
        audit.record(
            "staff.change_password" if person == by else "staff.set_password",
            person,
            by=by,
            now=now,
        )
    forget_failed_logins(username=person.login)
    return person


def change_profile(person: User, *, email: str, extension: str, now: dt.datetime) -> User:
    """One's own e-mail and extension (the handset that rings when the person calls with one click)."""
    with transaction.atomic():
        person = _lock(person)
        was = audit.values(person, "email", "extension")
        person.email, person.extension = email, extension
        person.save(update_fields=["email", "extension"])
        before, after = audit.changes(was, audit.values(person, "email", "extension"))
        if after:
            audit.record(
                "staff.change_profile", person, by=person, now=now, before=before, after=after
            )
    return person


def set_shift(
    person: User, *, on: dt.date, colour: str, by: User, now: dt.datetime
) -> Shift | None:
    """Puts the person on a shift of a colour on a local day; '' takes him off. A day has one colour
    a person.
    """
    if colour and colour not in ShiftColour.values:
        raise Refused("Такой смены нет.", field="colour")
    with transaction.atomic():
        person = _lock(person)
        if not colleagues(by).filter(pk=person.pk).exists():
            raise NotAllowed(_NOT_YOURS)
        if colour and not person.is_active:
            raise Refused(f"{person.full_name} отключён: смену не поставить.")
        had = list(Shift.objects.filter(user=person, on=on).values_list("colour", flat=True))
        if had == ([colour] if colour else []):
            return Shift.objects.filter(user=person, on=on).first()
        Shift.objects.filter(user=person, on=on).delete()
        shift = Shift.objects.create(user=person, on=on, colour=colour) if colour else None
        audit.record(
            "staff.set_shift",
            person,
            by=by,
            now=now,
            before={"on": on.isoformat(), "colour": had[0] if had else None},
            after={"on": on.isoformat(), "colour": colour or None},
        )
        live_updates.bump("shifts")
    return shift


def copy_week(people: list[User], *, monday: dt.date, by: User, now: dt.datetime) -> int:
    """Repeats the week before `monday` for `people` where their days are still free; returns how
    many shifts it gave.
    """
    week = dt.timedelta(days=7)
    with transaction.atomic():
        hers = set(colleagues(by).filter(is_active=True).values_list("pk", flat=True))
        mine = list(
            User.objects.select_for_update(no_key=True).filter(
                pk__in=[p.pk for p in people if p.pk in hers]
            )
        )
        taken = set(
            Shift.objects.filter(user__in=mine, on__gte=monday, on__lt=monday + week).values_list(
                "user_id", "on"
            )
        )
        fresh = [
            Shift(user_id=shift.user_id, on=shift.on + week, colour=shift.colour)
            for shift in Shift.objects.filter(user__in=mine, on__gte=monday - week, on__lt=monday)
            if (shift.user_id, shift.on + week) not in taken
        ]
        Shift.objects.bulk_create(fresh)
        if fresh:
            given = Counter(shift.user_id for shift in fresh)
            rows = [
                LogRow(
                    person.pk,
                    str(person),
                    after={"week": monday.isoformat(), "shifts": given[person.pk]},
                )
                for person in mine
                if given[person.pk]
            ]
            audit.record_many("staff.copy_week", User._meta.label_lower, rows, by=by, now=now)
            live_updates.bump("shifts")
    return len(fresh)


_NOT_YOURS = "Этот сотрудник не ваш: у него есть клиники или роли, которых нет у вас. Обратитесь к управляющему."


def _lock(person: User) -> User:
    # NO KEY: two seniors at work on each other write audit rows that refer to each other's locked
    # row.
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _columns(facts: PersonFacts) -> dict[str, object]:
    return {
        "login": facts.login,
        "full_name": facts.full_name,
        "email": facts.email,
        "extension": facts.extension,
        "roles": [role for role in Role.values if role in facts.roles],
        "sees_phones": facts.sees_phones,
        "capacity": facts.capacity,
    }


def _person(person: User) -> dict[str, object]:
    return {**audit.values(person, *_SHOWN), "clinics": _names(person)}


def _clinic_ids(person: User) -> frozenset[int]:
    return frozenset(person.clinics.values_list("pk", flat=True))


def _names(person: User) -> list[str]:
    return list(person.clinics.order_by("name").values_list("name", flat=True))


def _check_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field="password") from None


def _check_rights(
    by: User | None,
    facts: PersonFacts,
    *,
    roles_before: tuple[str, ...],
    clinics_before: frozenset[int],
    saw_phones: bool,
) -> None:
    if not facts.roles or not set(facts.roles) <= set(Role.values):
        raise Refused("Выберите хотя бы одну роль.", field="roles")
    if by is None:
        return
    touched = set(facts.roles) ^ set(roles_before)
    if not touched <= {str(role) for role in grantable(by.roles)}:
        raise NotAllowed("Такую роль вы дать или снять не можете. Обратитесь к управляющему.")
    if not facts.clinic_ids:
        raise Refused(
            "Выберите хотя бы одну клинику: без неё сотрудник ничего не увидит.", field="clinics"
        )
    if not (facts.clinic_ids ^ clinics_before) <= _clinic_ids(by):
        raise NotAllowed("Давать можно только свои клиники.")
    if facts.sees_phones and not saw_phones and not by.sees_phones:
        raise Refused(
            "Вы не видите номеров телефонов и не можете дать это право. Обратитесь к тому, у кого оно есть.",
            field="sees_phones",
        )


def _keep_a_senior(person: User, leaves: frozenset[int]) -> None:
    """Refuses when one of the clinics he leaves as a senior would have none."""
    if not leaves or not person.is_active or not person.has(Role.SENIOR):
        return
    for pk, name in _clinics_in_turn(person, leaves):
        others = User.objects.with_role(Role.SENIOR).filter(clinics=pk).exclude(pk=person.pk)
        if not others.exists():
            raise Refused(
                f"{person.full_name} — последний старший администратор клиники «{name}». Сначала назначьте другого.",
                field="roles",
            )


def _clinics_in_turn(person: User, leaves: frozenset[int]) -> list[tuple[int, str]]:
    """The clinics' ids and names, their rows locked in one order: two seniors who take each other
    off at the same moment would otherwise both see the other one still there.
    """
    rows = (
        person.clinics.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=leaves)
        .order_by("pk")
    )
    return [(clinic.pk, clinic.name) for clinic in rows]


def choose_columns(user: User, *, table: str, columns: list[str]) -> None:
    """Remember the columns of a list for the user; none means the list's own choice again."""
    known = TableColumns.objects.filter(user=user, table=table[:60])
    if not columns:
        known.delete()
        return
    kept = [name[:60] for name in dict.fromkeys(columns)][:60]
    TableColumns.objects.update_or_create(user=user, table=table[:60], defaults={"columns": kept})


def save_view(
    *, page: str, name: str, query: str, is_shared: bool, by: User, now: dt.datetime
) -> SavedView:
    """Name the conditions of a list; the same name again replaces the former ones.

    Raises Refused without a name, or for a name or conditions that are too long.
    """
    name = " ".join(name.split())
    if not name:
        raise Refused("Назовите вид, чтобы его можно было найти.", field="name")
    if len(name) > 80:
        raise Refused("Название длиннее 80 знаков. Сократите его.", field="name")
    if len(query) > 2000:
        raise Refused("Условий слишком много, чтобы их запомнить. Снимите часть.")
    with transaction.atomic():
        view, _ = SavedView.objects.update_or_create(
            owner=by, page=page[:60], name=name, defaults={"query": query, "is_shared": is_shared}
        )
        after = {"page": page, "query": query, "is_shared": is_shared}
        audit.record("staff.save_view", view, by=by, now=now, after=after)
    return view


def delete_view(view: SavedView, *, by: User, now: dt.datetime) -> None:
    """Delete a saved view of the user's own."""
    before: dict[str, object] = {"page": view.page, "query": view.query}
    with transaction.atomic():
        audit.record("staff.delete_view", view, by=by, now=now, before=before)
        view.delete()
