"""Our gateway against Debian's own Kannel: bearerbox, smsbox and its fake SMSC, on loopback. `make
test-peers`.

Runs where `kannel` and `kannel-extras` are installed; says so where they are not.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from callcenter.messaging.gateways.base import (
    DeliveryReport,
    FailureScope,
    GatewayAccepted,
    GatewayRefused,
    Outgoing,
    Reply,
    Webhook,
)
from callcenter.messaging.gateways.kannel import Kannel
from callcenter.messaging.states import DeliveryStatus, MessageChannel
from callcenter.runtime.embedded_servers import free_port

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
SECRET = "s3cret"
CYRILLIC = "".join(f"%{byte:02x}" for byte in "Да, приду".encode("utf-16-be"))
TEXT = "Ждём вас 22.11 в 09:30. «Ёлочка», № 5 — привет! " * 3  # several parts
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not (shutil.which("bearerbox") and FAKESMSC.exists()),
        reason="apt-get install kannel kannel-extras",
    ),
]

CONF = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {smsbox}
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-file = {folder}/bearerbox.log

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
http-request-retry = 5
http-queue-delay = 1
log-file = {folder}/smsbox.log

group = sendsms-user
username = u
password = right
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{ours}/hooks/1/{secret}/mo?from=%p&to=%P&text=%a&coding=%c&charset=%C&id=%I&at=%T"
max-messages = 0
"""


@dataclass
class Peer:
    """A running Kannel, what its network took, and what it told us."""

    gateway: Kannel
    ours: int
    smsc: int
    heard: list[Webhook] = field(default_factory=list)
    said: list[Webhook] = field(
        default_factory=list
    )  # the patient's SMS with which the line comes up
    refuse_first: int = 0  # how many of its calls we answer with 503
    network: list[str] = field(default_factory=list)

    def wait(self, true: Callable[[], bool], what: str, seconds: float = 25) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, f"{what}; heard {self.heard}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in ("admin", "smsbox", "smsc", "sendsms", "ours")}


@pytest.fixture
def peer(ports: dict[str, int], tmp_path: Path) -> Iterator[Peer]:
    ports = {name: free_port() for name in ports}
    conf = tmp_path / "kannel.conf"
    conf.write_text(CONF.format(**ports, folder=tmp_path, secret=SECRET))
    settings = {
        "url": f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms",
        "username": "u",
        "password": "right",
    }
    settings |= {"sender": "CLINIC"}
    with httpx.Client() as client:
        peer = Peer(Kannel({**settings, "secret": SECRET}, client), ports["ours"], ports["smsc"])
        server = _listener(peer)
        boxes = [_start("bearerbox", str(conf))]
        try:
            _until_open(ports["smsbox"])
            boxes.append(_start("smsbox", str(conf)))
            _until_open(ports["sendsms"])
            boxes.append(_network(peer, f"+79000000001 1234 ucs2 {CYRILLIC}"))
            peer.wait(lambda: bool(peer.heard), "the line does not come up")
            peer.said = [peer.heard.pop()]
            yield peer
        finally:
            for box in reversed(boxes):
                _end(box)
            server.shutdown()
            server.server_close()


def _start(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()


def _network(peer: Peer, message: str) -> "subprocess.Popen[str]":
    """The fake SMSC: sends us `message` at once, and stays on the line to take ours."""
    command = [
        str(FAKESMSC),
        "-H",
        "127.0.0.1",
        "-r",
        str(peer.smsc),
        "-i",
        "600",
        "-m",
        "2",
        message,
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def read() -> None:
        if process.stdout is not None:
            with process.stdout:
                for line in process.stdout:
                    peer.network.append(line)

    threading.Thread(target=read, daemon=True).start()
    return process


def _until_open(port: int) -> None:
    import socket

    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"Kannel does not listen on {port}")


def _listener(peer: Peer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_GET(self) -> None:
            if peer.refuse_first > 0:
                peer.refuse_first -= 1
                self.send_response(503)
            else:
                path, _, query = self.path.partition("?")
                rest = path.removeprefix("/hooks/1/")
                peer.heard.append(Webhook("GET", rest, query, dict(self.headers), b""))
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", peer.ours), Handler)
    server.daemon_threads = False
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    return server


def _sms(peer: Peer, text: str = TEXT) -> Outgoing:
    url = f"http://127.0.0.1:{peer.ours}/hooks/1/{SECRET}/"
    return Outgoing("visit:a15:2:sms", MessageChannel.SMS, "+79000000001", text, report_url=url)


def _statuses(peer: Peer) -> list[DeliveryReport]:
    heard = [happening for call in peer.heard for happening in peer.gateway.read(call)]
    return [happening for happening in heard if isinstance(happening, DeliveryReport)]


def test_a_long_cyrillic_message_is_taken_delivered_and_reported_with_our_key(peer: Peer) -> None:
    assert isinstance(peer.gateway.send(_sms(peer)), GatewayAccepted)
    peer.wait(
        lambda: any(status.report == DeliveryStatus.DELIVERED for status in _statuses(peer)),
        "no report",
    )
    assert all(peer.gateway.is_genuine(call) for call in peer.heard)
    assert {status.key for status in _statuses(peer)} == {"visit:a15:2:sms"}
    assert peer.network  # the line has really carried something


def test_a_report_that_finds_us_restarting_comes_again(peer: Peer) -> None:
    peer.refuse_first = 2
    assert isinstance(peer.gateway.send(_sms(peer, "Да")), GatewayAccepted)
    peer.wait(
        lambda: any(status.report == DeliveryStatus.DELIVERED for status in _statuses(peer)),
        "not repeated",
    )


def test_a_wrong_password_is_the_gateways_fault(peer: Peer) -> None:
    settings = {
        "url": peer.gateway._url,
        "username": "u",
        "password": "wrong",
        "secret": SECRET,
        "sender": "CLINIC",
    }
    wrong = Kannel(settings, peer.gateway._client)
    result = wrong.send(_sms(peer))
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.GATEWAY


def test_a_recipient_that_is_no_number_is_the_messages_fault(peer: Peer) -> None:
    message = Outgoing("k:1", MessageChannel.SMS, "not-a-number", "текст")
    result = peer.gateway.send(message)
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.MESSAGE


def test_an_answer_of_a_patient_arrives_with_its_letters(peer: Peer) -> None:
    (reply,) = [one for call in peer.said for one in peer.gateway.read(call)]
    assert isinstance(reply, Reply)
    assert (reply.sender, reply.text) == ("+79000000001", "Да, приду")
