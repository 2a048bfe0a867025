"""Engines of speech, one registry line each: espeak-ng from its wheel, any command line, any HTTP
service.

An engine takes words and gives 16-bit mono samples with their rate; it raises SpeechFailed and
nothing else.
"""

import array
import ctypes
import io
import shlex
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import httpx
from django.conf import settings


class SpeechFailed(Exception):
    """No speech came out; the sentence says which engine and why."""


@dataclass(frozen=True)
class Samples:
    data: "array.array[int]"  # signed 16 bit, mono
    rate: int  # per second


class Engine(Protocol):
    def say(self, words: str) -> Samples: ...


class Espeak:
    """espeak-ng inside our process. The library has one state, so one text at a time."""

    _lock = threading.Lock()
    _library: ctypes.CDLL | None = None
    _rate = 0

    def __init__(self, voice: str = "ru", words_per_minute: int = 150) -> None:
        self._voice, self._speed = voice, words_per_minute

    def say(self, words: str) -> Samples:
        with Espeak._lock:
            library = self._loaded()
            heard: array.array[int] = array.array("h")
            keep = ctypes.CFUNCTYPE(
                ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
            )

            def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
                if count > 0 and samples:
                    heard.frombytes(ctypes.string_at(samples, count * 2))
                return 0

            callback = keep(take)
            library.espeak_SetSynthCallback(callback)
            if library.espeak_SetVoiceByName(self._voice.encode()) != 0:
                raise SpeechFailed(f"espeak-ng не знает голоса «{self._voice}».")
            library.espeak_SetParameter(1, self._speed, 0)  # 1 = words per minute
            text = words.encode()
            # position type 1 = character, flags 1 = the text is UTF-8
            done = library.espeak_Synth(
                text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, 1, None, None
            )
            library.espeak_Synchronize()
            if done != 0 or not heard:
                raise SpeechFailed(f"espeak-ng не произнёс текст (код {done}).")
            return Samples(heard, Espeak._rate)

    @classmethod
    def _loaded(cls) -> ctypes.CDLL:
        if cls._library is None:
            try:
                import espeakng_loader

                library = ctypes.CDLL(espeakng_loader.get_library_path())
                # 2 = synchronous: sound comes through the callback before Synth returns; 0x8000: no
                # exit() on error
                rate = library.espeak_Initialize(
                    2, 0, str(espeakng_loader.get_data_path()).encode(), 0x8000
                )
            except (ImportError, OSError, AttributeError) as error:
                raise SpeechFailed(f"Голос espeak-ng не установлен: {error}.") from error
            if rate <= 0:
                raise SpeechFailed("espeak-ng не нашёл своих голосов.")
            cls._library, cls._rate = library, rate
        return cls._library


class CommandLine:
    """Any program that writes a WAV to its output: settings.SPEECH_COMMAND, where {text} is the
    words.

    Without {text} the words go to its input: `piper --model ru.onnx --output_file -`.
    """

    def __init__(self, command: str, timeout: float = 20.0) -> None:
        self._command, self._timeout = command, timeout

    def say(self, words: str) -> Samples:
        parts = [part.replace("{text}", words) for part in shlex.split(self._command)]
        stdin = None if "{text}" in self._command else words.encode()
        try:
            done = subprocess.run(  # noqa: S603
                parts, input=stdin, capture_output=True, timeout=self._timeout, check=True
            )
        except subprocess.CalledProcessError as error:
            raise SpeechFailed(
                f"Программа речи ответила ошибкой: {error.stderr.decode(errors='replace')[:200]}"
            ) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeechFailed(f"Программа речи не сработала: {error}") from error
        return read_wav(done.stdout)


class OverHttp:
    """A speech service: POST {"text": …} as JSON to settings.SPEECH_URL, a WAV in the answer."""

    def __init__(self, url: str, token: str = "", timeout: float = 15.0) -> None:
        self._url, self._timeout = url, timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def say(self, words: str) -> Samples:
        try:
            answer = httpx.post(
                self._url, json={"text": words}, headers=self._headers, timeout=self._timeout
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise SpeechFailed(f"Служба речи не ответила: {error}") from error
        return read_wav(answer.content)


class Mute:
    """No voice at all: for a clinic that has switched speech off, and for tests of what happens
    then.
    """

    def say(self, words: str) -> Samples:  # noqa: ARG002 (it says nothing)
        raise SpeechFailed("Голос робота выключен (SPEECH_ENGINE=off).")


ENGINES: Final[dict[str, Callable[[], Engine]]] = {
    "espeak": lambda: Espeak(settings.SPEECH_VOICE, settings.SPEECH_SPEED),
    "command": lambda: CommandLine(settings.SPEECH_COMMAND),
    "http": lambda: OverHttp(settings.SPEECH_URL, settings.SPEECH_TOKEN),
    "off": Mute,
}


def engine() -> Engine:
    """The chosen one; raises SpeechFailed for a name that is not in the table."""
    try:
        return ENGINES[settings.SPEECH_ENGINE]()
    except KeyError:
        known = ", ".join(ENGINES)
        raise SpeechFailed(
            f"SPEECH_ENGINE={settings.SPEECH_ENGINE} неизвестен; есть: {known}."
        ) from None


def read_wav(content: bytes) -> Samples:
    """Mono 16-bit samples of a WAV; raises SpeechFailed for anything else."""
    try:
        with wave.open(io.BytesIO(content)) as wav:
            channels, width, rate = wav.getnchannels(), wav.getsampwidth(), wav.getframerate()
            frames = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError) as error:
        raise SpeechFailed(f"Вместо звука пришло другое: {error}") from error
    if width != 2:
        raise SpeechFailed(f"Нужен звук в 16 бит, пришло {width * 8}.")
    samples = array.array("h", frames[: len(frames) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return Samples(samples[::channels], rate)
