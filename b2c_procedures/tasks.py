"""Celery entry points: take the time, call an action."""

from celery import shared_task
from django.utils import timezone

from b2c_procedures.actions import chats, editions, refunds


@shared_task
def gather_due_chats() -> int:
    return chats.gather_due_chats(now=timezone.now())


@shared_task
def share_due_chats() -> int:
    return chats.share_due_chats(now=timezone.now())


@shared_task
def remind_due_invoices() -> int:
    return refunds.remind_due_invoices(now=timezone.now())


@shared_task
def remind_due_reviews() -> int:
    return editions.remind_due_reviews(now=timezone.now())
