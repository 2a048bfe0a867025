"""What a step sends to a client goes into the product's outbox, once for each step, and the run
keeps its delivery.
"""

from b2c_procedures.models import SentToClient
from b2c_procedures.steps.base import StepContext
from callcenter.lib.errors import Refused
from callcenter.lib.phones import BadPhone, parse
from callcenter.messaging.actions.enqueue import queue_letter, queue_message
from callcenter.messaging.models import Message
from callcenter.messaging.states import MessageChannel

PURPOSE = "procedure"


def send(
    step: StepContext,
    *,
    what: str,
    channel: str,
    address: str,
    subject: str,
    text: str,
    to_partner: bool = False,
) -> SentToClient:
    """Queues one message of a step (SMS or e-mail). Done again after going back with another text,
    it is a new version.

    A letter to a partner asks for no consent of the client and no quiet hours.
    Raises Refused for a bad number or an empty text.
    """
    if channel == MessageChannel.SMS:
        try:
            address = parse(address)
        except BadPhone as error:
            raise Refused(str(error), field="address") from None
    subject_key = f"run{step.run.pk}.{step.function.id}.{step.turn}"
    before = list(
        SentToClient.objects.filter(run=step.run, message__subject_key=subject_key).order_by("pk")
    )
    for sent in before:
        if (sent.channel, sent.address, sent.text) == (channel, address, text):
            return sent
    if to_partner:
        letters = queue_letter(
            to=[address],
            subject=subject,
            text=text,
            purpose=PURPOSE,
            subject_key=subject_key,
            version=len(before) + 1,
            clinic=step.run.clinic,
            by=step.by,
            now=step.now,
        )
        return _kept(step, what, channel, address, subject, text, letters[0])
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
    return _kept(step, what, channel, address, subject, text, message)


def _kept(
    step: StepContext,
    what: str,
    channel: str,
    address: str,
    subject: str,
    text: str,
    message: Message,
) -> SentToClient:
    return SentToClient.objects.create(
        what=what,
        channel=channel,
        address=address,
        subject=subject,
        text=text,
        message=message,
        **step.common(),
    )
