"""Steps of procedure 14, «Справка для налоговой»."""

from b2c_procedures.inn import BadInn, check_inn
from b2c_procedures.models import TaxCertificate
from b2c_procedures.schedule import norm
from b2c_procedures.states import ROLE_OF, CertificateState, CertificateWay, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, give_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused

_LINK = "/b2c_procedures/cases/certificates/"
_DAY = norm("1 working day")


def _certificate(step: StepContext) -> TaxCertificate:
    found = TaxCertificate.objects.filter(pk=step.run.facts.get("certificate")).first()
    if found is None:
        raise Refused("Сначала запишите налогоплательщика и ИНН (шаг 14.3).")
    return found


def certificate_data(step: StepContext) -> list[CreatedObject]:
    """14.3: «Уточнение ФИО налогоплательщика, ИНН»; the ИНН's checksum is verified while the client
    is on the line.
    """
    taxpayer = step.need("taxpayer", "Запишите ФИО налогоплательщика.")
    try:
        inn = check_inn(step.need("inn", "Запишите ИНН."))
    except BadInn as error:
        raise Refused(str(error), field="inn") from None
    found = step.made_before(TaxCertificate) or TaxCertificate(**step.common())
    found.taxpayer, found.inn, found.years = taxpayer, inn, step.data.get("years", "")
    found.ready_by = _DAY.deadline(step.now)
    found.save()
    step.run.facts["certificate"] = found.pk
    return [CreatedObject(found, str(found), _LINK)]


def certificate_mail(step: StepContext) -> list[CreatedObject]:
    """14.4: by e-mail within one working day; the draft of the task is made, 14.5 gives it."""
    found = _certificate(step)
    email = step.data.get("email") or (step.run.patient.email if step.run.patient else "")
    if not email:
        raise Refused("Укажите адрес эл. почты.", field="email")
    found.way, found.email = CertificateWay.EMAIL, email
    found.save()
    return [CreatedObject(found, f"{found}: на {email}", _LINK)]


def certificate_task(step: StepContext) -> list[CreatedObject]:
    """14.5: after a look at the client's earlier requests, the task to prepare and send the
    certificate.
    """
    found = _certificate(step)
    made = give_task(
        step,
        title=f"Отправить справку для налоговой: {found.taxpayer}",
        body=f"ИНН {found.inn}. Годы: {found.years or 'не названы'}. На {found.email or 'эл. почту клиента'}.",
        department=Department.OKS,
        role=ROLE_OF[Performer.MANAGER_OKS],
        deadline="1 working day",
    )
    found.state = CertificateState.IN_WORK
    found.save(update_fields=["state"])
    return [made, CreatedObject(found, f"{found}: задача поставлена", _LINK)]


def certificate_paper(step: StepContext) -> list[CreatedObject]:
    """14.7: made on paper by the branch's administrator within one working day."""
    found = _certificate(step)
    found.way, found.branch = CertificateWay.PAPER, step.data.get("branch")
    found.state = CertificateState.DONE
    found.save()
    return [CreatedObject(found, f"{found}: готова в МО", _LINK)]
