"""One contract for every gateway: what it must answer, whatever stands behind it.

Each rig is a gateway with its provider's stand-in; `make test-peers` runs the same suite over a
real Kannel.
"""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest

from callcenter.messaging.gateways import KINDS, build
from callcenter.messaging.gateways.base import (
    Attachment,
    BadWebhook,
    ButtonPress,
    DeliveryReport,
    FailureScope,
    Gateway,
    GatewayAccepted,
    GatewayEvent,
    GatewayRefused,
    IgnoredEvent,
    Outgoing,
    Reply,
    StatusQuery,
    SupportsStatusQuery,
    Uncertain,
    Webhook,
)
from callcenter.messaging.gateways.edna import Edna
from callcenter.messaging.gateways.kannel import Kannel
from callcenter.messaging.gateways.simulator import SimulatorGateway
from callcenter.messaging.gateways.smtp import Smtp
from callcenter.messaging.states import DeliveryStatus, MessageChannel, VisitAnswer
from tests.messaging import standins

TEXT = "Ждём вас 22.11 в 09:30. «Ёлочка», № 5 — привет!"
SECRET = "s3cret-of-the-address"


@dataclass
class Rig:
    """A gateway, how to make its provider misbehave, what the provider took, and how the provider
    calls us.
    """

    kind: str
    gateway: Gateway
    message: Outgoing
    misbehave: Callable[[str], None]
    taken: Callable[[], list[dict[str, str]]]
    reports: Callable[[str, DeliveryStatus], list[Webhook]] = lambda key, report: []
    reply: Callable[[str], Webhook] | None = None
    became: Callable[[str, str], None] | None = (
        None  # what the provider's memory says, where it can be asked
    )
    dead: Gateway | None = None  # the same gateway with nobody listening behind
    extra: dict[str, object] = field(default_factory=dict)


def sms(key: str = "visit:appointment-1:1:sms") -> Outgoing:
    return Outgoing(
        key,
        MessageChannel.SMS,
        "+79000000001",
        TEXT,
        report_url=f"https://clinic.example/hooks/1/{SECRET}/",
    )


@pytest.fixture
def kannel() -> Iterator[Rig]:
    with standins.kannel() as provider, httpx.Client() as client:
        settings = {
            "url": f"{provider.url}/cgi-bin/sendsms",
            "username": "u",
            "password": "right",
            "secret": SECRET,
        }
        settings |= {"sender": "CLINIC"}
        nowhere = {**settings, "url": "http://127.0.0.1:9/cgi-bin/sendsms"}

        def reports(key: str, report: DeliveryStatus) -> list[Webhook]:
            kinds = {
                DeliveryStatus.DELIVERED: ["8", "1"],
                DeliveryStatus.UNDELIVERED: ["8", "2"],
                DeliveryStatus.ACCEPTED: ["8"],
            }
            return [
                _get(f"dlr?key={quote(key)}&type={kind}&at=1767597300&why=ACK/")
                for kind in kinds.get(report, [])
            ]

        def reply(text: str) -> Webhook:
            raw = "".join(f"%{byte:02X}" for byte in text.encode("utf-16-be"))
            return _get(
                f"mo?from=%2B79000000001&to=1234&text={raw}&coding=2&charset=UTF-16BE&id=77&at=1767597300"
            )

        yield Rig(
            "kannel",
            Kannel(settings, client),
            sms(),
            lambda mode: setattr(provider, "mode", mode),
            lambda: provider.taken,
            reports,
            reply,
            dead=Kannel(nowhere, client),
        )


@pytest.fixture
def edna() -> Iterator[Rig]:
    with standins.edna() as provider, httpx.Client() as client:
        settings = {"url": provider.url, "api_key": "right", "secret": SECRET, "cascade_sms": "321"}
        settings |= {
            "authorization": "key-of-the-cabinet",
            "cascade_max": "322",
            "content_max": "maxContent",
        }

        def reports(key: str, report: DeliveryStatus) -> list[Webhook]:
            words = {
                "accepted": "SENT",
                "delivered": "DELIVERED",
                "read": "READ",
                "undelivered": "UNDELIVERED",
            }
            return [
                _post(
                    {
                        "requestId": key,
                        "messageId": 5,
                        "status": words[report],
                        "statusAt": "2026-01-05T07:15:00Z",
                    }
                )
            ]

        def reply(text: str) -> Webhook:
            return _post(
                {
                    "id": 77,
                    "subject": "sms_clinic",
                    "subscriber": {"id": 1, "identifier": "79000000001"},
                    "userInfo": {"userName": "Мария"},
                    "messageContent": {"type": "TEXT", "text": text},
                    "receivedAt": "2026-01-05T07:15:00Z",
                    "replyOutMessageExternalRequestId": "visit:appointment-1:1:sms",
                }
            )

        yield Rig(
            "edna",
            Edna(settings, client),
            sms(),
            lambda mode: setattr(provider, "mode", mode),
            lambda: provider.taken,
            reports,
            reply,
            provider.became.__setitem__,
            Edna({**settings, "url": "http://127.0.0.1:9"}, client),
        )


@pytest.fixture
def smtp() -> Iterator[Rig]:
    with standins.mail() as provider:
        settings = {
            "host": "127.0.0.1",
            "port": str(provider.port),
            "username": "u",
            "password": "right",
        }
        settings |= {"secret": SECRET, "tls": "no"}
        yield Rig(
            "smtp",
            Smtp(settings),
            Outgoing(
                "letter:task-1:1:email",
                MessageChannel.EMAIL,
                "olga@clinic.example",
                TEXT,
                subject="Напоминание\nо приёме",
            ),
            lambda mode: setattr(provider, "mode", mode),
            lambda: provider.taken,
            dead=Smtp({**settings, "port": "9"}),
        )


@pytest.fixture
def simulator() -> Rig:
    taken: dict[str, dict[str, str]] = {}
    settings: dict[str, str] = {"secret": SECRET}

    class Watched(SimulatorGateway):
        def send(self, message: Outgoing) -> GatewayAccepted | GatewayRefused | Uncertain:
            result = super().send(message)
            if not isinstance(result, GatewayRefused):
                taken[message.key] = {"to": message.to, "text": message.text}
            return result

    def misbehave(mode: str) -> None:
        settings.update({"busy": {"busy": "1"}, "vanish": {"vanishes": "1"}}.get(mode, {}))
        settings.update({"password": {"down": "yes"}, "number": {"refuses": "1"}}.get(mode, {}))

    def reports(key: str, report: DeliveryStatus) -> list[Webhook]:
        return [_post({"do": report.value, "key": key})]

    def reply(text: str) -> Webhook:
        return _post(
            {"do": "say", "id": "77", "from": "+79000000001", "text": text, "channel": "sms"}
        )

    return Rig(
        "simulator",
        Watched(settings),
        sms(),
        misbehave,
        lambda: list(taken.values()),
        reports,
        reply,
    )


@pytest.fixture(params=["kannel", "edna", "smtp", "simulator"])
def rig(request: pytest.FixtureRequest) -> Rig:
    made: Rig = request.getfixturevalue(request.param)
    return made


def _get(path_and_query: str, headers: dict[str, str] | None = None) -> Webhook:
    path, _, query = path_and_query.partition("?")
    return Webhook("GET", f"{SECRET}/{path}", query, headers or {}, b"")


def _post(body: object) -> Webhook:
    return Webhook(
        "POST",
        f"{SECRET}/report",
        "",
        {"authorization": "key-of-the-cabinet"},
        json.dumps(body).encode(),
    )


# The contract


def test_a_message_arrives_whole_with_its_cyrillic(rig: Rig) -> None:
    assert isinstance(rig.gateway.send(rig.message), GatewayAccepted)
    (taken,) = rig.taken()
    assert taken["to"] == rig.message.to
    assert taken["text"] == TEXT


def test_a_long_text_is_one_message(rig: Rig) -> None:
    long = replace(rig.message, text="Приходите заранее. " * 12)
    assert isinstance(rig.gateway.send(long), GatewayAccepted)
    assert [taken["text"].strip() for taken in rig.taken()] == [long.text.strip()]


def test_a_number_that_is_no_good_is_refused_for_ever(rig: Rig) -> None:
    rig.misbehave("number")
    result = rig.gateway.send(rig.message)
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.MESSAGE
    assert result.reason
    assert rig.taken() == []


def test_a_busy_provider_is_to_be_asked_again(rig: Rig) -> None:
    rig.misbehave("busy")
    result = rig.gateway.send(rig.message)
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.LATER


def test_a_wrong_password_stops_the_gateway_not_the_message(rig: Rig) -> None:
    rig.misbehave("password")
    result = rig.gateway.send(rig.message)
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.GATEWAY


def test_an_answer_lost_on_the_way_is_a_maybe_and_never_a_refusal(rig: Rig) -> None:
    rig.misbehave("vanish")
    assert isinstance(rig.gateway.send(rig.message), Uncertain)
    assert len(rig.taken()) == 1


def test_after_a_maybe_the_same_key_is_delivered_once_if_the_gateway_says_it_dedupes(
    rig: Rig,
) -> None:
    rig.misbehave("vanish")
    rig.gateway.send(rig.message)
    if not rig.gateway.is_idempotent:
        return
    rig.misbehave("")
    rig.gateway.send(rig.message)
    assert len(rig.taken()) == 1


def test_nobody_listening_means_nothing_was_sent(rig: Rig) -> None:
    if rig.dead is None:
        assert rig.kind == "simulator"
        return
    result = rig.dead.send(rig.message)
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.LATER


@pytest.mark.parametrize("report", list(DeliveryStatus))
def test_reports_are_read_with_our_key(rig: Rig, report: DeliveryStatus) -> None:
    heard = [
        happening
        for call in rig.reports(rig.message.key, report)
        for happening in rig.gateway.read(call)
    ]
    statuses = [happening for happening in heard if isinstance(happening, DeliveryReport)]
    assert all(status.key == rig.message.key for status in statuses)
    if rig.gateway.reports and (rig.kind, report) != (
        "kannel",
        DeliveryStatus.READ,
    ):  # an SMS is never 'read'
        assert statuses[-1].report == report
    else:
        assert statuses == []


def test_a_reply_is_read_with_its_sender_and_its_letters(rig: Rig) -> None:
    if rig.reply is None:
        assert rig.kind == "smtp"
        return
    (heard,) = rig.gateway.read(rig.reply("Да, приду 👍"))
    assert isinstance(heard, Reply)
    assert (heard.id, heard.sender, heard.text, heard.channel) == (
        "77",
        "+79000000001",
        "Да, приду 👍",
        MessageChannel.SMS,
    )


_HOUR = dt.timedelta(hours=1)
_NOON = dt.datetime(2026, 3, 18, 9, tzinfo=dt.UTC)


def test_a_provider_that_can_be_asked_tells_what_became_of_a_message_and_the_others_can_not_be(
    rig: Rig,
) -> None:
    if rig.became is None:
        assert not isinstance(rig.gateway, SupportsStatusQuery)
        return
    assert isinstance(rig.gateway, SupportsStatusQuery)
    rig.gateway.send(rig.message)
    rig.gateway.send(replace(rig.message, key="of-somebody-else"))
    question = StatusQuery(frozenset([rig.message.key, "never-sent"]), _NOON, _NOON + _HOUR)
    heard = rig.gateway.ask(question)
    assert heard == [DeliveryReport(DeliveryStatus.ACCEPTED, key=rig.message.key)]
    rig.became(rig.message.key, "READ")
    assert rig.gateway.ask(question) == [DeliveryReport(DeliveryStatus.READ, key=rig.message.key)]
    rig.became(rig.message.key, "A-WORD-OF-TOMORROW")
    assert rig.gateway.ask(question) == []


@pytest.mark.parametrize("mode", ["busy", "vanish"])
def test_a_provider_that_does_not_answer_a_question_is_asked_later(rig: Rig, mode: str) -> None:
    if not isinstance(rig.gateway, SupportsStatusQuery):
        assert rig.became is None
        return
    rig.misbehave(mode)
    heard = rig.gateway.ask(StatusQuery(frozenset(["k"]), _NOON, _NOON + _HOUR))
    assert isinstance(heard, GatewayRefused | Uncertain)


def test_edna_is_asked_page_after_page(edna: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.messaging.gateways.edna._PAGE", 2)
    assert isinstance(edna.gateway, SupportsStatusQuery)
    keys = [f"k{number}" for number in range(5)]
    for key in keys:
        edna.gateway.send(replace(edna.message, key=key))
    heard = edna.gateway.ask(StatusQuery(frozenset(keys), _NOON, _NOON + _HOUR))
    assert isinstance(heard, list)
    assert [status.key for status in heard] == keys


def test_a_call_without_the_secret_is_not_genuine(rig: Rig) -> None:
    good = Webhook("POST", f"{SECRET}/report", "", {"authorization": "key-of-the-cabinet"}, b"{}")
    assert rig.gateway.is_genuine(good)
    for path in ("", "wrong/report", f"x{SECRET}/report", f"{SECRET}x/report", "ёлка/report"):
        assert not rig.gateway.is_genuine(replace(good, path=path))


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[1]", b"null", b'{"status": "NEW-WORD", "requestId": "1"}']
)
def test_a_body_nobody_foresaw_is_reported_as_such_and_never_crashes(rig: Rig, body: bytes) -> None:
    call = Webhook("POST", f"{SECRET}/nothing-known", "", {}, body)
    heard: list[GatewayEvent] = []
    with contextlib.suppress(BadWebhook):
        heard = rig.gateway.read(call)
    assert all(isinstance(happening, IgnoredEvent) for happening in heard)


def test_the_suite_covers_every_kind_of_the_registry() -> None:
    assert set(KINDS) == {"kannel", "edna", "smtp", "simulator"}


# What is peculiar to one of them


def test_kannel_is_asked_for_reports_that_carry_our_key(kannel: Rig) -> None:
    kannel.gateway.send(kannel.message)
    url = urlsplit(kannel.taken()[0]["report"])
    assert url.path == f"/hooks/1/{SECRET}/dlr"
    assert dict(parse_qsl(url.query))["key"] == kannel.message.key


def test_kannel_a_message_that_is_queued_while_the_line_is_down_counts_as_taken(
    kannel: Rig,
) -> None:
    answer = httpx.Response(202, text="3: Queued for later delivery")
    with httpx.Client(transport=httpx.MockTransport(lambda request: answer)) as client:
        gateway = Kannel(
            {
                "url": "http://k/",
                "username": "u",
                "password": "p",
                "secret": SECRET,
                "sender": "CLINIC",
            },
            client,
        )
        assert isinstance(gateway.send(kannel.message), GatewayAccepted)


def test_kannel_refuses_to_send_an_empty_text_that_kannel_itself_would_send(kannel: Rig) -> None:
    assert isinstance(kannel.gateway.send(replace(kannel.message, text="")), GatewayRefused)
    assert kannel.taken() == []


def test_edna_answers_its_probe_of_the_address(edna: Rig) -> None:
    for method in ("GET", "HEAD"):
        assert isinstance(
            edna.gateway.read(Webhook(method, f"{SECRET}/", "", {}, b""))[0], IgnoredEvent
        )


def test_edna_takes_one_happening_or_a_list_of_them(edna: Rig) -> None:
    one = {"requestId": "k", "status": "DELIVERED", "statusAt": "2026-01-05T07:15:00Z"}
    assert len(edna.gateway.read(_post([one, one]))) == 2


def test_edna_a_pressed_button_carries_the_answer_and_the_token(edna: Rig) -> None:
    call = _post(
        {
            "id": 1,
            "subject": "max",
            "messageContent": {"type": "TEXT", "text": "Приду", "payload": "confirm:tok"},
        }
    )
    (press,) = edna.gateway.read(call)
    assert isinstance(press, ButtonPress)
    assert (press.token, press.answer) == ("tok", VisitAnswer.CONFIRM)


def test_edna_names_its_reasons_in_russian(edna: Rig) -> None:
    def reason(**fields: str) -> str:
        (status,) = edna.gateway.read(_post({"requestId": "k", **fields}))
        assert isinstance(status, DeliveryReport)
        return status.reason

    assert reason(status="FAILED", error="not-viber-user") == "у номера нет Viber"
    assert "20 минут" in reason(status="CANCELLED")
    assert reason(status="FAILED", error="error-of-tomorrow") == "error-of-tomorrow"


def test_edna_without_a_cascade_for_the_channel_calls_nobody(edna: Rig) -> None:
    result = edna.gateway.send(replace(edna.message, channel=MessageChannel.VK))
    assert isinstance(result, GatewayRefused)
    assert result.fault is FailureScope.GATEWAY
    assert edna.taken() == []


def test_edna_wants_its_authorization_header_when_one_is_agreed(edna: Rig) -> None:
    good = Webhook("POST", f"{SECRET}/", "", {"authorization": "key-of-the-cabinet"}, b"{}")
    assert edna.gateway.is_genuine(good)
    assert not edna.gateway.is_genuine(
        replace(good, headers={"authorization": "Bearer key-of-the-cabinet"})
    )


def test_a_letter_carries_its_subject_on_one_line_and_its_attachment(smtp: Rig) -> None:
    attached = replace(
        smtp.message, attachments=(Attachment("журнал.xlsx", b"PK", "application/zip"),)
    )
    assert isinstance(smtp.gateway.send(attached), GatewayAccepted)
    (taken,) = smtp.taken()
    assert taken["subject"] == "Напоминание о приёме"
    assert taken["attachments"] == "журнал.xlsx"


def test_the_simulated_patient_confirms_through_his_link() -> None:
    message = Outgoing(
        "k:1", MessageChannel.MAX, "+79000000001", "Ответить: http://x/v/abcdefghijklmnopqrst"
    )
    result = SimulatorGateway({"secret": SECRET}).send(message)
    assert isinstance(result, GatewayAccepted)
    heard = [
        happening
        for later in result.later
        for happening in SimulatorGateway({"secret": SECRET}).read(later.webhook)
    ]
    assert ButtonPress("abcdefghijklmnopqrst", VisitAnswer.CONFIRM) in heard
    assert [later.seconds for later in result.later] == sorted(
        later.seconds for later in result.later
    )


def test_the_same_number_always_behaves_alike() -> None:
    message = Outgoing(
        "k:1", MessageChannel.MAX, "+79000000057", "текст http://x/v/abcdefghijklmnopqrst"
    )
    assert SimulatorGateway({}).send(message) == SimulatorGateway({}).send(message)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ValueError, match="не хватает настройки 'url'"):
        build("kannel", {"username": "u"})
