"""Talks of the demo: what was said, spoken by the speech engine (or as tones where it has no
voice), with exact times.
"""

import array
import io
import math
import wave
from dataclasses import dataclass
from typing import Final

from callcenter.telephony.speech.engines import Espeak, SpeechFailed

RATE: Final = 8_000  # as on the telephone
PAUSE: Final = 0.6  # seconds between lines

TALKS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Имплантация": (
        ("clinic", "Клиника Ромашка, администратор Ольга, здравствуйте."),
        ("client", "Здравствуйте. Сколько у вас стоит установить имплант?"),
        ("clinic", "Установка импланта тридцать восемь тысяч рублей, коронка отдельно."),
        ("client", "Дорого. А рассрочка у вас есть?"),
        ("clinic", "К сожалению, сейчас рассрочки нет."),
        ("client", "Тогда я подумаю и перезвоню."),
        ("clinic", "Хорошо, всего доброго."),
    ),
    "Лечение кариеса": (
        ("clinic", "Клиника Ромашка, добрый день."),
        ("client", "Добрый день, у меня болит зуб, хочу записаться."),
        ("clinic", "Могу предложить завтра в десять утра или в четыре часа дня."),
        ("client", "Давайте в десять."),
        ("clinic", "Записала вас на завтра, на десять часов. До встречи!"),
        ("client", "Спасибо, до свидания."),
    ),
    "Гигиена": (
        ("clinic", "Здравствуйте, это клиника Ромашка."),
        ("client", "Здравствуйте, я хочу записаться на чистку."),
        ("clinic", "Удобно в четверг вечером?"),
        ("client", "Да, удобно."),
        ("clinic", "Записала вас на четверг. Ждём вас!"),
    ),
    "Ортодонтия": (
        ("clinic", "Клиника Ромашка, слушаю вас."),
        ("client", "Скажите, принимает ли ортодонт детей?"),
        ("clinic", "Да, с семи лет. Записать вас на консультацию?"),
        ("client", "Пока нет, я посоветуюсь с мужем."),
        ("clinic", "Хорошо, звоните, всегда рады помочь."),
    ),
}


@dataclass(frozen=True)
class Talk:
    """A WAV of 8 kHz and the lines of its transcript."""

    topic: str
    wav: bytes
    seconds: float
    lines: list[dict[str, object]]


def talks() -> list[Talk]:
    """Each talk once; they are given to many calls."""
    return [_spoken(topic, lines) for topic, lines in TALKS.items()]


def _spoken(topic: str, lines: tuple[tuple[str, str], ...]) -> Talk:
    sound: array.array[int] = array.array("h")
    said: list[dict[str, object]] = []
    for side, text in lines:
        said.append({"at": round(len(sound) / RATE, 1), "side": side, "text": text})
        sound.extend(_voice(text, side))
        sound.extend([0] * round(PAUSE * RATE))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.tobytes())
    return Talk(topic, file.getvalue(), len(sound) / RATE, said)


def _voice(text: str, side: str) -> "array.array[int]":
    """The line in the engine's voice, slower for the client; a tone as long as the line where there
    is no voice.
    """
    try:
        heard = Espeak(words_per_minute=165 if side == "clinic" else 135).say(text)
    except SpeechFailed:
        height = 330 if side == "clinic" else 220
        length = round(len(text) * 0.06 * RATE)
        return array.array(
            "h", (round(6_000 * math.sin(2 * math.pi * height * n / RATE)) for n in range(length))
        )
    step = heard.rate / RATE
    return array.array("h", (heard.data[int(n * step)] for n in range(int(len(heard.data) / step))))
