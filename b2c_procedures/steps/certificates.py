"""Steps of procedure 14, «Справка для налоговой»."""

from django.urls import reverse
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.ru import inn as taxpayer_number

from b2c_procedures.models import TaxCertificate
from b2c_procedures.schedule import norm
from b2c_procedures.states import ROLE_OF, CertificateState, CertificateWay, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, give_task
from callcenter.assignments.states import Department
from callcenter.lib.errors import Refused

_DAY = norm("1 working day")


def _certificate(step: StepContext) -> TaxCertificate:
    found = TaxCertificate.objects.filter(pk=step.run.facts.get("certificate")).first()
    if found is None:
        raise Refused("Сначала запишите налогоплательщика и ИНН (шаг 14.3).")
    return found


def _created(certificate: TaxCertificate, title: str) -> CreatedObject:
    return CreatedObject(certificate, title, reverse("b2c_procedures:cases", args=["certificates"]))


def _person_inn(text: str) -> str:
    """Return the twelve digits of a person's ИНН; raises Refused at the field `inn`, saying what is
    wrong.
    """
    number = taxpayer_number.compact("".join(text.split()))
    if number.isascii() and number.isdigit() and len(number) == 10:
        problem = (
            "10 цифр — это ИНН организации. Справку получает человек: спросите его ИНН из 12 цифр."
        )
        raise Refused(problem, field="inn")
    problem = "ИНН физического лица — 12 цифр. Проверьте, что продиктовал клиент."
    try:
        # Twelve zeros have right check digits and are nobody's number.
        if number.isascii() and number.strip("0"):
            return taxpayer_number.validate(number)
    except InvalidChecksum:
        problem = "Контрольные цифры ИНН не сходятся: в одной из цифр ошибка. Переспросите клиента."
    except ValidationError:
        pass
    raise Refused(problem, field="inn")


def certificate_data(step: StepContext) -> list[CreatedObject]:
    """14.3: «Уточнение ФИО налогоплательщика, ИНН»; the ИНН's checksum is verified while the client
    is on the line.
    """
    taxpayer = step.need("taxpayer", "Запишите ФИО налогоплательщика.")
    inn = _person_inn(step.need("inn", "Запишите ИНН."))
    found = step.made_before(TaxCertificate) or TaxCertificate(**step.common())
    found.taxpayer, found.inn, found.years = taxpayer, inn, step.data.get("years", "")
    found.ready_by = _DAY.deadline(step.now)
    found.save()
    step.run.facts["certificate"] = found.pk
    return [_created(found, str(found))]


def certificate_mail(step: StepContext) -> list[CreatedObject]:
    """14.4: by e-mail within one working day; the draft of the task is made, 14.5 gives it."""
    found = _certificate(step)
    email = step.data.get("email") or (step.run.patient.email if step.run.patient else "")
    if not email:
        raise Refused("Укажите адрес эл. почты.", field="email")
    found.way, found.email = CertificateWay.EMAIL, email
    found.save()
    return [_created(found, f"{found}: на {email}")]


def certificate_task(step: StepContext) -> list[CreatedObject]:
    """14.5: after a look at the client's earlier requests, the task to prepare and send the
    certificate.
    """
    found = _certificate(step)
    made = give_task(
        step,
        title=f"Отправить справку для налоговой: {found.taxpayer}",
        body=(
            f"ИНН {found.inn}. Годы: {found.years or 'не названы'}."
            f" На {found.email or 'эл. почту клиента'}."
        ),
        department=Department.OKS,
        role=ROLE_OF[Performer.MANAGER_OKS],
        deadline="1 working day",
    )
    found.state = CertificateState.IN_WORK
    found.save(update_fields=["state"])
    return [made, _created(found, f"{found}: задача поставлена")]


def certificate_paper(step: StepContext) -> list[CreatedObject]:
    """14.7: made on paper by the branch's administrator within one working day."""
    found = _certificate(step)
    found.way, found.branch = CertificateWay.PAPER, step.data.get("branch")
    found.state = CertificateState.DONE
    found.save()
    return [_created(found, f"{found}: готова в МО")]
