"""Telephones of the floor: binding, calls by a click, incoming calls, the caller's card,
webhooks.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import Interaction
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.models import User
from callcenter.telephony.actions import staff_phones
from callcenter.telephony.actions.browser_phones import StoredBrowserPhones
from callcenter.telephony.models import BrowserPhone, Call, Leg, PhoneBinding, PhoneLine
from callcenter.telephony.queries import ringing_for
from callcenter.telephony.speech import audio_cache, engines, spoken_russian
from callcenter.telephony.speech.asterisk_media import clip_url
from callcenter.telephony.states import LegRole, PhoneKind
from callcenter.telephony.templatetags.telephony import call_token, number_of
from tests.callback.rig import Rig

Login = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def test_a_click_rings_the_administrator_then_the_patient_and_writes_the_history(rig: Rig) -> None:
    patient = rig.world.patient(phones=["+79000007700"])
    rig.bind(rig.world.administrator, "admin")
    staff_phones.call_patient(
        user=rig.world.administrator,
        number="+79000007700",
        clinic=rig.world.clinic,
        patient=patient,
        now=rig.now,
    )
    rig.run(60)
    assert [leg.role for leg in Leg.objects.order_by("pk")] == [LegRole.EMPLOYEE, LegRole.PATIENT]
    talk = Interaction.objects.get()
    assert (talk.direction, talk.state, talk.employee) == (
        "out",
        "answered",
        rig.world.administrator,
    )
    assert talk.wait_seconds == 6
    assert talk.talk_seconds is not None
    assert talk.talk_seconds > 10
    assert not Leg.objects.exclude(state="ended").exists()


def test_a_click_without_a_telephone_or_to_one_who_said_no_is_refused(rig: Rig) -> None:
    patient = rig.world.patient(phones=["+79000007700"], do_not_call=True)
    who, clinic = rig.world.administrator, rig.world.clinic
    with pytest.raises(Refused, match="телефон"):
        staff_phones.call_patient(user=who, number="+79000007701", clinic=clinic, now=rig.now)
    rig.bind(who, "admin")
    with pytest.raises(Refused, match="не звонить"):
        staff_phones.call_patient(
            user=who, number="+79000007700", clinic=clinic, patient=patient, now=rig.now
        )
    rig.now += dt.timedelta(minutes=1)
    with pytest.raises(Conflict, match="не отвечает"):
        staff_phones.call_patient(user=who, number="+79000007701", clinic=clinic, now=rig.now)


def test_one_patient_is_not_called_twice_at_once(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin")
    rig.bind(rig.world.administrator2, "admin")
    call = {"number": "+79000007700", "clinic": rig.world.clinic}
    staff_phones.call_patient(user=rig.world.administrator, now=rig.now, **call)  # type: ignore[arg-type]
    rig.run(2)
    with pytest.raises(Conflict, match="уже говорят"):
        staff_phones.call_patient(user=rig.world.administrator2, now=rig.now, **call)  # type: ignore[arg-type]


def test_an_incoming_call_rings_everybody_free_and_the_first_one_talks(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_thorough")
    rig.bind(rig.world.administrator2, "admin_noanswer")
    rig.simulator.incoming("in-1", "+79000007700", rig.world.clinic.phone)
    rig.run(1)
    assert Leg.objects.filter(role=LegRole.EMPLOYEE).count() == 2
    rig.run(5)
    call = Call.objects.get()
    assert call.employee == rig.world.administrator
    other = Leg.objects.get(user=rig.world.administrator2)
    assert other.end == "cancelled"
    rig.simulator.hang_up("in-1")
    rig.run(2)
    talk = Interaction.objects.get()
    assert (talk.direction, talk.state) == ("in", "answered")


def test_an_incoming_call_nobody_takes_is_missed(rig: Rig) -> None:
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.simulator.incoming("in-1", "+79000007700", rig.world.clinic.phone)
    rig.run(60)
    assert Interaction.objects.get().state == "missed"
    assert not Leg.objects.exclude(state="ended").exists()


def test_the_card_knows_the_family_the_next_visit_and_the_last_contacts(rig: Rig) -> None:
    mother = rig.world.patient("Лунина", "Вера", "", phones=["+79000007700"])
    rig.world.patient("Лунин", "Олег", "", phones=["+79000007700"])
    rig.world.visit(mother)
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.simulator.incoming("in-1", "+79000007700", rig.world.clinic.phone)
    rig.run(1)
    card = ringing_for(rig.world.administrator, now=rig.now)
    assert card is not None
    assert [person.last_name for person in card.people] == ["Лунин", "Лунина"]
    assert mother.pk in card.visits


def test_the_bar_says_where_one_sits_and_never_shows_anothers_call(
    rig: Rig, as_user: Login
) -> None:
    client = as_user(rig.world.administrator)
    bar = reverse("telephony:phone")
    assert "phone-choose" in client.get(bar, headers={"HX-Request": "true"}).content.decode()
    client.post(reverse("telephony:bind"), {"kind": "pbx", "endpoint": "101"})
    assert PhoneBinding.objects.get().endpoint == "PJSIP/101"
    assert client.post(reverse("telephony:bind"), {"kind": "pbx"}).status_code == 422
    assert client.post(reverse("telephony:bind"), {"kind": "nonsense"}).status_code == 422


def test_a_telephone_in_the_browser_rings_is_answered_hears_and_presses(rig: Rig) -> None:
    rig.simulator._browser_phones = StoredBrowserPhones(lambda: rig.now)
    staff_phones.bind_phone(user=rig.world.administrator, kind=PhoneKind.BROWSER, now=rig.now)
    rig.ask()
    rig.run(1)
    browser_phone = BrowserPhone.objects.get()
    assert (browser_phone.state, browser_phone.user) == ("ringing", rig.world.administrator)
    for action, value in (("answer", ""), ("digit", "5")):
        staff_phones.press(
            user=rig.world.administrator,
            channel=browser_phone.channel,
            action=action,
            value=value,
            now=rig.now,
        )
        rig.run(0.5)
    browser_phone.refresh_from_db()
    assert browser_phone.clip
    with pytest.raises(Conflict):
        staff_phones.press(
            user=rig.world.administrator2,
            channel=browser_phone.channel,
            action="answer",
            now=rig.now,
        )


def test_a_clip_is_fetched_by_its_signed_address_only(rig: Rig, client: Client) -> None:
    sound = audio_cache.synthesize("Здравствуйте")
    answer = client.get(clip_url(sound.key))
    assert b"".join(answer)[:4] == b"RIFF"
    assert client.get(clip_url(sound.key).replace(sound.key, "0" * 40)).status_code == 404


def test_a_number_is_veiled_in_its_token() -> None:
    token = call_token("+79000007700")
    assert "7700" not in token
    assert number_of(token) == "+79000007700"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Приём 03.11 в 9:05", "Приём третьего ноября в девять ноль пять"),
        ("21.11.2026", "двадцать первого ноября две тысячи двадцать шестого года"),
        ("31.02", "тридцать одна целая две сотых"),
        ("в 14:30", "в четырнадцать тридцать"),
        ("в 10:00", "в десять часов"),
        ("1 500 ₽", "одна тысяча пятьсот рублей"),
        ("21 ₽", "двадцать один рубль"),
        ("2-й этаж", "второй этаж"),
        ("+7 900 000-01-02", "плюс семь, девятьсот, ноль ноль ноль, ноль один, ноль два"),
        ("МРТ", "эм эр тэ"),
    ],
)
def test_numbers_dates_and_money_are_read_as_words(text: str, said: str) -> None:
    assert spoken_russian.to_speech_text(text) == said


def test_names_lose_what_nobody_says() -> None:
    assert spoken_russian.name_aloud("Ли А. Б. (стажёр)") == "Ли А Б"


def test_espeak_speaks_russian_once_for_each_text(settings: Any) -> None:
    settings.SPEECH_ENGINE = "espeak"
    sound = audio_cache.synthesize("Соединяю с пациентом")
    assert sound.seconds > 0.8
    made = sound.path.stat().st_mtime_ns
    assert audio_cache.synthesize("Соединяю с пациентом").path.stat().st_mtime_ns == made


def test_a_program_that_fails_is_named(settings: Any) -> None:
    settings.SPEECH_ENGINE, settings.SPEECH_COMMAND = "command", "/no/such/program {text}"
    with pytest.raises(engines.SpeechFailed, match="Программа речи"):
        audio_cache.synthesize("Раз")


def test_a_senior_gives_a_clinic_one_more_number_and_calls_to_it_come_there(
    rig: Rig, as_user: Login
) -> None:
    client, page = as_user(rig.world.senior), reverse("telephony:lines")
    form = {"number": "8 900 000 99 77", "label": "Вывеска", "clinic": rig.world.clinic.pk}
    assert client.post(page, form).status_code == 302
    again = client.post(page, form)
    assert again.status_code == 422
    assert "уже записан" in again.content.decode()
    assert client.post(page, {**form, "number": "12"}).status_code == 422
    rig.bind(rig.world.administrator, "admin_noanswer")
    rig.simulator.incoming("in-1", "+79000007700", "+79000009977")
    rig.run(1)
    assert Call.objects.get().clinic == rig.world.clinic
    line = PhoneLine.objects.get()
    assert as_user(rig.world.administrator).get(page).status_code == 403
    assert client.post(reverse("telephony:line_remove", args=[line.pk])).status_code == 302
    assert not PhoneLine.objects.exists()


def test_another_clinics_number_is_not_there(rig: Rig, as_user: Login) -> None:
    stranger = Clinic.objects.exclude(staff=rig.world.senior).first()
    assert stranger is not None
    line = PhoneLine.objects.create(number="+79000009978", label="Чужая", clinic=stranger)
    client = as_user(rig.world.senior)
    assert "Чужая" not in client.get(reverse("telephony:lines")).content.decode()
    assert client.post(reverse("telephony:line_remove", args=[line.pk])).status_code == 404
