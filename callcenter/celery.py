"""Celery is the ticker and the muscle; what is due stands in PostgreSQL (design: `beat.py` is the table of timers)."""

import os

from celery import Celery

from callcenter.beat import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

app = Celery("callcenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = schedule()
app.autodiscover_tasks()
