"""Many rows at once by COPY: an import of 100,000 rows would spend most of its time on building INSERTs."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """Keys for `count` new rows: what refers to them can be written before they are read back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_in(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes rows of the named fields, in their order; every column without a default of the database must be among them.

    JSON goes in as psycopg's Jsonb. No signals, no defaults of the model, no conflicts ignored.
    """
    columns = [sql.Identifier(str(getattr(model._meta.get_field(name), "column"))) for name in names]  # noqa: B009 (relations have none)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(columns)
    )
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
