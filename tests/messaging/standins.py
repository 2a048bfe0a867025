"""Providers' stand-ins on loopback: Kannel's smsbox and edna Pulse over HTTP, a mail server over
SMTP.

Each keeps what it took in `taken` and can be told to `misbehave`: 'busy', 'password', 'number',
'vanish' (it takes the message and hangs up without a word).
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Standin:
    port: int = 0
    mode: str = ""
    taken: list[dict[str, str]] = field(default_factory=list)
    became: dict[str, str] = field(default_factory=dict)  # key → what edna's history says of it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = (
        0.5  # seconds an idle connection is kept: the gateways' client would hold it open for ever
    )
    standin: Standin

    def log_message(self, format: str, *args: Any) -> None:
        return

    def answer(self, status: int, text: str, kind: str = "text/html") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True


class _KannelHandler(_Quiet):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        fields = {
            name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()
        }
        if url.path != "/cgi-bin/sendsms":
            return self.answer(404, "Unknown request.")
        if self.standin.mode == "busy":
            return self.answer(503, "Temporal failure, try again later.")
        if self.standin.mode == "password" or fields.get("password") != "right":
            return self.answer(403, "Authorization failed for sendsms")
        if self.standin.mode == "number":
            return self.answer(400, "Number(s) has/have been denied by white- and/or black-lists.")
        text = (
            fields["text"]
            if fields.get("coding") == "2" and fields.get("charset") == "UTF-8"
            else "??????"
        )
        self.standin.taken.append(
            {"to": fields["to"], "text": text, "report": fields.get("dlr-url", "")}
        )
        if self.standin.mode == "vanish":
            return self.hang_up()
        return self.answer(202, "0: Accepted for delivery")


class _EdnaHandler(_Quiet):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/messages/history":
            return self._history(body)
        if self.path != "/api/cascade/schedule":
            return self._refuse(404, "not-found")
        if self.standin.mode == "busy":
            return self._refuse(503, "unavailable")
        if self.standin.mode == "password" or self.headers.get("X-API-KEY") != "right":
            return self._refuse(401, "unauthorized")
        if self.standin.mode == "number" or not body["subscriberFilter"]["address"].isdigit():
            return self._refuse(400, "error-address-format")
        if any(taken["key"] == body["requestId"] for taken in self.standin.taken):
            return self._refuse(400, "requestId-is-not-unique")
        (content,) = body["content"].values()
        address = "+" + body["subscriberFilter"]["address"]
        self.standin.taken.append(
            {"to": address, "text": content["text"], "key": body["requestId"]}
        )
        if self.standin.mode == "vanish":
            return self.hang_up()
        return self.answer(200, json.dumps({"requestId": body["requestId"]}), "application/json")

    def _history(self, asked: dict[str, Any]) -> None:
        if self.standin.mode == "busy":
            return self._refuse(503, "unavailable")
        if self.standin.mode == "vanish":
            return self.hang_up()
        assert asked["direction"] == "OUT"
        assert asked["dateFrom"] < asked["dateTo"]
        start, end = asked["offset"], asked["offset"] + asked["limit"]
        content = [
            {
                "messageId": number,
                "comment": taken["key"],
                "deliveryStatus": self.standin.became.get(taken["key"], "SENT"),
            }
            for number, taken in enumerate(self.standin.taken[start:end])
        ]
        answer = {"content": content, "hasNext": end < len(self.standin.taken)}
        return self.answer(200, json.dumps(answer), "application/json")

    def _refuse(self, status: int, title: str) -> None:
        self.answer(
            status,
            json.dumps({"title": title, "status": status, "detail": title}),
            "application/json",
        )


@contextlib.contextmanager
def _http(handler: type[_Quiet]) -> Iterator[Standin]:
    standin = Standin()
    bound = type("Bound", (handler,), {"standin": standin})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = False  # their sockets are closed before the stand-in is gone
    standin.port = server.server_address[1]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kannel() -> contextlib.AbstractContextManager[Standin]:
    return _http(_KannelHandler)


def edna() -> contextlib.AbstractContextManager[Standin]:
    return _http(_EdnaHandler)


class _MailHandler:
    def __init__(self, standin: Standin) -> None:
        self.standin = standin

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.standin.mode == "busy":
            return "451 4.3.0 come again later"
        if self.standin.mode == "number":
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        body = letter.get_body()
        assert body is not None
        self.standin.taken.append(
            {
                "to": envelope.rcpt_tos[0],
                "text": body.get_content().strip(),
                "subject": str(letter["Subject"]),
                "attachments": ",".join(
                    str(part.get_filename()) for part in letter.iter_attachments()
                ),
            }
        )
        if self.standin.mode == "vanish":
            server.transport.close()
        return "250 OK"


@contextlib.contextmanager
def mail() -> Iterator[Standin]:
    standin = Standin()

    def authenticate(
        server: Any, session: Any, envelope: Any, mechanism: str, given: Any
    ) -> AuthResult:
        right = (
            isinstance(given, LoginPassword)
            and given.password == b"right"
            and standin.mode != "password"
        )
        return AuthResult(success=right, handled=right)  # not handled: aiosmtpd itself says 535

    controller = Controller(
        _MailHandler(standin),
        hostname="127.0.0.1",
        port=_free_port(),
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    standin.port = controller.port
    try:
        yield standin
    finally:
        controller.stop()


def _free_port() -> int:
    from callcenter.runtime.embedded_servers import free_port

    return free_port()
