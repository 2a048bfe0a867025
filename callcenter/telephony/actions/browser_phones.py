"""Telephones in browsers, kept as rows: the simulator writes what rings, the page writes what was
pressed.
"""

import datetime as dt
from collections.abc import Callable

from django.db import transaction

from callcenter.lib import live_updates
from callcenter.telephony.models import BrowserPhone, BrowserPhoneAction
from callcenter.telephony.pbx.base import Sound
from callcenter.telephony.pbx.simulator import SimulatedAction
from callcenter.telephony.speech import SpeechFailed, synthesize
from callcenter.telephony.states import LegState


class StoredBrowserPhones:
    """Keeps the simulator's `BrowserPhones` contract on the database."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock

    def ring(self, channel: str, owner: str, caller: str) -> None:
        BrowserPhone.objects.update_or_create(
            channel=channel,
            defaults={
                "user_id": int(owner),
                "caller": caller,
                "changed_at": self._clock(),
                "state": LegState.RINGING,
            },
        )
        live_updates.bump(f"phone:user:{owner}")

    def hear(self, channel: str, sound: Sound) -> None:
        browser_phone = BrowserPhone.objects.get(channel=channel)
        self._change(channel, clip=sound.key, clip_no=browser_phone.clip_no + 1)

    def stop_playback(self, channel: str) -> None:
        self._change(channel, clip="")

    def talk(self, channel: str, words: str) -> None:
        self._change(channel, talking=True)
        if words:
            try:
                self.hear(channel, synthesize(words))
            except SpeechFailed:
                self.stop_playback(channel)  # a mute persona is still a persona

    def end(self, channel: str) -> None:
        self._change(channel, state=LegState.ENDED, clip="")

    def actions(self) -> list[SimulatedAction]:
        """What was pressed since the last look; each action is taken once."""
        with transaction.atomic():
            rows = list(
                BrowserPhoneAction.objects.select_for_update(skip_locked=True).order_by("pk")[:100]
            )
            BrowserPhoneAction.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            if row.kind == "answer":
                self._change(row.channel, state=LegState.UP)
        return [SimulatedAction(row.channel, row.kind, row.value) for row in rows]

    def _change(self, channel: str, **events: object) -> None:
        BrowserPhone.objects.filter(channel=channel).update(changed_at=self._clock(), **events)
        owner = (
            BrowserPhone.objects.filter(channel=channel).values_list("user_id", flat=True).first()
        )
        live_updates.bump(f"phone:user:{owner}")
