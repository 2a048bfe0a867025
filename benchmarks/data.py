"""The common ground of the measurements: clinics, people and patients, made by the database itself
and only as many as miss.

Names are weighted as in life (many Ивановы, few Щукины), so that a search for «иван» has as many
hits as a clinic's would.
"""

import datetime as dt
from typing import Final

from django.db import connection

from callcenter.clinics.models import Clinic, Doctor, OpeningHours, Specialty
from callcenter.staff.models import User
from callcenter.staff.roles import Role

# A Wednesday, noon in Moscow.
NOW: Final = dt.datetime(2026, 3, 18, 9, 0, tzinfo=dt.UTC)
CLINICS: Final = 50
DOCTORS: Final = 600
ADMINISTRATORS: Final = 200

LAST: Final = [
    "Иванов",
    "Смирнов",
    "Кузнецов",
    "Попов",
    "Васильев",
    "Петров",
    "Соколов",
    "Михайлов",
    "Новиков",
    "Фёдоров",
    "Морозов",
    "Волков",
    "Алексеев",
    "Лебедев",
    "Семёнов",
    "Егоров",
    "Павлов",
    "Козлов",
    "Степанов",
    "Николаев",
    "Орлов",
    "Андреев",
    "Макаров",
    "Никитин",
    "Захаров",
    "Зайцев",
    "Соловьёв",
    "Борисов",
    "Яковлев",
    "Григорьев",
    "Романов",
    "Воробьёв",
    "Сергеев",
    "Фролов",
    "Александров",
    "Дмитриев",
    "Королёв",
    "Гусев",
    "Киселёв",
    "Ильин",
    "Максимов",
    "Поляков",
    "Сорокин",
    "Виноградов",
    "Ковалёв",
    "Белов",
    "Медведев",
    "Антонов",
    "Тарасов",
    "Жуков",
    "Баранов",
    "Филиппов",
    "Комаров",
    "Давыдов",
    "Беляев",
    "Герасимов",
    "Богданов",
    "Осипов",
    "Сидоров",
    "Матвеев",
    "Титов",
    "Марков",
    "Миронов",
    "Крылов",
    "Куликов",
    "Карпов",
    "Власов",
    "Мельников",
    "Денисов",
    "Гаврилов",
    "Тихонов",
    "Казаков",
    "Афанасьев",
    "Данилов",
    "Савельев",
    "Тимофеев",
    "Фомин",
    "Чернов",
    "Абрамов",
    "Мартынов",
    "Ефимов",
    "Щукин",
]
WOMEN: Final = [
    "Анна",
    "Мария",
    "Елена",
    "Ольга",
    "Наталья",
    "Екатерина",
    "Ирина",
    "Татьяна",
    "Светлана",
    "Юлия",
    "Алла",
    "Марина",
    "Алина",
    "Александра",
    "Вера",
    "Софья",
]
MEN: Final = [
    "Александр",
    "Сергей",
    "Дмитрий",
    "Андрей",
    "Алексей",
    "Максим",
    "Евгений",
    "Иван",
    "Михаил",
    "Николай",
    "Артём",
    "Павел",
    "Олег",
    "Пётр",
    "Лев",
    "Фёдор",
]
FATHERS: Final = [
    "Александров",
    "Сергеев",
    "Дмитриев",
    "Андреев",
    "Алексеев",
    "Максимов",
    "Евгеньев",
    "Иванов",
    "Михайлов",
    "Николаев",
    "Артёмов",
    "Павлов",
    "Олегов",
    "Петров",
    "Львов",
    "Фёдоров",
]


def people() -> None:
    """50 clinics in one zone, 600 doctors, 200 administrators, a senior and a manager who see them
    all. Once a database.
    """
    if User.objects.filter(login="senior").exists():
        return
    specialties = Specialty.objects.bulk_create(
        Specialty(name=f"Специальность {n}") for n in range(20)
    )
    clinics = Clinic.objects.bulk_create(
        Clinic(name=f"Клиника {n:02}", phone="+79000009999") for n in range(CLINICS)
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=day, opens=dt.time(8), closes=dt.time(20))
        for clinic in clinics
        for day in range(7)
    )
    doctors = Doctor.objects.bulk_create(
        Doctor(full_name=f"{LAST[n % len(LAST)]} Врач {n}", specialty=specialties[n % 20])
        for n in range(DOCTORS)
    )
    Doctor.clinics.through.objects.bulk_create(
        Doctor.clinics.through(doctor_id=doctor.pk, clinic_id=clinics[n % CLINICS].pk)
        for n, doctor in enumerate(doctors)
    )
    users = [_user("senior", Role.SENIOR), _user("manager", Role.MANAGER)]
    users += [_user(f"administrator{n}", Role.ADMINISTRATOR) for n in range(ADMINISTRATORS)]
    made = User.objects.bulk_create(users)
    Clinic.staff.through.objects.bulk_create(
        Clinic.staff.through(user_id=user.pk, clinic_id=clinic.pk)
        for n, user in enumerate(made)
        for m, clinic in enumerate(clinics)
        if n < 2 or m % ADMINISTRATORS == n % CLINICS or n == 2
    )


def _user(login: str, role: Role) -> User:
    return User(
        login=login,
        full_name=f"{LAST[len(login) % len(LAST)]}а Анна {login}",
        roles=[str(role)],
        password="!",  # noqa: S106
    )


def senior() -> User:
    """Sees all 50 clinics."""
    people()
    return User.objects.get(login="senior")


def manager() -> User:
    people()
    return User.objects.get(login="manager")


def administrator() -> User:
    """Works for all 50 clinics, the hardest case; `administrator1`… have one clinic each."""
    people()
    return User.objects.get(login="administrator0")


def administrator_of_one() -> User:
    people()
    return User.objects.get(login="administrator1")


def clinic_ids() -> list[int]:
    people()
    return list(Clinic.objects.order_by("pk").values_list("pk", flat=True))


def patients(total: int) -> None:
    """Makes the patients that miss up to `total`: ids 1…total, each with a phone and one clinic;
    one in 20 shares a phone.
    """
    people()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM clinics_patient")
        start = cursor.fetchone()[0]
        if start >= total:
            return
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(_PATIENTS, {"start": start + 1, "end": total, **_name_parameters()})
        cursor.execute(_PHONES, {"start": start + 1, "end": total})
        cursor.execute(_VISITED, {"start": start + 1, "end": total, "clinics": clinic_ids()})
        cursor.execute("SELECT setval('clinics_patient_id_seq', %s)", [total])
        cursor.execute("RESET synchronous_commit")


def _name_parameters() -> dict[str, list[str]]:
    return {"last": LAST, "women": WOMEN, "men": MEN, "fathers": FATHERS}


# One patronymic in forty has a second word. floor(n * r²) makes the names that stand first in a
# list the most frequent. hashint8 is reproducible where random() is not.
_PATIENTS = """
INSERT INTO clinics_patient (id, last_name, first_name, middle_name, birth_date, email, zone, do_not_call,
                             do_not_call_reason, note, source_id, created_at)
SELECT id, last, first, middle, date '1935-01-01' + (r4 * 32000)::int, '', '', false, '', '', '',
       timestamptz '2025-01-01'
FROM (
    SELECT id, r4,
        (%(last)s::text[])[1 + floor(array_length(%(last)s::text[], 1) * r1 * r1)::int]
            || CASE WHEN woman THEN 'а' ELSE '' END AS last,
        CASE WHEN woman THEN (%(women)s::text[])[1 + floor(array_length(%(women)s::text[], 1) * r2 * r2)::int]
             ELSE (%(men)s::text[])[1 + floor(array_length(%(men)s::text[], 1) * r2 * r2)::int] END AS first,
        (%(fathers)s::text[])[1 + floor(array_length(%(fathers)s::text[], 1) * r3 * r3)::int]
            || CASE WHEN woman THEN 'на' ELSE 'ич' END
            || CASE WHEN id %% 41 = 0 THEN CASE WHEN woman THEN ' кызы' ELSE ' оглы' END ELSE '' END AS middle
    FROM (
        SELECT id, id %% 5 < 3 AS woman,
            (hashint8extended(id, 1) & 1048575) / 1048576.0 AS r1,
            (hashint8extended(id, 2) & 1048575) / 1048576.0 AS r2,
            (hashint8extended(id, 3) & 1048575) / 1048576.0 AS r3,
            (hashint8extended(id, 4) & 1048575) / 1048576.0 AS r4
        FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS id
    ) AS dice
) AS named
"""
_PHONES = """
INSERT INTO clinics_patientphone (patient_id, number, label, is_main)
SELECT id, '+7' || digits, '', true
FROM (
    SELECT id, (9000000000 + CASE WHEN id %% 20 = 0 THEN id - 1 ELSE id END)::text AS digits
    FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS id
) AS numbered
"""
_VISITED = """
INSERT INTO clinics_patient_clinics (patient_id, clinic_id)
SELECT id, (%(clinics)s::bigint[])[1 + id %% array_length(%(clinics)s::bigint[], 1)]
FROM generate_series(%(start)s::bigint, %(end)s::bigint) AS id
"""
