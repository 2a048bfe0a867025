"""Steps of procedure 12, «Работа с претензиями»."""

from django.urls import reverse

from b2c_procedures.models import Claim
from b2c_procedures.states import ROLE_OF, ClaimState, Performer
from b2c_procedures.steps.base import CreatedObject, StepContext, give_task
from callcenter.assignments.states import Department


def _claim(step: StepContext) -> Claim:
    """The claim of the run; a run that came here without 12.1 (as no run should) gets one."""
    found = Claim.objects.filter(pk=step.run.facts.get("claim")).first()
    if found is None:
        found = Claim.objects.create(ground=step.data.get("ground", ""), **step.common())
        step.run.facts["claim"] = found.pk
    return found


def _mark(step: StepContext, state: ClaimState, **changes: object) -> list[CreatedObject]:
    claim = _claim(step)
    claim.state = state
    for name, value in changes.items():
        setattr(claim, name, value)
    claim.save()
    link = reverse("b2c_procedures:cases", args=["claims"])
    return [CreatedObject(claim, f"{claim}: {claim.get_state_display()}", link)]


def claim(step: StepContext) -> list[CreatedObject]:
    """12.1: what the client complains of."""
    ground = step.need("ground", "Запишите, на что жалуется клиент.")
    found = _claim(step)
    return _mark(step, ClaimState.OPEN, ground=ground or found.ground)


_READY = {
    "Руководитель ОКС готов к диалогу": ClaimState.WITH_HEAD,
    "Руководитель ОКС свяжется позднее": ClaimState.HEAD_LATER,
}


def head_readiness(step: StepContext) -> list[CreatedObject]:
    """12.2: the head is ready, will call later, or is not ready."""
    return _mark(step, _READY.get(step.event, ClaimState.OPEN), head_answer=step.event[:120])


def claim_task(step: StepContext) -> list[CreatedObject]:
    """12.3: «Информация отражена в Задачник ОКС (задача выставлена)»: the head is to call the
    client.
    """
    made = give_task(
        step,
        title="Связаться с клиентом по претензии",
        body=_claim(step).ground,
        department=Department.OKS,
        role=ROLE_OF[Performer.HEAD_OKS],
        deadline="2 hours",
    )
    return [made, *_mark(step, ClaimState.HEAD_LATER)]


def claim_settled(step: StepContext) -> list[CreatedObject]:
    """12.5: what the head's talk came to."""
    settled = step.event == "Клиент получил информацию, отказался от претензий"
    return _mark(
        step,
        ClaimState.SETTLED if settled else ClaimState.WITH_HEAD,
        closed_at=step.now if settled else None,
    )


def claim_ways(step: StepContext) -> list[CreatedObject]:
    """12.6: the ways to send a claim, and the one the client chose."""
    return _mark(step, ClaimState.EXPECTED, way=(step.data.get("way") or "")[:60])
