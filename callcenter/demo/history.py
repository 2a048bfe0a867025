"""History of a large chain at full size: contacts, interactions, results and visits of three years,
skewed like life.

Each contact is one of the stories of `scenarios`, decided by the product's own rules, at a clinic,
day and hour drawn by hashes — the same every time. The database does the multiplying; the counts of
each clinic's day are sent by COPY.
"""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max
from django.db.models.functions import Coalesce

from callcenter.assignments.models import Task
from callcenter.clinics.models import (
    Appointment,
    Clinic,
    Doctor,
    Patient,
    Specialty,
    WaitingListEntry,
)
from callcenter.clinics.states import AppointmentStatus
from callcenter.contacts.models import AdChannel, Topic
from callcenter.contacts.states import InteractionKind
from callcenter.demo.scenarios import STORIES, decided, said_of
from callcenter.staff.models import User

SOURCE: Final = "history"
_SLOTS: Final = 10_000
TABLES: Final = ("contacts_contact", "contacts_interaction", "contacts_contactresult")
VISITS: Final = "clinics_appointment"
_TOPICS: Final = (
    "Гигиена", "Кариес", "Имплантация", "Ортодонтия", "Протезирование", "Острая боль", "Детский приём", "Рентген", "Консультация",
    "Справка", "Анализы", "Осмотр",
)  # fmt: skip
_CHANNELS: Final = {
    "Контекстная реклама": ("Яндекс Директ", "Другой контекст"),
    "Карты": ("Яндекс Карты", "2ГИС"),
    "Социальные сети": ("ВКонтакте", "MAX"),
    "Сайт": (),
    "Рекомендации": (),
    "Наружная реклама": (),
}
# Share of each hour from 8 to 20 in a day's contacts, hundredths.
_HOURS: Final = {
    8: 6,
    9: 11,
    10: 13,
    11: 12,
    12: 9,
    13: 7,
    14: 8,
    15: 8,
    16: 8,
    17: 7,
    18: 6,
    19: 4,
    20: 1,
}


def make_history(*, contacts: int, until: dt.date, days: int = 3 * 365 + 1) -> dict[str, int]:
    """Replaces the generated history by `contacts` contacts in the `days` up to `until`; real rows
    must not stand there yet.

    Needs clinics with staff and patients. In one transaction; indexes are built once at the end.
    Returns the counts. Raises RuntimeError when contacts that were not generated are present.
    """
    _ground()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT exists(SELECT FROM contacts_interaction WHERE source <> %s LIMIT 1)", [SOURCE]
        )
        if cursor.fetchone()[0]:
            raise RuntimeError("The database has contacts of its own. Use an empty one.")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        _quickly(cursor)
        cursor.execute(
            f"TRUNCATE {', '.join(TABLES)}, contacts_recording, contacts_chatline CASCADE"
        )
        cursor.execute("DELETE FROM clinics_appointment WHERE source = %s", [SOURCE])
        indexes = _drop_indexes(cursor)
        slots = _copy_stories(cursor)
        _copy_days(cursor, contacts, until, days)
        parameters = _parameters() | {"slots": slots}
        for statement in (_CONTACTS, _APPOINTMENTS, _RESULTS, _INTERACTIONS):
            cursor.execute(statement, parameters)
        for table in (*TABLES, VISITS):
            newest = f"SELECT coalesce(max(id), 1) FROM {table}"  # noqa: S608
            cursor.execute(f"SELECT setval('{table}_id_seq', ({newest}))")
        for index in indexes:
            cursor.execute(index)
        counts = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (names of our own tables)
            counts[table.removeprefix("contacts_")] = int(cursor.fetchone()[0])
    return counts


def _ground() -> None:
    """Topics, channels, and the least that visits need."""
    for name in _TOPICS:
        Topic.objects.get_or_create(name=name)
    for name, below in _CHANNELS.items():
        parent, _ = AdChannel.objects.get_or_create(name=name, parent=None)
        for child in below:
            AdChannel.objects.get_or_create(name=child, parent=parent)
    if not Clinic.objects.filter(staff__isnull=False).exists() or not Patient.objects.exists():
        raise RuntimeError(
            "There are no clinics with staff or no patients. Load the demo clinic first."
        )
    if not Doctor.objects.exists():
        specialty, _ = Specialty.objects.get_or_create(name="Терапия")
        Doctor.objects.create(full_name="Примеров Пётр Павлович", specialty=specialty)
    patient = Patient.objects.order_by("pk").first()
    clinic = Clinic.objects.order_by("pk").first()
    moment = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    if patient is not None and clinic is not None:
        WaitingListEntry.objects.get_or_create(
            comment=SOURCE,
            defaults=dict(clinic=clinic, patient=patient, call_on=moment.date(), opened_at=moment),
        )
        Task.objects.get_or_create(
            origin=SOURCE, defaults=dict(title="Позвонить", role="administrator", deadline_at=moment, created_at=moment,
                                         assignee=User.objects.order_by("pk").first())
        )  # fmt: skip


def _quickly(cursor: CursorWrapper) -> None:
    """Foreign keys hold by construction; a superuser may leave out checking each of ten million of
    them.
    """
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        cursor.execute("SET LOCAL session_replication_role = replica")


def _drop_indexes(cursor: CursorWrapper) -> list[str]:
    """Drops all but the primary keys of the tables and returns how to make them again."""
    cursor.execute(
        "SELECT format('ALTER TABLE %%I DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname),"
        " format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))"
        " FROM pg_constraint c WHERE c.contype = 'u' AND c.conrelid::regclass::text = ANY(%s)"
        " UNION ALL SELECT format('DROP INDEX %%I', i.indexname), i.indexdef FROM pg_indexes i"
        " LEFT JOIN pg_constraint c ON c.conname = i.indexname WHERE i.tablename = ANY(%s) AND c.oid IS NULL",
        [[*TABLES, VISITS], [*TABLES, VISITS]],
    )
    found = cursor.fetchall()
    for drop, _ in found:
        cursor.execute(drop)
    return [make for _, make in found]


def _copy(cursor: CursorWrapper, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with cursor.cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _copy_stories(cursor: CursorWrapper) -> list[int]:
    """The stories as rows: what the rules made of each, for patients who come again (most) and for
    the first time.

    Returns ten thousand slots that name a story each, as many as it weighs: a dice of four digits
    finds it at once.
    """
    cursor.execute(_STORY_TABLES)
    total = sum(story.weight for story in STORIES)
    stories, steps = [], []
    slots: list[int] = []
    owed = 0.0
    for number, story in enumerate(STORIES):
        for first in (False, True):
            row = decided(story, first_time=first)
            share = story.weight / total * (0.3 if first else 0.7)
            key = number * 2 + first
            stories.append(
                (
                    key, story.known, story.topic, story.channel, story.result, story.visit, str(row.caller_type),
                    row.is_first_time, str(row.direction), row.owner is not None, str(row.outcome), str(row.contact_type), row.contact_types,
                    row.interaction_count, row.overdue_on is not None, row.money > 0, row.wait_seconds, row.wait_count, row.talk_seconds, row.talk_count,
                    row.results, round((row.last_at - row.started_at).total_seconds()), row.main_result is not None,
                )
            )  # fmt: skip
            owed += share * _SLOTS
            slots += [key] * (round(owed) - len(slots))
            said = said_of(story.steps)
            back = _returned(story.steps)
            for place, (step, decision, one) in enumerate(
                zip(story.steps, row.said, said, strict=True)
            ):
                steps.append(
                    (
                        key, place, str(step.kind), str(step.state), str(step.direction), step.minute, step.wait, step.talk,
                        step.comment, str(step.who), str(step.origin), str(decision.contact_type), str(decision.caller_type), decision.joined_call,
                        one.employee is not None, back.get(place), story.steps[back[place]].minute if place in back else None,
                        str(story.steps[back[place]].direction) if place in back else "",
                        one.is_written,
                    )
                )  # fmt: skip
    _copy(cursor, "story", stories)
    _copy(cursor, "step", steps)
    return slots


def _returned(steps: Sequence[Any]) -> dict[int, int]:
    """Which step answers each missed call of the story."""
    return {
        place: next(
            later
            for later in range(place + 1, len(steps))
            if steps[later].talk and steps[later].kind == InteractionKind.CALL
        )
        for place, step in enumerate(steps)
        if step.kind == InteractionKind.CALL
        and step.state == "missed"
        and any(later.talk and later.kind == InteractionKind.CALL for later in steps[place + 1 :])
    }


def _copy_days(cursor: CursorWrapper, contacts: int, until: dt.date, days: int) -> None:
    """How many contacts each clinic has on each day: large and small clinics, weekdays, seasons,
    growth.
    """
    cursor.execute(
        "CREATE TEMP TABLE daycell (clinic_id bigint, zone text, day date, first bigint, n int) ON COMMIT DROP"
    )
    clinics = list(
        Clinic.objects.filter(staff__isnull=False)
        .distinct()
        .order_by("pk")
        .values_list("pk", "zone")
    )
    sizes = [1 / (place + 2) ** 0.6 for place in range(len(clinics))]
    weights: list[tuple[dt.date, int, float]] = []
    for step in range(days):
        day = until - dt.timedelta(days=days - 1 - step)
        busy = (1.25, 1.1, 1.05, 1.0, 1.0, 0.55, 0.2)[day.weekday()]
        season = 1 + 0.15 * math.sin(2 * math.pi * (day.timetuple().tm_yday - 60) / 365)
        growth = 0.7 + 0.6 * step / days
        weights += [
            (day, place, busy * season * growth * sizes[place]) for place in range(len(clinics))
        ]
    whole = sum(weight for _, _, weight in weights)
    rows, first, owed = [], 0, 0.0
    for day, place, weight in weights:
        owed += contacts * weight / whole
        count = round(owed)
        owed -= count
        if count > 0:
            rows.append((clinics[place][0], clinics[place][1], day, first, count))
            first += count
    _copy(cursor, "daycell", rows)


def _parameters() -> dict[str, Any]:
    hours = [hour for hour, share in _HOURS.items() for _ in range(share)]
    patients = Patient.objects.count()
    return {
        "source": SOURCE,
        "hours": hours,
        "patients": patients,
        # a step through the patients that shares no divisor with their number, so a day has nobody
        # twice
        "stride": next(step for step in range(7919, 7919 + 200) if math.gcd(step, patients) == 1),
        "topics": list(
            Topic.objects.filter(name__in=_TOPICS).order_by("pk").values_list("pk", flat=True)
        ),
        "channels": list(
            AdChannel.objects.filter(children__isnull=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        ),
        "doctors": list(Doctor.objects.order_by("pk").values_list("pk", flat=True)),
        "waiting": WaitingListEntry.objects.filter(comment=SOURCE)
        .values_list("pk", flat=True)
        .first(),
        "task": Task.objects.filter(origin=SOURCE).values_list("pk", flat=True).first(),
        "completed": AppointmentStatus.COMPLETED,
        "visits": Appointment.objects.aggregate(last=Coalesce(Max("pk"), 0))["last"],
        "steps": max(len(story.steps) for story in STORIES),
    }


_STORY_TABLES: Final = """
CREATE TEMP TABLE story (
    id int, known bool, has_topic bool, has_channel bool, result text, visit text, caller_type text,
    is_first_time bool, direction text, has_owner bool, outcome text, contact_type text, contact_types int, interaction_count int, is_open bool, has_money bool,
    wait_seconds int, wait_count int, talk_seconds int, talk_count int, results int, lasts int, has_main bool) ON COMMIT DROP;
CREATE TEMP TABLE step (
    story_id int, place int, kind text, state text, direction text, minute int, wait int, talk int, comment text, who text,
    origin text, contact_type text, caller_type text, joined_call int, has_employee bool, back int, back_minute int, returned_by text, is_written bool) ON COMMIT DROP
"""

# One row a contact: `i` its number in time, dice from hashes of it.
_CONTACTS: Final = """
CREATE TEMP TABLE person ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY p.id) - 1 AS n, p.id AS patient_id, coalesce(min(f.number), '') AS number
    FROM clinics_patient p LEFT JOIN clinics_patientphone f ON f.patient_id = p.id GROUP BY p.id;
CREATE UNIQUE INDEX ON person (n);
CREATE TEMP TABLE crew ON COMMIT DROP AS
    SELECT s.clinic_id, array_agg(u.id ORDER BY u.id) AS users FROM clinics_clinic_staff s JOIN staff_user u ON u.id = s.user_id
    WHERE u.roles && ARRAY['administrator', 'senior']::varchar[] GROUP BY s.clinic_id;
CREATE TEMP TABLE drawn ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY d.day, d.started_at, d.i) AS id, d.*, s.id AS story_id,
    p.patient_id, CASE WHEN s.known THEN p.number ELSE '+7900000' || lpad((d.i * 7919 %% 10000)::text, 4, '0') END AS number,
    CASE WHEN s.has_topic THEN (%(topics)s::bigint[])[1 + floor(array_length(%(topics)s::bigint[], 1) * d.r2 * d.r2)::int] END AS topic_id,
    CASE WHEN s.has_channel THEN (%(channels)s::bigint[])[1 + floor(array_length(%(channels)s::bigint[], 1) * d.r3 * d.r3)::int] END AS channel_id,
    c.users[1 + floor(array_length(c.users, 1) * d.r4 * d.r4)::int] AS user_id,
    (d.r5 * 60)::int AS more, 1500 + floor(d.r6 * d.r6 * d.r6 * 400) * 100 AS money
FROM (
    SELECT i, clinic_id, day, ((day + make_interval(hours => (%(hours)s::int[])[1 + (r7 * 99)::int], mins => (r8 * 59)::int,
            secs => (r9 * 59)::int)) AT TIME ZONE zone) AS started_at, (%(hours)s::int[])[1 + (r7 * 99)::int] AS start_hour,
        (i * %(stride)s) %% %(patients)s AS person, r1, r2, r3, r4, r5, r6
    FROM (
        SELECT clinic_id, zone, day, first + k AS i,
            (hashint8extended(first + k, 1) & 1048575) / 1048576.0 AS r1, (hashint8extended(first + k, 2) & 1048575) / 1048576.0 AS r2,
            (hashint8extended(first + k, 3) & 1048575) / 1048576.0 AS r3, (hashint8extended(first + k, 4) & 1048575) / 1048576.0 AS r4,
            (hashint8extended(first + k, 5) & 1048575) / 1048576.0 AS r5, (hashint8extended(first + k, 6) & 1048575) / 1048576.0 AS r6,
            (hashint8extended(first + k, 7) & 1048575) / 1048576.0 AS r7, (hashint8extended(first + k, 8) & 1048575) / 1048576.0 AS r8,
            (hashint8extended(first + k, 9) & 1048575) / 1048576.0 AS r9
        FROM daycell, generate_series(0, n - 1) AS k
    ) AS dice
) AS d
JOIN story s ON s.id = (%(slots)s::int[])[1 + floor(d.r1 * 9999)::int]
JOIN crew c ON c.clinic_id = d.clinic_id
LEFT JOIN person p ON p.n = d.person AND s.known;
CREATE UNIQUE INDEX ON drawn (id);
ANALYZE drawn;
INSERT INTO contacts_contact (id, clinic_id, "on", patient_id, number, person_key, is_ambiguous, caller_type, is_first_time, direction,
    topic_id, owner_id, outcome, channel_id, line, contact_type, contact_types, started_at, last_at, start_hour, interaction_count, overdue_on, money, wait_seconds,
    wait_count, talk_seconds, talk_count, main_result_id, results_count, last_error)
SELECT d.id, d.clinic_id, d.day, d.patient_id, d.number, CASE WHEN s.known THEN 'p' || d.patient_id ELSE 'n' || d.number END, false,
    s.caller_type, s.is_first_time, s.direction, d.topic_id, CASE WHEN s.has_owner THEN d.user_id END, s.outcome, d.channel_id,
    '+79000009' || lpad((d.clinic_id %% 1000)::text, 3, '0'), s.contact_type, s.contact_types, d.started_at, d.started_at + make_interval(secs => s.lasts),
    d.start_hour, s.interaction_count, CASE WHEN s.is_open THEN d.day + 7 END, CASE WHEN s.has_money THEN d.money ELSE 0 END,
    s.wait_seconds, s.wait_count, s.talk_seconds + s.talk_count * d.more, s.talk_count, CASE WHEN s.has_main THEN d.id END, s.results, ''
FROM drawn d JOIN story s ON s.id = d.story_id ORDER BY d.id
"""
# Keys are counted from the contact's: nothing need be sorted or looked up to know them.
_APPOINTMENTS: Final = """
INSERT INTO clinics_appointment (id, clinic_id, doctor_id, patient_id, starts_at, ends_at, status, version, money, comment,
    cancel_reason, created_at, created_by_id, changed_at, source, source_id)
SELECT %(visits)s + d.id, d.clinic_id, (%(doctors)s::bigint[])[1 + d.i %% array_length(%(doctors)s::bigint[], 1)], d.patient_id,
    d.started_at + make_interval(days => 1 + (d.i %% 12)::int), d.started_at + make_interval(days => 1 + (d.i %% 12)::int, mins => 30),
    s.visit, 1, CASE WHEN s.visit = %(completed)s THEN d.money END, '', '', d.started_at + interval '2 minutes', d.user_id,
    d.started_at + make_interval(days => 1 + (d.i %% 12)::int), %(source)s, 'h' || d.id
FROM drawn d JOIN story s ON s.id = d.story_id WHERE s.visit IS NOT NULL ORDER BY d.id
"""
_RESULTS: Final = """
INSERT INTO contacts_contactresult (id, contact_id, clinic_id, kind, patient_id, appointment_id, waiting_id, task_id, origin, at, by_id,
    note, source_key, subject_changed_at, is_by_hand)
SELECT d.id, d.id, d.clinic_id, s.result, d.patient_id, CASE WHEN s.visit IS NOT NULL THEN %(visits)s + d.id END,
    CASE WHEN s.result IN ('waiting_list', 'waiting_moved') THEN %(waiting)s END,
    CASE WHEN s.result = 'task_closed' THEN %(task)s END, '', d.started_at + interval '1 minute', d.user_id, '', '',
    d.started_at + make_interval(days => 1 + (d.i %% 12)::int), false
FROM drawn d JOIN story s ON s.id = d.story_id WHERE s.result IS NOT NULL ORDER BY d.id
"""
_INTERACTIONS: Final = """
INSERT INTO contacts_interaction (id, contact_id, clinic_id, kind, state, direction, at, answered_at, ended_at, patient_id,
    is_patient_given, number, client, line, account, chat_channel, employee_id, wait_seconds, talk_seconds, summary, topic_id, comment,
    is_recall, caller_type_given, origin, utm, referrer, channel_id, joined_call_id, contact_type, caller_type, shown_employee_id, shown_topic_id, returned_at,
    returned_by, source, source_id, created_at, created_by_id)
SELECT d.id * %(steps)s + t.place, d.id, d.clinic_id, t.kind, t.state, t.direction, d.started_at + make_interval(mins => t.minute),
    CASE WHEN t.talk IS NOT NULL THEN d.started_at + make_interval(mins => t.minute, secs => coalesce(t.wait, 0)) END,
    CASE WHEN t.kind = 'call' THEN d.started_at + make_interval(mins => t.minute,
        secs => coalesce(t.wait, 0) + CASE WHEN t.talk IS NULL THEN 0 ELSE t.talk + d.more END) END,
    d.patient_id, false, d.number, '', '+79000009' || lpad((d.clinic_id %% 1000)::text, 3, '0'), '', CASE t.kind WHEN 'chat' THEN 'max' ELSE '' END,
    CASE WHEN t.has_employee THEN d.user_id END, t.wait, t.talk + d.more, '',
    CASE WHEN t.is_written OR t.place = 0 THEN d.topic_id END, t.comment, false, t.who, t.origin, '{}', '',
    CASE WHEN t.place = 0 THEN d.channel_id END, d.id * %(steps)s + t.joined_call, t.contact_type, t.caller_type,
    CASE WHEN t.has_employee THEN d.user_id END, d.topic_id,
    CASE WHEN t.back IS NOT NULL THEN d.started_at + make_interval(mins => t.back_minute) END, t.returned_by, %(source)s,
    CASE WHEN t.is_written THEN '' ELSE (d.id * %(steps)s + t.place)::text END, d.started_at, NULL
FROM drawn d JOIN step t ON t.story_id = d.story_id
ORDER BY d.id, t.place
"""
