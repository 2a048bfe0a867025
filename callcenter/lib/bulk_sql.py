"""Many rows at once: what Django builds for thousands of them costs more than PostgreSQL's own
work.
"""

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


def copy_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Writes rows of the named fields by COPY, in their order; every column without a default of
    the database must be among them.

    JSON goes in as psycopg's Jsonb. No signals, no defaults of the model, no conflicts ignored.
    """
    fields = [getattr(model._meta.get_field(name), "column") for name in names]  # noqa: B009
    columns = [sql.Identifier(str(column)) for column in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(columns)
    )
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Writes the named fields of saved rows of one model in one UPDATE from arrays; `bulk_update`
    would build a CASE for every field of every row. The caller holds the rows' locks: in which
    order they are written is not said. No signals, no JSON.
    """
    if not rows:
        return
    meta = rows[0]._meta
    by_name = {field.name: field for field in meta.concrete_fields}
    fields = [by_name[name] for name in ("id", *names)]
    arrays = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
        for field in fields
    ]
    # The type without its length: a cast to `varchar(11)` would shorten silently what the column
    # itself refuses.
    types = [str(field.db_type(connection)).partition("(")[0] for field in fields]
    columns = [f'"{field.column}"' for field in fields]
    news = ", ".join(f"{column} = new.{column}" for column in columns[1:])
    table = f"unnest({', '.join(f'%s::{kind}[]' for kind in types)}) AS new ({', '.join(columns)})"
    with connection.cursor() as cursor:
        # Every name in the statement is a model's own.
        statement = f'UPDATE "{meta.db_table}" AS old SET {news} FROM {table} WHERE old.id = new.id'  # noqa: S608
        cursor.execute(statement, arrays)
