"""Sound of calls: telephony stores it, the report plays it."""

import datetime as dt
from collections.abc import Sequence

from django.core.files.base import ContentFile
from django.db import transaction

from callcenter.contacts.models import Interaction, Recording
from callcenter.lib import live_updates

_EXTENSIONS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg"}


def store_recording(
    interaction: Interaction,
    *,
    content: bytes,
    seconds: float,
    now: dt.datetime,
    mime: str = "audio/wav",
    source_id: str = "",
    transcript: Sequence[dict[str, object]] = (),
) -> Recording:
    """Keeps the sound of a call as a file under FILES_DIR; the same `source_id` again returns the
    first one.
    """
    with transaction.atomic():
        if source_id:
            known = Recording.objects.filter(interaction=interaction, source_id=source_id).first()
            if known is not None:
                return known
        recording = Recording(
            interaction=interaction,
            mime=mime,
            seconds=seconds,
            source_id=source_id,
            created_at=now,
            transcript=list(transcript),
        )
        recording.file.save(
            f"call.{_EXTENSIONS.get(mime, 'bin')}", ContentFile(content), save=False
        )
        recording.save()
        live_updates.bump(f"contacts:clinic:{interaction.clinic_id}")
    return recording


def add_transcript(recording: Recording, *, lines: Sequence[dict[str, object]]) -> Recording:
    """Keeps what was said: [{'at': seconds from the beginning, 'side': 'client' or 'clinic',
    'text': …}].
    """
    recording.transcript = sorted(lines, key=lambda line: float(str(line["at"])))
    recording.save(update_fields=["transcript"])
    return recording
