"""Upload, choice of columns, preview, confirmation, progress, rejected rows: one page an import, a
view a verb.
"""

from collections.abc import Mapping
from typing import Final

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from callcenter.audit import actions as audit
from callcenter.clinics.models import Clinic
from callcenter.imports import actions, workbooks
from callcenter.imports.file_reader import LARGEST
from callcenter.imports.jobs import ImportKind
from callcenter.imports.kinds import kinds_for
from callcenter.imports.models import ImportRun
from callcenter.imports.phone_masking import PhoneMasking, masking_for
from callcenter.imports.states import OPEN, WORK, FindingKind, ImportState
from callcenter.imports.tables import ImportsTable
from callcenter.lib.errors import Refused
from callcenter.lib.templatetags.formatting import word
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.list_pages import list_page
from callcenter.staff.models import User
from callcenter.staff.roles import CAN_IMPORT_FILES

# The roles that may load anything at all; what exactly, each kind says itself.
# Up to so many rows the page itself does the work; more wait for a worker and show a progress bar.
AT_ONCE: Final = 500
PAGE: Final = 50
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# (counter, before the loading in its three plural forms where they differ, after it, icon)
COUNTERS: Final = (
    ("created", "новая,новых,новых", "добавлено", "plus"),
    ("changed", "изменится,изменятся,изменятся", "изменено", "pencil"),
    ("moved", "перенос,переноса,переносов", "перенесено", "arrows-move"),
    ("cancelled", "отмена,отмены,отмен", "отменено", "calendar-x"),
    ("closed", "окно снимется,окна снимутся,окон снимутся", "снято окон", "calendar-minus"),
    ("unchanged", "без изменений", "без изменений", "equal"),
    ("rejected", "не загрузится,не загрузятся,не загрузятся", "не загружено", "alert-triangle"),
    ("missing", "нет в файле", "нет в файле, оставлено", "calendar-question"),
)
TABS: Final = (FindingKind.REJECTED, FindingKind.MISSING, FindingKind.MOVED, FindingKind.CLOSED)


@allow(*CAN_IMPORT_FILES)
def imports(request: StaffRequest) -> HttpResponse:
    """The upload form above the last imports of the user's clinics. POST takes a file in."""
    kinds = kinds_for(request.user)
    clinics = list(Clinic.objects.visible_to(request.user))
    error: Refused | None = None
    if request.method == "POST":
        try:
            return redirect("imports:run", pk=_upload(request, kinds, clinics).pk)
        except Refused as refused:
            error = refused
    runs = _visible(request.user).select_related("created_by", "clinic")
    context = {
        "kinds": kinds.values(),
        "clinics": clinics,
        "chosen": request.POST.get("kind") or request.GET.get("kind"),
        "chosen_clinic": request.POST.get("clinic"),
        "error": error,
        "largest": LARGEST // 1024 // 1024,
    }
    answer = list_page(request, "imports/list.html", ImportsTable, runs, context)
    answer.status_code = error.status if error else answer.status_code
    return answer


def _upload(
    request: StaffRequest, kinds: Mapping[str, ImportKind], clinics: list[Clinic]
) -> ImportRun:
    kind = kinds.get(request.POST.get("kind", ""))
    clinic = next((one for one in clinics if str(one.pk) == request.POST.get("clinic")), None)
    file = request.FILES.get("file")
    if kind is None:
        raise Refused("Выберите, что загружать.", field="kind")
    if clinic is None:
        raise Refused("Выберите клинику.", field="clinic")
    if file is None:
        raise Refused("Выберите файл.", field="file")
    if (file.size or 0) > LARGEST:
        raise Refused(
            f"Файл больше {LARGEST // 1024 // 1024} МБ. Разделите его на части.", field="file"
        )
    return actions.start_import(
        kind=kind,
        clinic=clinic,
        file_name=file.name or "",
        content=file.read(),
        by=request.user,
        now=timezone.now(),
    )


def _visible(user: User) -> QuerySet[ImportRun]:
    return ImportRun.objects.visible_to(user).filter(kind__in=list(kinds_for(user)))


def visible_run(user: User, pk: int) -> ImportRun:
    """An import of the user's clinics and of a kind that his roles may load; else 404."""
    return get_object_or_404(
        _visible(user).select_related("clinic", "created_by", "confirmed_by"), pk=pk
    )


@allow(*CAN_IMPORT_FILES)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    """The import as it stands: columns, progress, preview or result. htmx gets the part that
    changes by itself.
    """
    part = "#state" if request.headers.get("HX-Request") else ""
    return render(
        request, f"imports/run.html{part}", _context(request, visible_run(request.user, pk))
    )


def _context(
    request: StaffRequest, one: ImportRun, error: Refused | None = None
) -> dict[str, object]:
    kind = kinds_for(request.user)[one.kind]
    counted = dict(one.findings.values_list("kind").annotate(Count("pk")))
    tabs = [(finding, counted[finding]) for finding in TABS if counted.get(finding)]
    shown = request.GET.get("show") or (tabs[0][0] if tabs else "")
    page = Paginator(one.findings.filter(kind=shown).order_by("line", "pk"), PAGE).get_page(
        request.GET.get("page")
    )
    notices = one.findings.filter(kind=FindingKind.NOTICE).order_by("line", "pk")[:30]
    seen_through = masking_for(one, request.user)
    for finding in (*page, *notices):
        finding.problems = seen_through.problems(finding.problems)
    done = one.state == ImportState.DONE
    return {
        "run": one,
        "kind": kind,
        "working": one.state in WORK,
        "open": one.state in OPEN,
        "counters": [
            (name, one.counts[name], after if done else _form(before, one.counts[name]), icon)
            for name, before, after, icon in COUNTERS
            if one.counts.get(name)
        ],
        "news": sum(
            one.counts.get(name, 0)
            for name in ("created", "changed", "moved", "cancelled", "closed")
        ),
        "notices": notices,
        "tabs": tabs,
        "shown": shown,
        "page": page,
        "columns": _column_choices(one, request.POST, seen_through),
        "error": error,
    }


def _form(words: str, number: int) -> str:
    return word(number, words) if "," in words else words


def _column_choices(
    one: ImportRun, posted: Mapping[str, str], seen_through: PhoneMasking
) -> list[tuple[int, str, list[str], str]]:
    """(index, heading, samples, chosen field) of each column that holds anything."""
    choices = []
    for index, heading in enumerate(one.headings):
        samples = [
            seen_through.cell(index, row[index])
            for row in one.samples
            if index < len(row) and row[index]
        ]
        if heading or samples:
            chosen = posted.get(f"column-{index}", one.columns.get(str(index), ""))
            choices.append((index, heading or f"Столбец {index + 1}", samples, chosen))
    return choices


@allow(*CAN_IMPORT_FILES)
@require_POST
def columns(request: StaffRequest, pk: int) -> HttpResponse:
    """«Проверить»: the columns as the person corrected them."""
    one = visible_run(request.user, pk)
    chosen = {index: request.POST.get(f"column-{index}", "") for index in range(len(one.headings))}
    try:
        actions.choose_columns(one, columns=chosen, by=request.user, now=timezone.now())
    except Refused as refused:
        return render(
            request, "imports/run.html", _context(request, one, refused), status=refused.status
        )
    return _go_on(one)


@allow(*CAN_IMPORT_FILES)
@require_POST
def confirm(request: StaffRequest, pk: int) -> HttpResponse:
    """«Загрузить». The second of two clicks gets 409 with where the import stands."""
    one = visible_run(request.user, pk)
    wanted = request.POST.get("cancel_missing") == "on"
    actions.confirm_import(one, cancel_missing=wanted, by=request.user, now=timezone.now())
    return _go_on(one)


def _go_on(one: ImportRun) -> HttpResponse:
    if one.rows <= AT_ONCE:
        actions.work_on_due(clock=timezone.now, pk=one.pk)
    return redirect("imports:run", pk=one.pk)


@allow(*CAN_IMPORT_FILES)
@require_POST
def drop(request: StaffRequest, pk: int) -> HttpResponse:
    """«Не загружать»: the file and what was found in it are deleted."""
    actions.drop_import(visible_run(request.user, pk), by=request.user, now=timezone.now())
    return redirect("imports:list")


@allow(*CAN_IMPORT_FILES)
def rejected(request: StaffRequest, pk: int) -> HttpResponse:
    """The rejected rows as they were, with their line and the reason: to correct and load again."""
    one = visible_run(request.user, pk)
    findings = one.findings.filter(kind=FindingKind.REJECTED).order_by("line", "pk")
    content = workbooks.rejected(one.headings, findings, masking_for(one, request.user))
    audit.record(
        "clinics.export_rejected", one, by=request.user, now=timezone.now(), clinic_id=one.clinic_id
    )
    return _download(
        content, f"не загружено — {one.file_name.rpartition('.')[0] or one.file_name}.xlsx"
    )


@allow(*CAN_IMPORT_FILES)
def example(request: StaffRequest, kind: str) -> HttpResponse:
    """An empty table with every column that this kind of import knows."""
    found = kinds_for(request.user).get(kind)
    if found is None:
        raise Http404
    return _download(workbooks.example(found), f"{found.label} — образец.xlsx")


def _download(content: bytes, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": disposition or "attachment"}
    )
