"""What a step sends to a client goes into the product's outbox, once for each step, and the run keeps its delivery."""

from b2c_procedures.models import SentToClient
from b2c_procedures.steps.step import Step
from callcenter.lib.errors import Refused
from callcenter.lib.phones import BadPhone, parse
from callcenter.messaging.actions.queue import queue_message
from callcenter.messaging.states import Channel

PURPOSE = "procedure"


def send(step: Step, *, what: str, channel: str, address: str, subject: str, text: str) -> SentToClient:
    """Queues one message of a step (SMS or e-mail). Done again after going back with another text, it is a new version.

    Raises Refused for a bad number or an empty text.
    """
    if channel == Channel.SMS:
        try:
            address = parse(address)
        except BadPhone as error:
            raise Refused(str(error), field="address") from None
    subject_key = f"run{step.run.pk}.{step.function.id}.{step.turn}"
    before = list(SentToClient.objects.filter(run=step.run, message__subject_key=subject_key).order_by("pk"))
    for sent in before:
        if (sent.channel, sent.address, sent.text) == (channel, address, text):
            return sent
    message = queue_message(
        purpose=PURPOSE,
        subject_key=subject_key,
        version=len(before) + 1,
        channel=channel,
        text=text,
        to=address,
        subject=subject,
        clinic=step.run.clinic,
        patient=step.run.patient,
        by=step.by,
        now=step.now,
    )
    return SentToClient.objects.create(
        what=what, channel=channel, address=address, subject=subject, text=text, message=message, **step.common()
    )
