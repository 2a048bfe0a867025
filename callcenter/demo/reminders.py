"""«Дозвон» of the demo: a simulated provider, yesterday's evening with its colours and calls (so
that ДД has work this morning), and today's list, whose messages the workers send while one looks
on.
"""

import datetime as dt
import random
from decimal import Decimal
from typing import Final

from callcenter.clinics.models import Clinic
from callcenter.demo import clinics as demo_clinics
from callcenter.demo import people
from callcenter.lib.localtime import instant, local_day
from callcenter.messaging import actions as messaging
from callcenter.messaging.models import CascadeStep, Provider
from callcenter.messaging.states import MessageChannel
from callcenter.staff.models import User
from callcenter.staff.queries import on_shift
from callcenter.staff.roles import ShiftColour
from reminders import actions
from reminders.models import Reminder, ReminderRun
from reminders.queries.lists import evening_list
from reminders.states import CallResult

# seconds over which a simulated patient's reports and answers arrive: slow enough to be watched
PACE: Final = "150"
CALLED: Final = 0.6  # of those who had to be called yesterday evening


def load(now: dt.datetime) -> None:
    provider = Provider.objects.create(
        name="Симулятор сообщений",
        kind="simulator",
        channels=[MessageChannel.MAX, MessageChannel.SMS, MessageChannel.EMAIL],
        settings={"pace": PACE, "duplicates": "0.1", "disorder": "0.1"},
        price=Decimal("4.50"),
    )
    for clinic in demo_clinics.clinics():
        for position, (channel, minutes) in enumerate(
            ((MessageChannel.MAX, 10), (MessageChannel.SMS, 60)), start=1
        ):
            CascadeStep.objects.create(
                clinic=clinic,
                position=position,
                channel=channel,
                provider=provider,
                wait_minutes=minutes,
            )
    actions.plan_openings(now=now)
    _yesterday(now)
    for clinic in demo_clinics.clinics():
        actions.open_run(clinic, on=local_day(now, clinic.zone), by=None, now=now)


def _yesterday(now: dt.datetime) -> None:
    """The evening before, played by the same actions with yesterday's clock."""
    dice = random.Random(people.SEED + 5)
    clinics = demo_clinics.clinics()
    runs = []
    for clinic in clinics:
        on = local_day(now, clinic.zone) - dt.timedelta(days=1)
        noon = instant(on, dt.time(12), clinic.zone)
        runs.append(actions.open_run(clinic, on=on, by=None, now=noon))
    evening = max(instant(run.on, dt.time(12), run.clinic.zone) for run in runs)
    for minutes in (1, 5, 12, 20, 30):
        moment = evening + dt.timedelta(minutes=minutes)
        messaging.send_due(clock=lambda moment=moment: moment)  # type: ignore[misc]
        messaging.process_due_webhooks(now=moment, limit=5000)
        messaging.advance_due_cascades(now=moment, limit=5000)
    for run in runs:
        _evening_calls(run, dice)


def _evening_calls(run: ReminderRun, dice: random.Random) -> None:
    """The yellow shift has called most of those who had not confirmed, and left a note for the
    morning.
    """
    caller = _yellow(run.clinic, run.on)
    at = instant(run.on, dt.time(17), run.clinic.zone)
    listing = evening_list([run], clinics=[run.clinic], user=caller, now=at, show="call")
    unreached = 0
    for entry in listing.entries:
        if entry.starts_at <= at or dice.random() > CALLED:
            continue
        at += dt.timedelta(minutes=2)
        result = dice.choices(
            [CallResult.COMING, CallResult.UNREACHED, CallResult.NOT_COMING], [6, 3, 1]
        )[0]
        unreached += result == CallResult.UNREACHED
        reminder = Reminder.objects.get(pk=entry.id)
        actions.mark_called(reminder, by=caller, now=at)
        actions.save_result(reminder, result=result, by=caller, now=at + dt.timedelta(minutes=1))
    actions.hand_over(
        run, note=f"Не взяли трубку: {unreached}. Остальным голубым ушло СМС.", by=caller, now=at
    )
    actions.send_blue_sms(run, by=caller, now=at)


def _yellow(clinic: Clinic, on: dt.date) -> User:
    found = on_shift(colour=ShiftColour.YELLOW, on=on, clinic_ids=[clinic.pk])
    return found[0] if found else User.objects.get(login="administrator")
