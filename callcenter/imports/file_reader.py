"""A file of bytes → lines of cells. Pure: XLSX by calamine, CSV by the csv module, both measured
before they are parsed.

Everything a file can do to us is refused here in words: it is broken, empty, too large, a zip bomb,
a sheet whose one far cell would take all memory, locked by a password, or something else under a
table's name.
"""

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple
from xml.parsers.expat import ExpatError

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from callcenter.imports.cell_parsers import LONGEST, Cell
from callcenter.imports.xlsx_memory_guard import text_size

LARGEST: Final = 30 * 1024 * 1024  # bytes of a file
LARGEST_UNPACKED: Final = 400 * 1024 * 1024  # bytes of everything inside an XLSX
MOST_TEXT: Final = 100_000_000  # characters of all cells of an XLSX together
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 60  # A…BH
MOST_LINES: Final = 1_000_000  # of text in a CSV: empty ones and those within quotes count
MOST_ENTRIES: Final = 2_000  # files inside an XLSX

_NARROW: Final = 4  # columns: below, lines within a cell can't be told from lines of the table
_DAMAGED: Final = "Книга Excel повреждена. Откройте её в Excel и сохраните снова."
_TEXT_NAMES: Final = ("csv", "txt", "tsv")
# A cell's or a row's address beyond column BH or row 200,999: calamine keeps a sheet as one dense
# rectangle, so a single cell in XFD1048576 would take hundreds of gigabytes. Rows up to MOST_ROWS
# are counted exactly afterwards. Long runs of blanks around the equals sign are written by nobody
# who means well; they would hide the address from a search by pieces.
_FAR_CELL: Final = re.compile(
    rb"""\sr(?:\s{50,}|\s*=\s{50,}|\s*=\s*["'](?:[A-Z]{3,}\d*|(?:B[I-Z]|[C-Z][A-Z])\d+|"""
    rb"""[A-Z]{0,2}(?:\d{7,}|[3-9]\d{5}|2(?!00)\d{5}))["'])""",
    re.IGNORECASE,
)
_OVERLAP: Final = 256  # bytes searched twice where two pieces meet
_ERROR_CELL: Final = re.compile(rb"""(<(?:[^<>/\s:]+:)?c\s(?:[^<>]{0,200}\s)?t\s*=\s*)["']e["']""")
_DTD: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# A line end within a cell (\x0b) and a page's end (\x0c) do occur in remarks.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")


class BadFile(ValueError):
    """The file cannot be read; `str(error)` says why and what to do, in Russian."""


class FileLine(NamedTuple):
    number: int  # as the table's own program numbers its lines, from 1
    cells: list[Cell]


@dataclass(frozen=True)
class FileSheet:
    """The lines of a file that have anything in them, and where they stood."""

    name: str  # of the sheet; '' in a CSV
    lines: list[FileLine]


def read(content: bytes, name: str) -> FileSheet:
    """All lines that are not empty. `name` is the file's name: its ending must agree with what is
    inside.

    Raises BadFile, and nothing else, whatever the bytes are.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if not content:
        raise BadFile("Файл пуст. Выгрузите его ещё раз.")
    if len(content) > LARGEST:
        raise BadFile(
            f"Файл больше {LARGEST // 1024 // 1024} МБ. Разделите его на части, например по месяцам."
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise BadFile("Книга Excel защищена паролем. Снимите пароль и сохраните её снова.")
        raise BadFile(
            "Это книга Excel старого вида (.xls). Откройте её и сохраните как «Книга Excel (.xlsx)»."
        )
    if ending not in ("xlsx", *_TEXT_NAMES):
        raise BadFile("Принимаются файлы .xlsx и .csv. Сохраните таблицу в одном из этих видов.")
    is_zip = content.startswith(b"PK")
    if ending == "xlsx":
        if not is_zip:
            raise BadFile(
                "Внутри файла не книга Excel, хотя имя кончается на .xlsx. Выгрузите его ещё раз."
            )
        sheet = _xlsx(content)
    else:
        if is_zip:
            raise BadFile(
                "Внутри файла книга Excel или архив, а имя как у CSV. Назовите файл с окончанием .xlsx."
            )
        sheet = _csv(content)
    if not sheet.lines:
        raise BadFile("В файле нет ни одной заполненной строки.")
    return sheet


def _xlsx(content: bytes) -> FileSheet:
    content = _with_errors_as_words(content, _measure(content))
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            for sheet in book.sheets_metadata:
                if (
                    sheet.typ != SheetTypeEnum.WorkSheet
                    or sheet.visible != SheetVisibleEnum.Visible
                ):
                    continue
                rows = book.get_sheet_by_name(sheet.name).iter_rows()
                if lines := _filled(enumerate(rows, 1)):
                    return FileSheet(sheet.name, lines)
    except BadFile:
        raise
    except (CalamineError, OSError, ValueError) as error:
        raise BadFile(_DAMAGED) from error
    except BaseException as error:
        if (
            type(error).__name__ != "PanicException"
        ):  # the parser's own collapse is a fault of the file, not of ours
            raise
        raise BadFile(_DAMAGED) from error
    return FileSheet("", [])


def _measure(content: bytes) -> bool:
    """Whether some formula failed. Refuses a workbook that is no workbook, or grows beyond measure,
    before anything parses it.

    First what the zip's directory says; then, since a directory may lie, the streams themselves,
    unpacked in small pieces and thrown away.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if "xl/vbaProject.bin" in names:
                raise BadFile(
                    "В книге есть макросы. Сохраните её как «Книга Excel (.xlsx)» без макросов."
                )
            if "xl/workbook.xml" not in names:
                raise BadFile(
                    "Это не книга Excel, хотя имя кончается на .xlsx. Выгрузите файл ещё раз."
                )
            if (
                len(entries) > MOST_ENTRIES
                or sum(entry.file_size for entry in entries) > LARGEST_UNPACKED
            ):
                raise BadFile("Книга Excel после распаковки слишком велика. Разделите её на части.")
            if any(entry.flag_bits & 0x1 for entry in entries):
                raise BadFile("Книга Excel защищена паролем. Снимите пароль и сохраните её снова.")
            left, failed = LARGEST_UNPACKED, False
            for entry in entries:
                size, has_errors = _weigh(content, entry, left)
                left, failed = left - size, failed or has_errors
            if (
                text_size([partial(_pieces, content, entry) for entry in entries], MOST_TEXT)
                > MOST_TEXT
            ):
                raise BadFile(
                    "В книге слишком много текста: длинные ячейки повторяются. Разделите её на части."
                )
            return failed
    except BadFile:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        ValueError,
        NotImplementedError,
        ExpatError,
    ) as error:
        raise BadFile(_DAMAGED) from error


def _weigh(content: bytes, entry: zipfile.ZipInfo, left: int) -> tuple[int, bool]:
    """The true unpacked size of one entry, not trusting its header, and whether it has cells whose
    formula failed; looked through for far cells on the way.
    """
    size, tail, has_errors = 0, b"", False
    for piece in _pieces(content, entry):
        size += len(piece)
        if size > left:
            raise BadFile("Книга Excel после распаковки слишком велика. Разделите её на части.")
        _look_for_traps(
            tail + piece
        )  # in every entry: a workbook may keep its sheets under any name
        has_errors = has_errors or _ERROR_CELL.search(tail + piece) is not None
        tail = piece[-_OVERLAP:]
    return size, has_errors


def _with_errors_as_words(content: bytes, failed: bool) -> bytes:
    """The workbook with its failed formulas as the words that Excel shows: the parser would make
    empty cells of them, and an empty «Не звонить» is not the same as one that could not be worked
    out.
    """
    if not failed:
        return content
    out = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as old,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
        ):
            for entry in old.infolist():
                new.writestr(entry.filename, _ERROR_CELL.sub(rb'\g<1>"str"', old.read(entry)))
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise BadFile(_DAMAGED) from error
    return out.getvalue()


def _pieces(content: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What one entry unpacks to, a megabyte at a time."""
    start = entry.header_offset
    if content[start : start + 4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no local header")
    start += 30 + int.from_bytes(content[start + 26 : start + 28], "little")
    start += int.from_bytes(content[entry.header_offset + 28 : entry.header_offset + 30], "little")
    packed = content[start : start + entry.compress_size]
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("unusual compression")
    return iter([packed]) if entry.compress_type == zipfile.ZIP_STORED else _unpacked(packed)


def _unpacked(packed: bytes) -> Iterator[bytes]:
    stream = zlib.decompressobj(-15)
    rest = packed
    while rest and not stream.eof:
        yield stream.decompress(rest, 1 << 20)
        rest = stream.unconsumed_tail


def _look_for_traps(xml: bytes) -> None:
    if _DTD.search(xml):
        raise BadFile(
            "Внутри книги Excel есть то, чего в таблицах не бывает. Откройте её в Excel и сохраните снова."
        )
    if _FAR_CELL.search(xml):
        raise BadFile(
            f"В таблице больше {MOST_COLUMNS} столбцов или {MOST_ROWS} строк. Удалите лишние столбцы и строки "
            "(в том числе пустые, но оформленные) или разделите файл."
        )


def _filled(rows: Iterable[tuple[int, Sequence[Cell]]]) -> list[FileLine]:
    lines: list[FileLine] = []
    for number, cells in rows:
        row = list(cells)
        while row and (
            row[-1] is None or row[-1] == "" or (isinstance(row[-1], str) and not row[-1].strip())
        ):
            row.pop()
        if not row:
            continue
        if len(row) > MOST_COLUMNS:
            raise BadFile(
                f"В строке {number} больше {MOST_COLUMNS} столбцов. Оставьте только нужные."
            )
        if any(isinstance(cell, str) and len(cell) > LONGEST for cell in row):
            raise BadFile(f"В строке {number} есть ячейка длиннее {LONGEST} знаков. Сократите её.")
        lines.append(FileLine(number, row))
        if len(lines) > MOST_ROWS + 1:
            raise BadFile(f"В файле больше {MOST_ROWS} строк. Разделите его на части.")
    return lines


def _csv(content: bytes) -> FileSheet:
    written = _decoded(content)
    if re.match(r"\s*<(!doctype|html|\?xml|table)", written, re.IGNORECASE):
        raise BadFile(
            "Это веб-страница или XML, а не таблица CSV. Сохраните таблицу как .csv или .xlsx."
        )
    delimiter = _delimiter(written)
    if (first := written.partition("\n")[0].strip()).lower().startswith("sep=") and len(first) == 5:
        delimiter, written = first[4], "\n" + written.partition("\n")[2]
    return FileSheet("", _filled(_records(written, delimiter)))


def _records(written: str, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
    """The records, each numbered by the line on which it begins, since a quoted cell may span
    several.

    Only a record of several lines can have swallowed others by a quote that nobody closed, or that
    a later stray one closes: it must be written exactly as the format wants it, and hold no lines
    that look like the table's own.
    """
    if max(written.count("\n"), written.count("\r")) > MOST_LINES:
        raise BadFile(
            f"В файле больше {MOST_LINES} строк, считая пустые. Удалите пустые или разделите файл."
        )
    taken: list[str] = []  # the lines of the record that is being read
    reader = csv.reader(_remember(_lines(written), taken), delimiter=delimiter)
    width, before = 0, 0
    try:
        for row in reader:
            width = max(width, len(row))
            if '"' in taken[0] and _runs_on(taken, row, width, delimiter):
                raise csv.Error
            yield before + 1, list(row)
            taken.clear()
            before = reader.line_num
    except csv.Error:
        raise BadFile(
            f"В строке {before + 1} открыта и не закрыта кавычка: строки под ней слились бы с этой. "
            "Закройте её, уберите или сохраните таблицу как .xlsx."
        ) from None


def _lines(written: str) -> Iterator[str]:
    """The lines with their ends, one at a time: a file of nothing but line ends must not become a
    list.
    """
    return (found[0] for found in re.finditer(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", written))


def _remember(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _runs_on(taken: Sequence[str], row: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether a quote of this record runs on to the end of the file, or over lines that are not
    meant to be in it.
    """
    try:
        next(csv.reader(taken, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return len(taken) > 1 or "unexpected end" in str(error)
    return any(_swallows(cell, width, delimiter) for cell in row)


def _swallows(cell: str, width: int, delimiter: str) -> bool:
    """Whether each line end within the cell brings as many delimiters as a whole line of the table
    has. Of narrow tables nothing can be said: a comma in a remark of two lines is no column.
    """
    line_ends = len(re.findall(r"\r\n?|\n", cell))
    return width >= _NARROW and line_ends > 0 and cell.count(delimiter) >= line_ends * (width - 1)


def _decoded(content: bytes) -> str:
    """UTF-8 with a mark or without, UTF-16 with a mark («Текст Юникод» of Excel), else
    Windows-1251.
    """
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1251"):
        try:
            written = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(written):
            break
        return written
    raise BadFile(
        "Файл не похож на текст в UTF-8 или Windows-1251. Сохраните таблицу как «CSV UTF-8» или .xlsx."
    )


def _delimiter(written: str) -> str:
    """The sign that cuts the first lines into the same number of cells most often."""
    head = "\n".join(written.split("\n", 40)[:40])
    best, best_score = ";", 0
    for sign in (";", "\t", ","):
        try:
            widths = Counter(
                len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=sign) if row
            )
        except csv.Error:
            continue
        width, often = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(1, 0))
        score = often * (width > 1) * 100 + width
        if width > 1 and score > best_score:
            best, best_score = sign, score
    return best
