"""`field__among`: a foreign key that is one of many, as one array parameter."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ForeignKey, Lookup
from django.db.models.sql.compiler import SQLCompiler


@ForeignKey.register_lookup
class Among(Lookup[Any]):
    """Plain keys, no objects and no subquery.

    `__in` of a foreign key prepares and binds every key by itself: with fifty clinics in five
    queries that costs more than the database takes to answer them.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        field, params = self.process_lhs(compiler, connection)
        return f"{field} = ANY(%s)", (*params, list(self.rhs))
