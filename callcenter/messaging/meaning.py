"""What a patient's free words about his visit probably mean: a proposal for a person, never an action. Pure.

Rules instead of a model: they can be read, corrected in a minute, and run anywhere. The order tells which word outweighs
which («приду, но опоздаю» is late, not confirmed; «не смогу, перенесите» is a move, not a cancellation).
"""

import re
from typing import Final

from django.db.models import TextChoices


class Meaning(TextChoices):
    COMING = "coming", "приду"
    LATE = "late", "буду позже"
    CANCEL = "cancel", "отмените"
    MOVE = "move", "перенесите"
    WHO = "who", "кто это?"
    UNCLEAR = "unclear", "прочитайте сами"


_WEEKDAY = r"(?:понедельник|вторник|сред[уы]|четверг|пятниц[уы]|суббот[уы]|воскресень[ея])"
_LATE: Final = re.compile(
    r"опозда|опаздыв|задерж|попозже (?:буду|приду|подойду)|(?:буду|приду|подойду|приеду|подъеду)[\w ,]{0,20}(?:позже|позднее|попозже)"
    r"|на \d+ ?(?:мин|м\b)|минут(?:ок)? на \d+|в пробк|немного позже|чуть позже"
)
_MOVE: Final = re.compile(
    r"перенес|перенос|перезапи|перепиш|на друг(?:ой|ое|ую) (?:день|врем|дат|недел)|друг(?:ое|ой) (?:врем|день)|поменя(?:ть|йте)"
    rf"|(?:можно|давайте|лучше|удобн\w+)[\w ,]{{0,25}}(?:на |в )(?:{_WEEKDAY}|завтра|послезавтра|друг|следующ|\d{{1,2}}[:.]?\d{{0,2}})"
    r"|на следующ\w+ (?:недел|день|месяц)|сдвин|раньше (?:можно|есть|получ)|можно (?:по)?раньше|можно (?:по)?позже|другой раз"
    rf"|^на {_WEEKDAY}|запишите (?:меня )?на"
)
_CANCEL: Final = re.compile(
    r"отмен(?!и(?:ть|л\w*)? нельзя)|аннулир|снимите|не (?:смогу|могу|получ\w+|приду|придем|приедем?|буду|будем|подойду|надо|нужно|"
    r"актуальн\w+)|уже не (?:надо|нужн)|не явлюсь|не пойду|отказ(?:ыва|ал)|передумал|удалите запись|заболел|болею|вычеркн|никак не"
)
_WHO: Final = re.compile(
    r"кто это|это кто|вы кто|кто вы|кто пишет|не туда|ошиблись|ошибк\w* номер|не записыв|какой прием|какой врач|какая клиника|"
    r"что за|не мой номер|я не иванов|откуда (?:у вас )?(?:мой )?номер|не (?:тот|та) номер|номер сменил|это не (?:он|она|я)\b"
)
_COMING: Final = re.compile(
    r"\bприду|\bприедем?\b|\bбуду\b|\bбудем\b|\bда\b|\bага\b|\bок(?:ей|ей)?\b|\bok\b|\bхорошо\b|подтвержд|\bподойду|\bявлюсь|"
    r"все в силе|в силе|\bконечно\b|обязательно|\bплюс\b|^\++$|^1$|\bприезжаем\b|\bидем?\b|\bпринято\b|договорились|👍|\bугу\b|\bсогласн"
)
_THANKS_ONLY: Final = re.compile(r"^(?:спасибо|благодарю|спс|понял[аи]?|ясно|здравствуйте|добрый день|привет|🙏|\W)+$")
_QUESTION: Final = re.compile(
    r"сколько|можно ли|а (?:что|где|как)|где |как (?:доехать|пройти|добраться)|нужно ли|надо ли|что (?:взять|нужно)|есть ли|"
    r"какой адрес|можно (?:есть|с собой|взять)|стоит"
)
# 'не отменяйте', 'не переношу': the word is there and means its contrary.
_NOT_CANCEL: Final = re.compile(r"не (?:отмен|аннулир|снимайте|перенос|перенес|отказыва)\w*")


def meaning_of(text: str) -> Meaning:
    """The proposed meaning of one reply to a reminder; UNCLEAR when a person should simply read it."""
    words = re.sub(r"\s+", " ", text.lower().replace("ё", "е")).strip()
    if not words:
        return Meaning.UNCLEAR
    kept = _NOT_CANCEL.search(words) is not None
    plain = _NOT_CANCEL.sub(" ", words)
    if _WHO.search(plain):
        return Meaning.WHO
    if _MOVE.search(plain):
        return Meaning.MOVE
    if _LATE.search(plain) and not re.search(r"не (?:смогу|приду|буду|опозда)", plain):
        return Meaning.LATE
    if re.search(r"не опозда", plain):
        return Meaning.COMING
    coming, cancel = _COMING.search(plain), _CANCEL.search(plain)
    if cancel and coming and re.search(r"\bили\b|\bесли\b|не знаю|может|наверн", plain):
        return Meaning.UNCLEAR
    if cancel:
        return Meaning.CANCEL
    if kept and not coming:
        return Meaning.COMING
    if re.search(r"не знаю|не уверен|наверно|может быть|возможно|постараюсь|если получится|перезвон", plain):
        return Meaning.UNCLEAR
    if _QUESTION.search(plain) and not re.search(r"\bприду|\bбуду\b|подтвержд", plain):
        return Meaning.UNCLEAR
    if coming:
        return Meaning.COMING
    if re.fullmatch(r"[\W]*(?:нет|не|минус|-|2|3)[\W]*", plain):
        return Meaning.CANCEL if re.search(r"нет|минус|-|3", plain) else Meaning.UNCLEAR
    if _THANKS_ONLY.match(plain):
        return Meaning.UNCLEAR
    return Meaning.UNCLEAR
