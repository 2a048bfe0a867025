"""Clips: what has been said once is kept as a file named by its text, its engine and its voice."""

import array
import hashlib
import os
import sys
import tempfile
import wave
from itertools import accumulate
from operator import floordiv, sub
from pathlib import Path
from typing import Final

from django.conf import settings

from callcenter.telephony.pbx.base import Sound
from callcenter.telephony.speech.engines import Samples, SpeechFailed, engine, read_wav
from callcenter.telephony.speech.spoken_russian import to_speech_text

RATE: Final = 8000  # per second: what a telephone line carries


def synthesize(*phrases: str, pause: float = 0.35) -> Sound:
    """One sound of the phrases with `pause` seconds between them; made by the engine only the first
    time.

    Raises SpeechFailed (no engine, an error of the engine, no room on the disk).
    """
    text = "\n".join(phrase for phrase in phrases if phrase.strip())
    if not text:
        raise SpeechFailed("Нечего произносить: текст пуст.")
    key = clip_key(text)
    path = clip_path(key)
    if not path.exists():
        silence = array.array("h", bytes(2 * int(RATE * pause)))
        samples: array.array[int] = array.array("h")
        for phrase in text.split("\n"):
            samples.extend(_voiced(phrase))
            samples.extend(silence)
        _write(path, samples)
    with wave.open(str(path)) as wav:
        return Sound(key=key, path=path, seconds=wav.getnframes() / RATE, text=text)


def _voiced(phrase: str) -> "array.array[int]":
    """One phrase, said once and kept: of a new request only the names are new."""
    path = clip_path(clip_key(f"phrase {phrase}"))
    if not path.exists():
        _write(path, to_telephone(engine().say(to_speech_text(phrase))))
    return read_wav(path.read_bytes()).data


def clip_key(text: str) -> str:
    voice = (
        f"{settings.SPEECH_ENGINE}|{settings.SPEECH_VOICE}|{settings.SPEECH_SPEED}"
        f"|{settings.SPEECH_COMMAND}"
    )
    return hashlib.sha256(f"{voice}|{settings.SPEECH_URL}|{text}".encode()).hexdigest()[:40]


def clip_path(key: str) -> Path:
    """Where a clip lies; `key` is hexadecimal, so no other file can be named by it."""
    return Path(settings.MEDIA_ROOT) / "speech" / key[:2] / f"{key}.wav"


def to_telephone(samples: Samples) -> "array.array[int]":
    """Any rate → 8 kHz: each new sample is the mean of the old ones it covers, which also damps
    what would alias.
    """
    if samples.rate == RATE:
        return samples.data
    if samples.rate < RATE:
        count = len(samples.data) * RATE // samples.rate
        return array.array(
            "h", [samples.data[place * samples.rate // RATE] for place in range(count)]
        )
    edges = [
        place * samples.rate // RATE
        for place in range(len(samples.data) * RATE // samples.rate + 1)
    ]
    totals = list(accumulate(samples.data, initial=0))
    heights = [totals[edge] for edge in edges]
    return array.array(
        "h", map(floordiv, map(sub, heights[1:], heights), map(sub, edges[1:], edges))
    )


def _write(path: Path, samples: "array.array[int]") -> None:
    """Whole or not at all: two processes may make the same clip at once."""
    if sys.byteorder == "big":
        samples.byteswap()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part,
            wave.open(part, "wb") as wav,
        ):
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(RATE)
            wav.writeframes(samples.tobytes())
        Path(part.name).chmod(0o644)  # Asterisk, another user, may read it from a shared folder
        os.replace(part.name, path)
    except OSError as error:
        raise SpeechFailed(f"Не удалось сохранить речь: {error}") from error
