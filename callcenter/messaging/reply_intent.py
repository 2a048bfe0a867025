"""What a patient's free words about his visit probably mean: a proposal for a person, never an
action. Pure.

Rules instead of a model: they can be read, corrected in a minute, and run anywhere. The order tells
which word outweighs which («приду, но опоздаю» is late, not confirmed; «не смогу, перенесите» is a
move, not a cancellation).
"""

import re
from typing import Final

from django.db.models import TextChoices


class ReplyIntent(TextChoices):
    COMING = "coming", "приду"
    LATE = "late", "буду позже"
    CANCEL = "cancel", "отмените"
    MOVE = "move", "перенесите"
    WHO = "who", "кто это?"
    UNCLEAR = "unclear", "прочитайте сами"


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words))


# He comes: the verbs, and what affirms without one.
_GO: Final = (
    r"(?:при[йи]?д(?:у|ем|ет|ут|е)|при(?:еду|едем|едет|едут|езжаю|езжаем|бу?дем|буду)|под(?:ой|ъе|ье)д(?:у|ем|ет|ут)|заеду|зайду"
    r"|яв(?:люсь|имся|ится)|добер(?:усь|емся)|выезжаю|выезжаем|выехал[аи]?|выхожу|еду|едем|иду|идем)"
)
_WILL: Final = r"(?:буд(?:у|ем|ет|ут)|смо(?:гу|жем|жет|гут)|могу|можем|может|успею|успеем)"
_COMES: Final = _any(rf"\b{_GO}\b")
_AFFIRMS: Final = _any(
    r"\bда\b|\bага\b|\bугу\b|\bок(?:ей|ау|ки|и)?\b|\bok(?:ay)?\b|\bхорошо\b|\bладно\b|\bладненько\b|\bконечно\b|\bобязательно\b",
    r"\bестественно\b|\bразумеется\b|\bнепременно\b|\bп[ао]д?тв[еи]рд?ж|\bв силе\b|\bпринято\b|\bдоговорились\b|\bсоглас[ен]",
    r"\bбуд(?:у|ем|ет|ут)\b|\bявка\b|\bпомн(?:ю|им)\b|не забу\w+|не забыл|\bждите\b|\bдо (?:завтра|встречи)\b|\bувидимся\b|так точно|\bготов[аы]?\b|\bжд(?:у|ем)\b|\bнорм(?:ально)?\b|\bотлично\b|\bсупер\b|\bлады\b|\b(?:все )?(?:верно|правильно)\b",
    r"\bвкурсе\b|\bв курсе\b|(?<!не )\bактуальн|^есть\W*$|\b(?:da|yes|yep)\b|\bточно\b|не (?:переживай|волнуй)",
    r"\bкак штык\b|\bплюс(?:ик)?\b|^\++$|^1$|[👍👌✅🤝🙋💯]",
)
# He does not: said outright, or by what has happened to him.
_BETWEEN: Final = (
    r"(?:(?:завтра|сегодня|я|мы|точно|уже|к вам|на прием|скорее всего|наверное?|видимо) ){0,2}"
)
_DECLINES: Final = _any(
    rf"\bне {_BETWEEN}(?:{_GO}|{_WILL})\b|\bотмен(?!и(?:ть|л\w*)? нельзя)|аннулир|\bсн(?:имите|ять|имаюсь)\b|вычеркн|не (?:пой|пое)[дт]",
    r"(?:удалите|уберите|убрать|удалить) (?:меня|мою|запись|нас|прием|пожалуйста)|\bне ждите|отказ(?:ыва|ал|аться)|откажусь|передумал|пропущу",
    r"запис\w+ (?:в|к) друг|не (?:приход|приезжа|планиру|хотим)|\bотбой\b|не судьба|уже (?:был[аи]?|сходил|прошл)|умер(?:ла)?\b|дорого\b|\bnet\b",
    r"(?:не|никак)(?: \w+)? (?:получ|выход|выйд|вырв|состо)\w*|\bникак\b|нет (?:времени|возможност|смысла|желания)|не хочу",
)
_HINDERED: Final = _any(
    r"заболе(?:л|ва)|боле(?:ю|ем|ет)\b|больниц|госпитал|температур|\bслег\b|слегл|уеха|уезжа|в отъезде|командировк|не в городе",
    r"не (?:надо|нуж[еон]н?\w*|актуальн)|неактуальн|вылечил|выздорове|^не+[ат]\b|^не-а\b|[👎❌🚫]",
)
# Another time.
_MOVES: Final = _any(
    r"пер[еи]н[еио]с|пер[еи]ст?ав|пер[еи]дви|пер[еи]запи|пер[еи]пи[шс]|(?:от|с|по)?двин(?:ем|уть|ьте)|сместит|отлож|отсроч|перекин|на попозже|поменя(?:ть|йте|ем)|(?:с|из)мен(?:ить|ите) (?:врем|ден|дат)",
    r"\bдруг(?:ой|ое|ую|ого|ом|ие|их) (?:день|дня|дни|врем|дат|недел|раз|числ|час)|запишите (?:меня |нас )?на",
    r"(?:врем\w+|день|дата|час\w*)(?: \w+){0,2} не (?:подход|устраива|удоб)|\bнеудобн",
)
_DAY: Final = (
    r"(?:понедельник|вторник|сред[аеуы]\b|четверг|пятниц|суббот|воскресень|\b(?:пн|вт|ср|чт|пт|сб|вс)\b|послезавтра|следующ|выходн"
    r"|через (?:\w+ )?(?:недел|день|дня|дней|месяц|пару)|\bконе?ц\w* (?:недел|месяц)|начал\w* (?:недел|месяц)|\d (?:числа|январ|феврал|март"
    r"|апрел|ма[яй]|июн|июл|август|сентябр|октябр|ноябр|декабр))"
)
_HOUR: Final = r"(?:\bутр|\bвечер|\bдн[её]м\b|обеда|(?:на|в|к|после|до|час(?:ов|иков) в) (?:\d|час|два|три|пять|шесть)|\b(?:по)?(?:раньше|позже|позднее))"
_OTHER_DAY: Final = re.compile(_DAY)
_OTHER_HOUR: Final = re.compile(_HOUR)
_WISHES: Final = _any(
    r"\bможн[оа]\b|\bдавайте\b|\bлучше\b|удобн|\bхо(?:чу|тим|тел)|\bесть\b|свободн|окошк|\bокно\b|\bзапишите|подскаж|предлож|\?|\bтолько\b|\b(?:мне|нам|хорошо|желательно) бы\b|желательно",
    r"^(?:а )?(?:на|в) (?:" + _DAY + ")",
)
_LATE: Final = _any(
    r"(?<!без )оп[ао]зд|задерж(?!ивается)|не успева|застря|\bпробк|с опозданием|\bна (?:\d+|пять|десять|пятнадцать|двадцать|тридцать) ?(?:мин|м\b)|минут(?:ок)? на \d+",
    r"полчас\w* (?:по)?(?:позже|позднее)|после назначенного|(?:немного|чуть|чуток) (?:по)?(?:позже|позднее)|не (?:к|в) \d[\d :.]*,? а (?:к|в) \d",
)
_LATER: Final = re.compile(
    r"\b(?:по)?(?:позже|позднее)\b(?! (?:отве|напи|ска|позвон|перезвон|сообщ|реш))"
)
_WHO: Final = _any(
    r"\bкто (?:это|вы|пишет|звонил)|(?:это|вы) кто|не туда|ошиб(?:лись|очк)|ошибк\w* номер|не записыв|не запис(?:ан|ал)|не запись?ывал",
    r"(?:как(?:ой|ая|ую)|что за)(?: еще| такая| такой)? (?:прием|врач|клиник|запис|организац|сообщени|больниц)|\bспам|мошенн|\bразвод\b",
    r"не мой (?:номер|телефон)|^\W*(?:а )?что это\b|от кого|вы откуда|\bбот\b|о чем (?:речь|вы)|не обращал|не лечусь|не пишите (?:сюда|больше)|я не иванов|откуда (?:у вас )?(?:мой )?(?:номер|телефон)|не (?:тот|та) номер|номер (?:с|по)менял|номер сменил|вас не знаю",
    r"это не (?:он|она|я)\b|не знаю (?:вас|такого|такую|никак)|не (?:ваш|ваша) (?:пациент|клиент)|(?:такой|таких|такого) (?:тут |здесь )?(?:нет|не жив)",
)
_UNSURE: Final = _any(
    r"\bили\b|\bесли\b|не знаю|не уверен|не точно|наверно|\bможет\b|возможно|постара|попробую|под вопросом|пока (?:не|неясно)|перезвон|позвон",
    r"сообщу|отпишусь|уточню|посмотрим|скорее всего|подумаю|скажу (?:точно|позже|завтра|утром)|не обещаю|как получится",
)
_QUESTION: Final = _any(
    r"сколько|можно ли|\bа (?:что|где|как)\b|\bгде\b|\bкак (?:доехать|пройти|добраться|найти)|нужно ли|надо ли|\bчто (?:взять|нужно|брать)",
    r"есть ли|какой (?:адрес|кабинет|этаж)|можно (?:есть|с собой|взять|пить)|сто(?:ит|имость)|\bцена\b|паспорт|полис|анализ|натощак|парков",
)
_NOT_NAMED: Final = re.compile(r"\b(?:[Яя]|[Ээ]то) не [А-ЯЁ][а-яё]+")  # «Я не Анна»
# Having said no, he asks what else there is: «не могу, когда ещё можно?»
_WHAT_ELSE: Final = re.compile(
    r"\bкогда\b|\bкаки[ех]\b|вариант|свободн|\bокошк|\bесть (?:ли|еще|что|врем|мест|запис)|\bможно\b(?! отмен)|\bдругие?\b"
)
# The word is there and means its contrary, or is only politeness, or is about something else than
# the visit.
_KEEPS: Final = _any(r"\bне (?:отмен|аннулир|снимайте|перен[ео]с|отказыва|пропущу)\w*")
_NO_MATTER: Final = _any(
    r"(?:нет|без) (?:проблем|вопросов)|если (?:это )?(?:можно|возможно|не ?(?:сложно|трудно))|\bне (?:надо|нужно) (?:звонить|писать|напоминать)",
    r"(?:звонить|писать|напоминать) не (?:надо|нужно)|ничего не изменилось|не больше|не раньше",
)
_OTHER_WISH: Final = re.compile(
    r"\bне (?:могу|можем|смог(?:ла|ли)?|получается|получилось|удается)(?: \w+)? "
    r"(?!при|под[ъь]?[ое]|быть|яв|попасть|присут|добр|заехать|зайти|ходить)\w+(?:ть|ться|ти|чь)\b"
)


def _plain(text: str) -> str:
    """Small letters, е for ё, no emphasis by repetition («дааа придуу»), one blank between words."""
    words = re.sub(r"([^\W\d_])\1{2,}", r"\1", text.lower().replace("ё", "е"))
    words = re.sub(r"([аеиоуыэюя])\1\b", r"\1", words)
    return re.sub(r"\s+", " ", words).strip()


def reply_intent_of(text: str) -> ReplyIntent:
    """Return the proposed intent of one reply to a reminder; UNCLEAR when it must be read."""
    said = _NO_MATTER.sub(" ", _plain(text))
    words = _KEEPS.sub(" ", said)
    if _WHO.search(words) or _NOT_NAMED.search(text):
        return ReplyIntent.WHO
    other_wish = _OTHER_WISH.search(words) is not None
    words = _OTHER_WISH.sub(" ", words)
    declines = _DECLINES.search(words) is not None
    left = _DECLINES.sub(" ", words)  # «не смогу завтра, смогу в среду»: what he can is in the rest
    comes = _COMES.search(left) is not None
    will = comes or re.search(r"\bбуд(?:у|ем)\b", left) is not None
    asks = _asks_for_another_time(words, left, will=will, declines=declines)
    if _MOVES.search(words) or asks or (declines and not will and _WHAT_ELSE.search(left)):
        return ReplyIntent.MOVE
    if "не опоз" in words or "не опаз" in words:
        return ReplyIntent.COMING
    affirms = comes or _AFFIRMS.search(left) is not None
    if not declines and (_LATE.search(words) or (affirms and _LATER.search(words))):
        return ReplyIntent.LATE
    unsure = _UNSURE.search(words) is not None
    hindered = _HINDERED.search(words) is not None
    if (declines and (comes or (unsure and affirms))) or (hindered and affirms):
        return ReplyIntent.UNCLEAR
    if declines:
        return ReplyIntent.CANCEL
    if unsure or other_wish or (_QUESTION.search(words) and not will):
        return ReplyIntent.UNCLEAR
    if hindered or re.fullmatch(r"\W*(?:минус|-|3)\W*", words):
        return ReplyIntent.CANCEL if "?" not in words else ReplyIntent.UNCLEAR
    return ReplyIntent.COMING if affirms or words != said else ReplyIntent.UNCLEAR


def _asks_for_another_time(words: str, left: str, *, will: bool, declines: bool) -> bool:
    """A day or an hour that is wished for: «в четверг есть окошко?», «могу только вечером» — not
    «не смогу в четверг».
    """
    can = re.search(r"\b(?:смогу|сможем|могу|можем)\b", left) is not None
    wishes = _WISHES.search(left) is not None or (declines and can)
    if _OTHER_DAY.search(words) or re.search(r"можно (?:на )?завтра", words):
        return wishes
    if will or re.search(r"оп[ао]зд|задерж", words):
        return False  # the hour is when he comes: «только опоздаю минут на 10»
    return wishes and _OTHER_HOUR.search(words) is not None and not _QUESTION.search(words)
