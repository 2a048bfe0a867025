"""The test database as the migrations left it, and the way back to it after a test that commits.

Django's own way empties every table: what migrations wrote, the dictionaries among it, would be
gone for every later test, so that the outcome of the suite would depend on its order. This one
touches only what differs, and is quicker.
"""

from typing import Any

from django.db import connection, transaction

# Of a table that the migrations filled, how many rows and their common hash; of another, whether
# there is a row.
_LOOK = """SELECT '{0}', count(*), sum(hashtextextended("{0}"::text, 0)) FROM "{0}\""""
_GLANCE = """SELECT '{0}', count(*), NULL::numeric FROM (SELECT FROM "{0}" LIMIT 1) AS row"""


class Pristine:
    def __init__(self) -> None:
        self._tables = sorted(
            connection.introspection.django_table_names(only_existing=True, include_views=False)
        )
        with connection.cursor() as cursor:
            cursor.execute(_together(_LOOK.format(table) for table in self._tables))
            filled = {table for table, count, _ in cursor.fetchall() if count}
            self._rows = {table: _copied(cursor, table) for table in sorted(filled)}
            self._look = _together(
                (_LOOK if table in filled else _GLANCE).format(table) for table in self._tables
            )
            cursor.execute(self._look)
            self._before = set(cursor.fetchall())
            cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
            self._may_skip_checks = cursor.fetchone() == (True,)

    def restore(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self._look)
            changed = {table for table, *_ in set(cursor.fetchall()) - self._before}
            if not changed:
                return
            if self._may_skip_checks:
                # To check each row's foreign keys against all tables would take seconds.
                cursor.execute("SET LOCAL session_replication_role = replica")
                for table in sorted(changed):
                    cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608 (a table of ours)
            else:
                changed = set(self._tables)
                cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in self._tables))
            for table in sorted(changed & self._rows.keys()):
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(self._rows[table])


def _together(looks: Any) -> str:
    return " UNION ALL ".join(looks)


def _copied(cursor: Any, table: str) -> bytes:
    with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)
