"""The one table of timers: name, every how many seconds, task, queue.

A tick carries no state: it only says 'look at what is due'. Two beats, a lost tick or a late one
change nothing but the moment of looking, since every timed thing is a row with `due_at`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timer:
    """`queue`: `celery` for what is done in a moment; `messages` (a drain takes ten seconds) and
    `long` (an import takes minutes) have a worker of their own, so that neither holds up the other
    timers, nor they them (docs/adr/0047).
    """

    name: str
    every: float  # seconds
    task: str
    queue: str = "celery"


TIMERS: tuple[Timer, ...] = (
    Timer("callback", 2, "callback.tasks.run_due_requests"),
    Timer("callback, stale claims", 30, "callback.tasks.free_stale_requests"),
    Timer("webhooks of cloud PBXs", 30, "callcenter.telephony.tasks.process_due_pbx_webhooks"),
    Timer("recordings of cloud PBXs", 10, "callcenter.telephony.tasks.fetch_due_recordings"),
    Timer("overdue tasks", 60, "callcenter.assignments.tasks.escalate_due_tasks"),
    Timer("messages", 1, "callcenter.messaging.tasks.send_messages", queue="messages"),
    Timer("providers' calls", 0.5, "callcenter.messaging.tasks.process_webhooks"),
    Timer("cascades", 2, "callcenter.messaging.tasks.advance_cascades"),
    Timer("lost messages", 15, "callcenter.messaging.tasks.reap_messages"),
    Timer("lost reports", 60, "callcenter.messaging.tasks.ask_providers", queue="messages"),
    Timer("reminders: open", 10, "reminders.tasks.open_runs"),
    Timer("reminders: follow the schedule", 3, "reminders.tasks.refresh_runs"),
    Timer("reminders: SMS to the blue", 30, "reminders.tasks.send_blue_sms"),
    Timer("old calls", 3600, "callcenter.messaging.tasks.purge_webhooks"),
    Timer("imports", 2, "callcenter.imports.tasks.work_on_imports", queue="long"),
    Timer("imports, old ones", 3600, "callcenter.imports.tasks.clean_up_imports"),
    Timer("КОС: the plan's end", 30, "journals.tasks.return_uncalled"),
    Timer("КОС: booked by another way", 20, "journals.tasks.close_found"),
    Timer("КОС: reminders moved", 10, "journals.tasks.follow_waiting"),
    Timer("contacts", 2, "callcenter.contacts.tasks.refresh_contacts"),
    Timer("contacts, widely", 120, "callcenter.contacts.tasks.refresh_contacts_widely"),
    Timer("channels", 10, "callcenter.contacts.tasks.recount_channels"),
    Timer("exports", 2, "reports.tasks.write_exports", queue="long"),
    Timer("exports, old ones", 3600, "reports.tasks.drop_old_exports"),
    Timer("chats", 1, "b2c_procedures.tasks.gather_due_chats"),
    Timer("chats of those who left", 30, "b2c_procedures.tasks.share_due_chats"),
    Timer("refunds", 60, "b2c_procedures.tasks.remind_due_invoices"),
    Timer("review of procedures", 3600, "b2c_procedures.tasks.remind_due_reviews"),
)


def queues() -> tuple[str, ...]:
    """Every queue that workers must listen to: the timers' and the one of work that a page gives
    out.
    """
    return tuple(dict.fromkeys(["celery", *(timer.queue for timer in TIMERS)]))


def schedule() -> dict[str, dict[str, object]]:
    """Celery's form of TIMERS. A tick that nobody took before the next one is due expires, so a
    stopped worker does not come back to a heap of them.
    """
    return {
        timer.name: {
            "task": timer.task,
            "schedule": timer.every,
            "options": {"queue": timer.queue, "expires": max(timer.every, 5)},
        }
        for timer in TIMERS
    }
