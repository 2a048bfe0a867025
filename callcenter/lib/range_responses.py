"""Parts of files (RFC 9110, Range): without them no browser can jump inside a recording. Django's
FileResponse knows none.
"""

import re
from collections.abc import Iterator
from typing import IO, Any, Final

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)

_CHUNK: Final = 64 * 1024
_ONE_RANGE: Final = re.compile(r"^bytes=(\d*)-(\d*)$")


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the one range asked for, None when it can't be satisfied. Raises
    ValueError for another form.

    'bytes=0-99', 'bytes=100-' (to the end), 'bytes=-500' (the last ones).
    """
    match = _ONE_RANGE.match(header.strip())
    if match is None or match.groups() == ("", ""):
        raise ValueError(header)
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size - 1) if length else None
    begin, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < begin:
        raise ValueError(header)
    return (begin, end) if begin < size else None


def serve_file(request: HttpRequest, file: IO[Any], *, size: int, mime: str) -> HttpResponseBase:
    """The file, or the part asked for: 200, 206, or 416 when the part lies beyond the end."""
    header = request.headers.get("Range", "")
    try:
        part = part_of(header, size) if header else (0, size - 1)
    except ValueError:
        header, part = "", (0, size - 1)  # an unknown form is ignored, as the standard says
    answer: HttpResponseBase
    if part is None:
        file.close()
        answer = HttpResponse(status=416)
        answer["Content-Range"] = f"bytes */{size}"
        return answer
    if not header:
        answer = FileResponse(file, content_type=mime)
        answer["Content-Length"] = str(size)
    else:
        begin, end = part
        answer = StreamingHttpResponse(
            _bytes(file, begin, end - begin + 1), status=206, content_type=mime
        )
        answer["Content-Range"] = f"bytes {begin}-{end}/{size}"
        answer["Content-Length"] = str(end - begin + 1)
    answer["Accept-Ranges"] = "bytes"
    answer["Cache-Control"] = "private, max-age=600"
    return answer


def _bytes(file: IO[Any], begin: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(begin)
        while length > 0:
            chunk = file.read(min(_CHUNK, length))
            if not chunk:
                return
            length -= len(chunk)
            yield chunk
