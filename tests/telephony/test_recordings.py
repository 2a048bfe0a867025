"""Recordings of cloud PBXs: fetched by their links into our own storage, tried again, given up with
the reason.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from callcenter.contacts.actions import InteractionInput, Phases, record_interaction
from callcenter.contacts.models import Interaction, Recording
from callcenter.contacts.states import InteractionKind, InteractionState
from callcenter.telephony.actions import recordings
from callcenter.telephony.models import LinkedRecording
from callcenter.telephony.pbx.simulator import _silence
from tests.conftest import World

pytestmark = pytest.mark.django_db
WAV = _silence(2.0)


class Cloud(BaseHTTPRequestHandler):
    """What lies behind the links of a cloud PBX."""

    def do_GET(self) -> None:
        answers = {
            "/good.wav": (200, "audio/x-wav", WAV),
            "/plain": (200, "application/octet-stream", WAV),
            "/page": (200, "text/html", b"<html>log in</html>"),
            "/large": (200, "audio/wav", b"RIFF" + b"\0" * 5000),
        }
        path = self.path.partition("?")[0]
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good.wav")
            self.end_headers()
            return
        status, kind, body = answers.get(path, (404, "text/plain", b"no"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def cloud(settings: Any) -> Iterator[str]:
    settings.RECORDINGS_FROM_INSIDE = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def call(world: World) -> Interaction:
    return record_interaction(
        InteractionInput(
            clinic=world.clinic,
            kind=InteractionKind.CALL,
            state=InteractionState.ANSWERED,
            phases=Phases(world.now),
        ),
        by=None,
        now=world.now,
    )


def linked(call: Interaction, url: str, now: dt.datetime) -> LinkedRecording:
    recordings.keep_link(call, url=url, seconds=0, now=now)
    return LinkedRecording.objects.get()


@pytest.mark.parametrize("path", ["/good.wav?token=s3cret", "/plain", "/moved"])
def test_a_recording_is_fetched_once_into_our_own_storage(
    world: World, call: Interaction, cloud: str, path: str
) -> None:
    row = linked(call, cloud + path, world.now)
    recordings.keep_link(call, url=row.url, seconds=0, now=world.now)
    assert recordings.fetch_due_recordings(now=world.now) == 1
    assert recordings.fetch_due_recordings(now=world.now + dt.timedelta(days=1)) == 0
    kept = Recording.objects.get()
    assert (kept.interaction, kept.mime, kept.seconds) == (call, "audio/wav", 2.0)
    with kept.file.open() as file:
        assert file.read() == WAV
    row.refresh_from_db()
    assert (row.done_at, row.due_at) == (world.now, None)


def test_what_fails_is_tried_again_and_then_the_link_stays_with_the_reason(
    world: World, call: Interaction, cloud: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = linked(call, f"{cloud}/gone?token=s3cret", world.now)
    now = world.now
    for tries in range(1, len(recordings.AGAIN) + 2):
        assert recordings.fetch_due_recordings(now=now) == 1
        assert recordings.fetch_due_recordings(now=now) == 0
        row.refresh_from_db()
        assert (row.tries, row.last_error) == (tries, "сервер ответил 404")
        now = row.due_at or now
    assert row.due_at is None
    call.refresh_from_db()
    assert call.comment == f"Запись не скачалась (сервер ответил 404): {cloud}/gone?token=s3cret"
    assert not Recording.objects.exists()
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(("path", "why"), [("/page", "это не звук"), ("/large", "файл больше")])
def test_a_page_instead_of_a_sound_and_a_file_without_end_are_refused(
    world: World,
    call: Interaction,
    cloud: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    why: str,
) -> None:
    monkeypatch.setattr(recordings, "LARGEST", 4096)
    row = linked(call, cloud + path, world.now)
    recordings.fetch_due_recordings(now=world.now)
    row.refresh_from_db()
    assert why in row.last_error


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x.wav", "http://10.0.0.7/x.wav", "file:///etc/passwd", "http://[::1]/x"],
)
def test_a_link_into_our_own_network_is_not_followed(url: str) -> None:
    with pytest.raises(recordings.NotFetched, match=r"внутреннюю сеть|не http"):
        recordings.fetch(url)


def test_what_a_killed_worker_had_claimed_is_fetched_by_the_next(
    world: World, call: Interaction, cloud: str
) -> None:
    row = linked(call, f"{cloud}/good.wav", world.now)
    LinkedRecording.objects.update(claimed_at=world.now)
    assert recordings.fetch_due_recordings(now=world.now + dt.timedelta(minutes=1)) == 0
    assert recordings.fetch_due_recordings(now=world.now + dt.timedelta(minutes=6)) == 1
    row.refresh_from_db()
    assert row.done_at is not None
