"""One workbook of the report in a process of its own, as a worker writes it: prints its rows,
seconds and highest memory.
"""

import datetime as dt
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import django
from django.http import QueryDict


def main(query: str, today: dt.date, now: dt.datetime) -> dict[str, float]:
    django.setup()
    from callcenter.staff.models import User
    from reports.filters import read_filter
    from reports.queries import clinics_of
    from reports.xlsx import write_report

    user = User.objects.get(login="manager")
    clinics = clinics_of(user)
    with tempfile.TemporaryFile() as target:
        started = time.perf_counter()
        rows = write_report(
            target,
            read_filter(QueryDict(query), today),
            user=user,
            clinics=clinics,
            today=today,
            now=now,
        )
        seconds = time.perf_counter() - started
    return {"rows": rows, "seconds": seconds, "mb": _highest_mb()}


def _highest_mb() -> float:
    """The whole process at its highest, Python and Django included (Linux). `getrusage` would also
    count the process that started this one, as large as it was at that moment.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("The kernel does not tell VmHWM.")
    return int(found[1]) / 1024


if __name__ == "__main__":
    print(
        json.dumps(
            main(
                sys.argv[1],
                dt.date.fromisoformat(sys.argv[2]),
                dt.datetime.fromisoformat(sys.argv[3]),
            )
        )
    )
