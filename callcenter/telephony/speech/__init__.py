"""The robot's voice: text → WAV, 8 kHz mono, made once for each text and kept.

`synthesize` is the only door. The engine is chosen by settings.SPEECH_ENGINE; one that is missing
or fails raises SpeechFailed, and the request goes to people at once.
"""

from callcenter.telephony.speech.audio_cache import synthesize
from callcenter.telephony.speech.engines import SpeechFailed

__all__ = ["SpeechFailed", "synthesize"]
