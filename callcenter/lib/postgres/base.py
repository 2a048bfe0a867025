"""Django's PostgreSQL, except that instants are read by psycopg's own loader (ADR 0104).

Django's reads each of them in Python and then puts the connection's zone into it, which is a
quarter of the work of a list of a thousand rows. Our connections are in UTC, the session's own
zone, and psycopg gives that by itself.
"""

import datetime as dt
from functools import cache
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format
from psycopg.types.datetime import TimestamptzLoader

_TIMESTAMPTZ: Final = psycopg.adapters.types["timestamptz"].oid
# The one in C where psycopg has it.
_LOADER: Final = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT) or TimestamptzLoader


class InstantLoader(Loader):
    """`timezone` tells Django that it need not put its own zone in."""

    timezone: Final = dt.UTC

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._load = _LOADER(oid, context).load

    def load(self, data: Buffer) -> dt.datetime:
        instant: dt.datetime = self._load(data)
        return instant


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if self.timezone == dt.UTC:
            params["context"] = _with_instants_in_utc(params["context"])
        return params


@cache
def _with_instants_in_utc(adapters: AdaptersMap) -> AdaptersMap:
    ours = AdaptersMap(adapters)
    ours.register_loader(_TIMESTAMPTZ, InstantLoader)
    return ours
