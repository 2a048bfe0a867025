"""Versions for the head, the texts behind documents' names, settings and forbidden wordings."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from b2c_procedures.actions import versions as actions
from b2c_procedures.definition import FOLDER, BadDefinition
from b2c_procedures.forms import PhraseForm, ProcedureSettingsForm, UploadForm
from b2c_procedures.models import (
    DocumentText,
    ForbiddenPhrase,
    ProcedureSettings,
    ProcedureVersion,
    ReviewDecision,
)
from b2c_procedures.texts import CHAT_RULES, packaged_texts
from b2c_procedures.version_lookup import current_book
from callcenter.audit import actions as audit
from callcenter.lib.errors import Conflict, Refused
from callcenter.staff.access import StaffRequest, allow
from callcenter.staff.roles import CAN_LEAD_PROCEDURES, CAN_PUBLISH_PROCEDURES

_LARGEST = 500_000  # bytes of a definition


@allow(*CAN_LEAD_PROCEDURES)
def versions(request: StaffRequest) -> HttpResponse:
    """Every version; the head uploads a new one: linter's findings with file and line, or the list
    of differences.
    """
    now = timezone.now()
    context = {
        "versions": list(ProcedureVersion.objects.select_related("published_by")),
        "current": sorted(current_book(now).values(), key=lambda procedure: procedure.number),
        "decisions": list(ReviewDecision.objects.select_related("by")[:10]),
        "upload": UploadForm(),
        "may_publish": request.user.has(*CAN_PUBLISH_PROCEDURES),
    }
    if request.method != "POST":
        return render(request, "b2c_procedures/versions.html", context)
    if not request.user.has(*CAN_PUBLISH_PROCEDURES):
        raise Refused("Новую редакцию публикует руководитель.")
    text, name = request.POST.get("text", ""), request.POST.get("name", "")[:120]
    if not text:
        form = UploadForm(request.POST, request.FILES)
        context["upload"] = form
        if not form.is_valid():
            return render(request, "b2c_procedures/versions.html", context, status=422)
        file = form.cleaned_data["file"]
        name = file.name[:120]
        try:
            text = file.read(_LARGEST).decode("utf-8")
        except UnicodeDecodeError:
            form.add_error("file", "Файл не в кодировке UTF-8.")
            return render(request, "b2c_procedures/versions.html", context, status=422)
    try:
        if request.POST.get("publish"):
            row = actions.publish_version(text, file_name=name, by=request.user, now=now)
            messages.success(
                request, f"Опубликовано: {row}. Начатые процедуры идут по прежней редакции."
            )
            return redirect("b2c_procedures:versions")
        context |= {"draft": actions.draft_version(text, file_name=name, now=now), "name": name}
    except BadDefinition as error:
        context |= {"problems": error.problems, "name": name}
        return render(request, "b2c_procedures/versions.html", context, status=422)
    except (Refused, Conflict) as error:
        context |= {"refusal": str(error), "name": name}
        return render(request, "b2c_procedures/versions.html", context, status=error.status)
    return render(request, "b2c_procedures/versions.html", context)


@require_POST
@allow(*CAN_PUBLISH_PROCEDURES)
def confirm(request: StaffRequest) -> HttpResponse:
    """«Подтвердить актуальность»."""
    actions.confirm_versions(note=request.POST.get("note", ""), by=request.user, now=timezone.now())
    messages.success(request, "Актуальность подтверждена. Напомним через 12 месяцев.")
    return redirect("b2c_procedures:versions")


@allow(*CAN_LEAD_PROCEDURES)
def version_file(request: StaffRequest, number: int) -> HttpResponse:  # noqa: ARG001
    """The file of the present version, to be edited and uploaded as the next one."""
    procedure = current_book(timezone.now()).get(number)
    if procedure is None:
        raise Http404
    # A version that came with the product may have no row of its own yet.
    row = ProcedureVersion.objects.filter(digest=procedure.digest).first()
    text = row.text if row is not None else (FOLDER / procedure.file).read_text(encoding="utf-8")
    answer = HttpResponse(text, content_type="text/yaml; charset=utf-8")
    answer["Content-Disposition"] = (
        f'attachment; filename="{procedure.number:02}_{procedure.slug}.yaml"'
    )
    return answer


@allow(*CAN_LEAD_PROCEDURES)
def texts(request: StaffRequest) -> HttpResponse:
    """The words behind documents' names, edited one by one."""
    status, problem = 200, ""
    if request.method == "POST":
        name = request.POST.get("name", "")[:150]
        try:
            actions.save_text(
                name, text=request.POST.get("text", ""), by=request.user, now=timezone.now()
            )
            messages.success(request, f"Сохранено: {name}.")
            return redirect("b2c_procedures:texts")
        except Refused as error:
            status, problem = 422, str(error)
    used: dict[str, list[str]] = {}
    for procedure in current_book(timezone.now()).values():
        for function in procedure.functions:
            for document in function.documents:
                used.setdefault(document, []).append(function.id)
    used[CHAT_RULES] = ["чаты"]
    edited = {row.name: row for row in DocumentText.objects.select_related("changed_by")}
    words = packaged_texts()
    rows = [
        (
            name,
            edited[name].text if name in edited else words.get(name, ""),
            edited.get(name),
            used.get(name, []),
        )
        for name in sorted({*used, *edited, *words})
    ]
    return render(
        request, "b2c_procedures/texts.html", {"rows": rows, "problem": problem}, status=status
    )


@allow(*CAN_LEAD_PROCEDURES)
def settings(request: StaffRequest) -> HttpResponse:
    """What clinics may want different, each with its default and its source sentence; and the
    forbidden wordings.
    """
    now = timezone.now()
    form = ProcedureSettingsForm(request.POST or None, instance=ProcedureSettings.present())
    status = 200
    if request.method == "POST":
        if form.is_valid():
            saved = form.save()
            audit.record(
                "b2c_procedures.save_settings",
                saved,
                by=request.user,
                now=now,
                after={"changed": form.changed_data},
            )
            messages.success(request, "Сохранено.")
            return redirect("b2c_procedures:settings")
        status = 422
    context = {
        "form": form,
        "phrases": list(ForbiddenPhrase.objects.all()),
        "phrase_form": PhraseForm(),
    }
    return render(request, "b2c_procedures/settings.html", context, status=status)


@allow(*CAN_LEAD_PROCEDURES)
def phrase(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """A forbidden wording, new or changed."""
    found = get_object_or_404(ForbiddenPhrase, pk=pk) if pk else None
    form = PhraseForm(request.POST or None, instance=found)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            saved = form.save()
            audit.record("b2c_procedures.save_phrase", saved, by=request.user, now=timezone.now())
            return redirect("b2c_procedures:settings")
        status = 422
    context = {
        "form": form,
        "title": "Запрещённая формулировка",
        "back": reverse("b2c_procedures:settings"),
    }
    return render(request, "b2c_procedures/form.html", context, status=status)
