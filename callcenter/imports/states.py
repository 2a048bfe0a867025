"""Through what an import goes. Pure: no ORM."""

from typing import Final

from django.db.models import TextChoices


class ImportState(TextChoices):
    COLUMNS = "columns", "выбор столбцов"
    CHECKING = "checking", "проверяется"
    READY = "ready", "ждёт подтверждения"
    RUNNING = "running", "загружается"
    DONE = "done", "загружен"
    FAILED = "failed", "не загружен"
    DROPPED = "dropped", "отменён"


# A worker must do something about these.
WORK: Final = (ImportState.CHECKING, ImportState.RUNNING)
# Nothing will happen any more: the file itself is gone, the findings stay for a while.
OVER: Final = (ImportState.DONE, ImportState.DROPPED)
# A person may still change the columns, confirm, or leave it.
OPEN: Final = (ImportState.COLUMNS, ImportState.READY, ImportState.FAILED)


class FindingKind(TextChoices):
    REJECTED = "rejected", "не загрузится"
    MISSING = "missing", "нет в файле"
    MOVED = "moved", "перенос"
    CLOSED = "closed", "снятие окна"
    NOTICE = "notice", "обратите внимание"
