"""The parts of ARCHITECTURE.md that are made from the code: `make docs` writes them, a test holds
them to it.

A part stands between `<!-- generated: name -->` and `<!-- end -->`. One line in SECTIONS adds
another.
"""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


def timers() -> str:
    from callcenter.celery import app
    from callcenter.timers import TIMERS

    app.loader.import_default_modules()
    rows = []
    for timer in TIMERS:
        says = (app.tasks[timer.task].run.__doc__ or "").strip().split("\n")[0]
        rows.append((timer.name, f"{timer.every:g} s", f"`{timer.task}`", timer.queue, says))
    return _table(("Timer", "Every", "Task", "Queue", "In the task's own words"), rows)


def visits() -> str:
    from callcenter.clinics.states import TRANSITIONS

    return _diagram((old, new, "") for old, news in TRANSITIONS.items() for new in news)


def recall() -> str:
    from journals.outcome_rules import OUTCOME_RULES, CallOutcome, ends_calls

    last = ends_calls(OUTCOME_RULES[CallOutcome.UNREACHED])
    rows = [
        (
            str(outcome),
            str(rule.stage),
            rule.counts_as,
            str(rule.next_date),
            ", ".join(sorted(rule.asks)),
        )
        for outcome, rule in [*OUTCOME_RULES.items(), ("unreached, the last one", last)]
    ]
    return _table(("Outcome", "Stage after", "Counts as", "Next date", "The form asks"), rows)


def callback() -> str:
    from callback.state_machine import mermaid

    return f"```mermaid\n{mermaid().strip()}\n```"


SECTIONS: Final[dict[str, Callable[[], str]]] = {
    "timers": timers,
    "visits": visits,
    "recall": recall,
    "callback": callback,
}


def page() -> str:
    """ARCHITECTURE.md as it should be."""
    text = PAGE.read_text()
    for name, make in SECTIONS.items():
        block = re.compile(rf"(?<=<!-- generated: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        if not block.search(text):
            raise ValueError(f"ARCHITECTURE.md has no place for «{name}»")
        made = make() + "\n"
        text = block.sub(made.replace("\\", r"\\"), text)
    return text


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _diagram(steps: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"    {old} --> {new}" + (f": {word}" if word else "") for old, new, word in steps]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")
    os.environ.setdefault("DEMO", "1")
    import django

    django.setup()
    PAGE.write_text(page())
