"""E-mail through Django's SMTP backend. SMTP says only whether the next server took the letter:
there are no reports.

Two gateways of one protocol meet here an honest limit: a letter whose DATA was sent and whose
answer was lost is a Maybe; its Message-ID is our key, so a reader's mail program joins two copies,
but that is no promise.
"""

import hmac
import smtplib
from collections.abc import Mapping

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from callcenter.messaging.gateways.base import (
    FailureScope,
    GatewayAccepted,
    GatewayEvent,
    GatewayRefused,
    IgnoredEvent,
    Outgoing,
    Result,
    Uncertain,
    Webhook,
)


class Smtp:
    """Settings: `host`, `port`, `username`, `password`, `tls` ('yes' for STARTTLS), `sender`; empty
    ones from the environment's EMAIL_….
    """

    is_idempotent = False
    reports = False

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def _connection(self) -> EmailBackend:
        given = self._settings
        return EmailBackend(
            host=given.get("host") or None,
            port=int(given["port"]) if given.get("port") else None,
            username=given.get("username") or None,
            password=given.get("password") or None,
            use_tls=given["tls"] == "yes" if given.get("tls") else None,
            timeout=int(given.get("timeout") or 15),
        )

    def send(self, message: Outgoing) -> Result:
        connection = self._connection()
        try:
            return self._send(message, connection)
        finally:
            _close(connection)

    def _send(self, message: Outgoing, connection: EmailBackend) -> Result:
        try:
            connection.open()
        except smtplib.SMTPAuthenticationError as error:
            return GatewayRefused(
                f"почтовый сервер не принял пароль: {_text(error)}", FailureScope.GATEWAY
            )
        except (OSError, smtplib.SMTPException) as error:
            return GatewayRefused(f"почтовый сервер не отвечает: {error}"[:200], FailureScope.LATER)
        try:
            self._letter(message, connection).send()
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            return GatewayRefused(
                f"адрес не принят: {code} {words.decode(errors='replace')}"[:200], _fault(code)
            )
        except smtplib.SMTPResponseException as error:
            return GatewayRefused(
                f"почтовый сервер отказал: {_text(error)}", _fault(error.smtp_code)
            )
        except (OSError, smtplib.SMTPException) as error:
            return Uncertain(f"связь с почтовым сервером прервалась: {error}"[:200])
        return GatewayAccepted(_message_id(message.key))

    def _letter(self, message: Outgoing, connection: EmailBackend) -> EmailMessage:
        letter = EmailMessage(
            subject=" ".join(message.subject.split()),
            body=message.text,
            from_email=self._settings.get("sender") or None,
            to=[message.to],
            headers={"Message-ID": _message_id(message.key), "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        for attachment in message.attachments:
            letter.attach(attachment.name, attachment.content, attachment.content_type)
        return letter

    def is_genuine(self, webhook: Webhook) -> bool:
        return bool(self._settings.get("secret")) and hmac.compare_digest(
            webhook.path.partition("/")[0].encode(), self._settings["secret"].encode()
        )

    # The protocol's signature
    def read(self, webhook: Webhook) -> list[GatewayEvent]:  # noqa: ARG002
        return [IgnoredEvent("почта не присылает отчётов")]


def _message_id(key: str) -> str:
    return f"<{key.replace(':', '.')}@dozvon>"


def _fault(code: int) -> FailureScope:
    """4xx: come again later (RFC 5321); 5xx: never."""
    return FailureScope.LATER if 400 <= code < 500 else FailureScope.MESSAGE


def _text(error: smtplib.SMTPResponseException) -> str:
    words = error.smtp_error
    return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"[
        :160
    ]


def _close(connection: EmailBackend) -> None:
    """The letter's fate is known by now; a server that hangs up instead of answering QUIT changes
    nothing.
    """
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        connection.connection = None
