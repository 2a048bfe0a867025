"""Templates, cascades and gateways: the senior's settings."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.lib.errors import Refused
from callcenter.lib.placeholders import names_in
from callcenter.messaging.gateways import SETTINGS, build
from callcenter.messaging.message_templates import FIELDS, unknown_fields
from callcenter.messaging.models import CascadeStep, MessageTemplate, Provider
from callcenter.staff.models import User

# letters of a template: a messenger shows no more at a glance, an SMS of that length costs fifteen
LONGEST = 1000


def save_template(
    *, name: str, form: str, clinic: Clinic | None, text: str, by: User, now: dt.datetime
) -> MessageTemplate:
    """Saves the common text (`clinic` None) or a clinic's own. Raises Refused for an empty text,
    unknown fields, a text that names no time or no link: such a reminder can't be answered.
    """
    text = text.strip()
    if not text:
        raise Refused("Текст пуст.", field="text")
    if len(text) > LONGEST:
        raise Refused(f"Текст длиннее {LONGEST} знаков.", field="text")
    wrong = unknown_fields(text)
    if wrong:
        raise Refused(
            f"Таких полей нет: {', '.join(wrong)}. Есть: {', '.join(FIELDS)}.", field="text"
        )
    missing = [field for field in ("время", "ссылка") if field not in names_in(text)]
    if missing:
        raise Refused(
            f"В тексте нет поля «{missing[0]}»: пациент не поймёт, куда и когда, "
            "или не сможет ответить.",
            field="text",
        )
    with transaction.atomic():
        template = (
            MessageTemplate.objects.select_for_update(of=("self",))
            .filter(name=name, form=form, clinic=clinic)
            .first()
        )
        before = template.text if template else ""
        template = template or MessageTemplate(name=name, form=form, clinic=clinic)
        template.text, template.changed_at, template.changed_by = text, now, by
        template.save()
        audit.record(
            "messaging.save_template",
            template,
            by=by,
            now=now,
            clinic_id=clinic.pk if clinic else None,
            before={"text": before},
            after={"text": text},
        )
    return template


def drop_template(template: MessageTemplate, *, by: User, now: dt.datetime) -> None:
    """A clinic's own text goes; the common one counts again."""
    with transaction.atomic():
        audit.record(
            "messaging.drop_template", template, by=by, now=now, before={"text": template.text}
        )
        template.delete()


def save_cascade(
    clinic: Clinic, *, steps: Sequence[tuple[str, Provider, int]], by: User, now: dt.datetime
) -> list[CascadeStep]:
    """The clinic's channels in order: (channel, gateway, minutes to wait for a delivery). Raises
    Refused for a channel twice, or for a gateway that does not know the channel.
    """
    channels = [channel for channel, _, _ in steps]
    if len(set(channels)) < len(channels):
        raise Refused("Один канал стоит дважды.", field="channel")
    for channel, provider, _ in steps:
        if channel not in provider.channels:
            raise Refused(f"Шлюз «{provider}» не работает с этим каналом.", field="provider")
    with transaction.atomic():
        Clinic.objects.select_for_update().get(pk=clinic.pk)
        before = list(clinic.cascade.values_list("channel", flat=True))
        clinic.cascade.all().delete()
        made = CascadeStep.objects.bulk_create(
            CascadeStep(
                clinic=clinic,
                position=position,
                channel=channel,
                provider=provider,
                wait_minutes=minutes,
            )
            for position, (channel, provider, minutes) in enumerate(steps, start=1)
        )
        audit.record(
            "messaging.save_cascade",
            clinic,
            by=by,
            now=now,
            clinic_id=clinic.pk,
            before={"was": before},
            after={"is": channels},
        )
    return made


def save_provider(
    provider: Provider,
    *,
    settings: Mapping[str, str],
    channels: Sequence[str],
    per_second: float | None,
    price: Decimal,
    is_active: bool,
    by: User,
    now: dt.datetime,
) -> Provider:
    """Saves a gateway; an empty secret keeps the one that was there. Raises Refused when a setting
    is missing.
    """
    kept = dict(provider.settings)
    for name, _, is_secret in SETTINGS[provider.kind]:
        given = settings.get(name, "").strip()
        if given or not is_secret:
            kept[name] = given
    kept = {name: value for name, value in kept.items() if value}
    try:
        build(provider.kind, {**kept, "secret": provider.secret})
    except ValueError as error:
        raise Refused(str(error), field="settings") from None
    if per_second is not None and per_second <= 0:
        raise Refused("Ограничение — число больше нуля или пусто.", field="per_second")
    with transaction.atomic():
        provider.settings, provider.channels = kept, list(channels)
        provider.per_second, provider.price, provider.is_active = per_second, price, is_active
        provider.paused_until, provider.last_error = None, ""
        provider.save()
        audit.record(
            "messaging.save_provider", provider, by=by, now=now
        )  # no secret goes into the journal
    return provider
