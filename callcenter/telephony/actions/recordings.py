"""Recordings brought into our own files: from the exchange when a leg has ended, from a cloud PBX
by the link it gave.

A cloud's links expire, so they are rows with a time to try again. The link itself may let anybody
listen who has it: it is never written into a log, and errors are told without it.
"""

import datetime as dt
import io
import ipaddress
import logging
import socket
import time
import wave
from typing import Final
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from callcenter.contacts.actions import store_recording
from callcenter.contacts.models import Interaction, Recording
from callcenter.lib.leases import claim
from callcenter.telephony.models import LinkedRecording, PbxCommand
from callcenter.telephony.pbx.base import Recorded
from callcenter.telephony.states import CommandState, CommandType

log = logging.getLogger(__name__)
LEASE: Final = dt.timedelta(minutes=5)
LARGEST: Final = 64 * 1024 * 1024  # bytes: two hours of a telephone's sound
PATIENCE: Final = 60.0  # seconds for one file
# After each failure; then the link stays where it is, with the reason.
AGAIN: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MIMES: Final = {
    "audio/wav": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/mpeg": "audio/mpeg",
    "audio/mp3": "audio/mpeg",
    "audio/ogg": "audio/ogg",
}
MISSED_WITHIN: Final = dt.timedelta(days=1)  # exchanges clear their folders sooner or later


class NotFetched(Exception):
    """Why a file did not come, in words without its address."""


# --- from the exchange
# -----------------------------------------------------------------------------------------------


def keep(event: Recorded, content: bytes, *, now: dt.datetime) -> None:
    """Puts what one leg said beside its call in the contact history; the same name again changes
    nothing.
    """
    command = (
        PbxCommand.objects.filter(verb=CommandType.RECORD, ref=event.name)
        .select_related("call__interaction")
        .first()
    )
    if command is None or command.call.interaction is None or not content:
        return
    seconds = length_of(content) or event.seconds
    store_recording(
        command.call.interaction, content=content, seconds=seconds, now=now, source_id=event.name
    )


def miss(name: str, why: str) -> None:
    """The recording could not be had: the reason stays with the command that asked for it."""
    log.error("recording %s not fetched: %s", name, why)
    PbxCommand.objects.filter(verb=CommandType.RECORD, ref=name).update(last_error=why[:250])


def not_fetched(*, now: dt.datetime) -> list[str]:
    """Names of recordings whose end nobody heard (the link was down, the process was killed)."""
    stored = Recording.objects.filter(
        interaction=OuterRef("call__interaction"), source_id=OuterRef("ref")
    )
    missed = PbxCommand.objects.filter(
        verb=CommandType.RECORD,
        state=CommandState.DONE,
        done_at__gte=now - MISSED_WITHIN,
        call__ended_at__isnull=False,
    )
    return list(missed.exclude(Exists(stored)).values_list("ref", flat=True)[:100])


def length_of(wav: bytes) -> float:
    """Seconds of a WAV; 0 for anything else."""
    try:
        with wave.open(io.BytesIO(wav)) as sound:
            return float(sound.getnframes() / (sound.getframerate() or 1))
    except (wave.Error, EOFError):
        return 0.0


# --- from a cloud PBX
# ------------------------------------------------------------------------------------------------


def keep_link(interaction: Interaction, *, url: str, seconds: float, now: dt.datetime) -> None:
    """Writes down where the sound of a call lies; the ticker fetches it. The same link again
    changes nothing.
    """
    LinkedRecording.objects.get_or_create(
        interaction=interaction,
        url=url,
        defaults={"seconds": seconds, "created_at": now, "due_at": now},
    )


def fetch_due_recordings(*, now: dt.datetime, limit: int = 5) -> int:
    """Fetches up to `limit` recordings that are due; returns how many. Any number of workers may do
    so at once.
    """
    LinkedRecording.objects.filter(claimed_at__lt=now - LEASE).update(claimed_at=None)
    due = LinkedRecording.objects.filter(due_at__lte=now, claimed_at__isnull=True).order_by(
        "due_at"
    )
    claimed: list[LinkedRecording] = claim(due, now=now, limit=limit)
    for row in claimed:
        try:
            content, mime = fetch(row.url)
            _store(row, content, mime, now=now)
        except NotFetched as error:
            _put_off(row, str(error), now=now)
        except DatabaseError as error:
            log.exception("recording %s", row.pk)
            _put_off(row, str(error), now=now)
    return len(claimed)


def _store(row: LinkedRecording, content: bytes, mime: str, *, now: dt.datetime) -> None:
    with transaction.atomic():
        store_recording(
            row.interaction,
            content=content,
            seconds=row.seconds or length_of(content),
            now=now,
            mime=mime,
            source_id=f"link-{row.pk}",
        )
        LinkedRecording.objects.filter(pk=row.pk).update(
            done_at=now, due_at=None, claimed_at=None, last_error=""
        )


def _put_off(row: LinkedRecording, why: str, *, now: dt.datetime) -> None:
    """Tries again later; after the last failure the link stays in the call's comment for a person
    to open.
    """
    due_at = now + AGAIN[row.tries] if row.tries < len(AGAIN) else None
    with transaction.atomic():
        LinkedRecording.objects.filter(pk=row.pk).update(
            tries=row.tries + 1, due_at=due_at, claimed_at=None, last_error=why[:250]
        )
        if due_at is None:
            kept = f"Запись не скачалась ({why}): {row.url}"
            comment = f"{row.interaction.comment} {kept}".strip()
            Interaction.objects.filter(pk=row.interaction_id).update(comment=comment)
    log.warning("recording %s of call %s not fetched: %s", row.pk, row.interaction_id, why)


def fetch(url: str) -> tuple[bytes, str]:
    """The file behind a link and its kind. Raises NotFetched: its words never hold the address."""
    try:
        with httpx.Client(timeout=20, follow_redirects=False) as client:
            for _ in range(4):
                _refuse_inside(url)
                with client.stream("GET", url) as answer:
                    if answer.is_redirect:
                        url = str(answer.url.join(answer.headers.get("location", "")))
                        continue
                    return _body(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotFetched(f"связи нет: {type(error).__name__}") from None
    raise NotFetched("слишком много переадресаций")


def _body(answer: httpx.Response) -> tuple[bytes, str]:
    if not answer.is_success:
        raise NotFetched(f"сервер ответил {answer.status_code}")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    content, began = bytearray(), time.monotonic()
    for part in answer.iter_bytes():
        content += part
        if len(content) > LARGEST:
            raise NotFetched(f"файл больше {LARGEST // 1024 // 1024} МБ")
        if time.monotonic() - began > PATIENCE:
            raise NotFetched(f"файл не пришёл за {PATIENCE:.0f} с")
    mime = MIMES.get(kind) or _guessed(bytes(content[:4]))
    if mime is None:
        raise NotFetched(f"это не звук: {kind or 'вид не назван'}")
    return bytes(content), mime


def _guessed(start: bytes) -> str | None:
    """Some clouds call every file application/octet-stream."""
    if start == b"RIFF":
        return "audio/wav"
    if start[:3] == b"ID3" or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0):
        return "audio/mpeg"
    return "audio/ogg" if start == b"OggS" else None


def _refuse_inside(url: str) -> None:
    """A link must lead out to the world: a webhook must not make us read our own network."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotFetched("ссылка не http")
    if settings.RECORDINGS_FROM_INSIDE:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        raise NotFetched("адрес не найден") from None
    if not all(
        ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_global for address in found
    ):
        raise NotFetched("ссылка ведёт во внутреннюю сеть")
