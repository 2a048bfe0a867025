"""The journal's sections as tabs at the head of its pages."""

from django import template

from callcenter.staff.models import User
from callcenter.staff.roles import READERS, Role

register = template.Library()


@register.inclusion_tag("journals/nav.html", takes_context=True)
def recall_nav(context: template.RequestContext, here: str) -> dict[str, object]:
    """The sections that the user's roles may open; `here` is the present one."""
    user: User = context["request"].user
    sections = [("journal", "notebook", "Журнал", True), ("plan", "users", "План", user.has(Role.SENIOR))]
    sections += [("results", "chart-bar", "Результаты", user.has(*READERS))]
    sections += [("policy", "settings", "Правило", user.has(Role.SENIOR))]
    shown = [(f"journals:{name}", icon, label, name == here) for name, icon, label, may in sections if may]
    return {"sections": shown if len(shown) > 1 else []}
