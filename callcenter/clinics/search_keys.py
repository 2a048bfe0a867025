"""Names as keys: ё = е, case and hyphens do not matter. The database keeps the keys; `normalise`
says the same in Python.
"""

import re

from django.db import models
from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Lower, Replace, Trim


def normalise(text: str) -> str:
    """Lower case, ё → е, anything but letters and digits → one space."""
    return re.sub(r"[\W_]+", " ", text.lower().replace("ё", "е")).strip()


def folded(expression: models.Expression | F) -> models.Expression:
    """Build the SQL of `normalise`; the ends keep their spaces."""
    return Func(
        Replace(Lower(expression), Value("ё"), Value("е")),
        Value("[^[:alnum:]]+"),
        Value(" "),
        Value("g"),
        function="regexp_replace",
        output_field=CharField(),
    )


def name_key(*fields: str) -> "models.GeneratedField":
    """A stored column: `normalise` of the fields' words, in this order."""
    joined: models.Expression | F = F(fields[0])
    for name in fields[1:]:
        joined = Func(
            joined,
            Value(" "),
            F(name),
            template="(%(expressions)s)",
            arg_joiner=" || ",
            output_field=CharField(),
        )
    return models.GeneratedField(
        expression=Trim(folded(joined)), output_field=CharField(max_length=250), db_persist=True
    )


def search_key(text: str) -> list[str]:
    """The words of a text, each folded."""
    return normalise(text).split()
