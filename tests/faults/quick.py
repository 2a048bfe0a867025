"""The product with a short lease, so that a fault test need not wait two minutes for what a dead
worker held.
"""

import datetime as dt

from django.apps import AppConfig


class Quick(AppConfig):
    name = "tests.faults"
    label = "faults_quick"

    def ready(self) -> None:
        from callcenter.messaging.actions import dispatch, webhooks

        dispatch.LEASE = webhooks.LEASE = dt.timedelta(seconds=8)
        from reports import actions

        actions.LEASE = dt.timedelta(seconds=8)
