"""Celery is the ticker and the muscle; what is due stands in PostgreSQL (design: `timers.py` is the
table of timers).
"""

import os

from celery import Celery
from kombu import Queue

from callcenter.timers import queues, schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

app = Celery("callcenter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = schedule()
# A worker that is not told otherwise takes from all of them; `celery … worker -Q NAME` makes one
# for a single queue.
app.conf.task_queues = [Queue(name) for name in queues()]
app.autodiscover_tasks()
