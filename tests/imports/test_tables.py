"""Files of every kind become the same lines; files that are no tables, or are out to hurt, are
refused in words.
"""

import datetime as dt
import io
import os
import re
import struct
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from callcenter.imports import cell_parsers, file_reader
from callcenter.imports.cell_parsers import Cell
from callcenter.imports.file_reader import BadFile, read

ROWS: list[list[str]] = [
    ["Фамилия", "Телефон", "Заметка"],
    ["Щёголева", "+7 900 000-00-01", "любит; запятые, и «ёлочки»"],
]


def xlsx(rows: list[list[Cell]], *, sheets: tuple[str, ...] = ("Лист1",)) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "dd.mm.yyyy"}) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
        for index, row in enumerate(rows):
            sheet.write_row(index, 0, row)
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A real workbook whose sheet is replaced by `xml`."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx([["a"]]))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            is_sheet = entry.filename == "xl/worksheets/sheet1.xml"
            new.writestr(entry.filename, xml if is_sheet else old.read(entry.filename))
    return out.getvalue()


def sheet_xml(cells: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{cells}</sheetData></worksheet>"
    ).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_usual_csv_is_one_table(encoding: str, delimiter: str, line_end: str) -> None:
    text = line_end.join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in ROWS
    )
    sheet = read(text.encode(encoding), "пациенты.CSV")
    assert [line.cells for line in sheet.lines] == ROWS
    assert [line.number for line in sheet.lines] == [1, 2]


def test_lines_are_numbered_as_the_person_sees_them() -> None:
    text = 'sep=;\nФИО;Телефон\n\n"Иванова\nОльга";1\n;;\nПетров;2\n'
    assert [(line.number, line.cells) for line in read(text.encode(), "a.csv").lines] == [
        (2, ["ФИО", "Телефон"]),
        (4, ["Иванова\nОльга", "1"]),
        (7, ["Петров", "2"]),
    ]
    rows: list[list[Cell]] = [[], ["ФИО", "Дата"], [], ["Иванова", dt.date(2026, 11, 5)]]
    assert [(line.number, line.cells) for line in read(xlsx(rows), "a.xlsx").lines] == [
        (2, ["ФИО", "Дата"]),
        (4, ["Иванова", dt.date(2026, 11, 5)]),
    ]


def test_a_line_end_within_a_cell_may_be_a_vertical_tab() -> None:
    assert read("ФИО;Заметка\nКим;а\x0bб\x0c\n".encode(), "a.csv").lines[1].cells == [
        "Ким",
        "а\x0bб\x0c",
    ]


def test_a_quoted_cell_may_hold_lines_and_delimiters_of_its_own() -> None:
    remark = 'любит чай; кофе\nи "ёлочки"; сок'
    quoted = '"' + remark.replace('"', '""') + '"'
    sheet = read(f"ФИО;Телефон;Заметка;Почта\nКим;1;{quoted};\nЛи;2;{quoted}".encode(), "a.csv")
    assert [line.cells for line in sheet.lines[1:]] == [["Ким", "1", remark], ["Ли", "2", remark]]


def test_a_quote_within_one_line_is_nothing_to_worry_about() -> None:
    sheet = read('ФИО;Заметка\nКим;"Дента" на Невском\nЛи;мост 12"\n'.encode(), "a.csv")
    assert [line.cells for line in sheet.lines[1:]] == [
        ["Ким", "Дента на Невском"],
        ["Ли", 'мост 12"'],
    ]


def test_one_long_cell_among_many_short_ones_is_read() -> None:
    """It might be named by all of them: only counting shows that it is not."""
    short: list[list[Cell]] = [["да"]] * 30_000
    rows: list[list[Cell]] = [["Заметка"], ["я" * cell_parsers.LONGEST], *short]
    assert len(read(xlsx(rows), "a.xlsx").lines) == 30_002


def test_the_first_sheet_that_has_something_is_read() -> None:
    assert read(xlsx([["ФИО"], ["Иванова"]], sheets=("Титул", "Данные")), "a.xlsx").name == "Данные"


def test_a_formula_counts_as_its_stored_value_and_is_never_carried_out() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_formula(0, 0, '=HYPERLINK("http://example.org","Иванова")', None, "Иванова")
        sheet.write_formula(0, 1, "=1/0", None, "#DIV/0!")
        sheet.write_string(0, 2, "=cmd|'/c calc'!A1")
    assert read(out.getvalue(), "a.xlsx").lines[0].cells == [
        "Иванова",
        "#DIV/0!",
        "=cmd|'/c calc'!A1",
    ]


BOMB = zipped(
    **{
        "xl__workbook.xml": b"x",
        "xl__worksheets__sheet1.xml": b"\0" * (file_reader.LARGEST_UNPACKED + 1),
    }
)


def lying_bomb() -> bytes:
    """A bomb whose directory says it holds ten bytes."""
    at = BOMB.rindex(b"PK\x01\x02")
    return BOMB[: at + 24] + struct.pack("<I", 10) + BOMB[at + 28 :]


def repeated(text: bytes, cells: int, *, prefix: bytes = b"") -> bytes:
    """A workbook of which every cell names the same shared string."""
    strings = b'<sst xmlns%s="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    strings = strings % (b":" + prefix if prefix else b"", text)
    if prefix:
        strings = re.sub(rb"<(/?)(\w)", rb"<\1%s:\2" % prefix, strings)
    out = io.BytesIO()
    whole = xlsx([["a"] for _ in range(cells)])
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(
                entry.filename,
                strings if entry.filename == "xl/sharedStrings.xml" else old.read(entry.filename),
            )
    return out.getvalue()


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.xlsx", lambda: b"", "Файл пуст"),
    "blank lines": ("a.csv", lambda: b"\n;;\n \n", "нет ни одной заполненной строки"),
    "blank workbook": ("a.xlsx", lambda: xlsx([]), "нет ни одной заполненной строки"),
    "huge": ("a.csv", lambda: b"a;b\n" * (file_reader.LARGEST // 4 + 1), "больше 30 МБ"),
    "zip bomb": ("a.xlsx", lambda: BOMB, "слишком велика"),
    "zip bomb that lies": ("a.xlsx", lying_bomb, "слишком велика"),
    "far cell": (
        "a.xlsx",
        lambda: with_sheet(sheet_xml('<row r="1"><c r="XFD1048576"><v>1</v></c></row>')),
        "больше 60 столбцов",
    ),
    "far row": (
        "a.xlsx",
        lambda: with_sheet(sheet_xml('<row r="900000"><c><v>1</v></c></row>')),
        "200000 строк",
    ),
    "far cell, quoted otherwise": (
        "a.xlsx",
        lambda: with_sheet(sheet_xml("<row r='1'><c\nr = 'XFD1048576'><v>1</v></c></row>")),
        "больше 60 столбцов",
    ),
    "far cell behind a mile of blanks": (
        "a.xlsx",
        lambda: with_sheet(
            sheet_xml(f'<row r="1"><c r{" " * (1 << 20)}="XFD1048576"><v>1</v></c></row>')
        ),
        "больше 60 столбцов",
    ),
    "a long string in every cell": (
        "a.xlsx",
        lambda: repeated(b"x" * (2 << 20), 5_000),
        "слишком много текста",
    ),
    "a long string in every cell, under a prefix": (
        "a.xlsx",
        lambda: repeated(b"x" * (2 << 20), 5_000, prefix=b"y"),
        "слишком много текста",
    ),
    "300 columns": ("a.xlsx", lambda: xlsx([[str(n) for n in range(300)]]), "больше 60 столбцов"),
    "300 columns of text": (
        "a.csv",
        lambda: (";".join(map(str, range(300)))).encode(),
        "больше 60 столбцов",
    ),
    "61 columns": ("a.xlsx", lambda: xlsx([[str(n) for n in range(61)]]), "больше 60 столбцов"),
    "too many rows": (
        "a.csv",
        lambda: b"1;2\n" * (file_reader.MOST_ROWS + 2),
        "больше 200000 строк",
    ),
    "entities": (
        "a.xlsx",
        lambda: with_sheet(b'<!DOCTYPE a [<!ENTITY b "c">]>' + sheet_xml("")),
        "чего в таблицах не бывает",
    ),
    "password": (
        "a.xlsx",
        lambda: b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
        "паролем",
    ),
    "old excel": ("a.xls", lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "старого вида"),
    "macros": (
        "a.xlsx",
        lambda: zipped(**{"xl__workbook.xml": b"", "xl__vbaProject.bin": b"x"}),
        "макросы",
    ),
    "a document": ("a.xlsx", lambda: zipped(**{"word__document.xml": b"<w/>"}), "не книга Excel"),
    "workbook called csv": ("a.csv", lambda: xlsx([["a"]]), "окончанием .xlsx"),
    "csv called workbook": ("a.xlsx", lambda: "ФИО;Телефон".encode(), "не книга Excel"),
    "a picture": ("фото.png", lambda: b"\x89PNG\r\n\x1a\n", "Принимаются файлы"),
    "no ending": ("файл", lambda: b"a;b", "Принимаются файлы"),
    "garbage": ("a.csv", lambda: bytes(range(256)) * 10, "не похож на текст"),
    "garbage in a zip's clothes": (
        "a.xlsx",
        lambda: b"PK\x03\x04" + os.urandom(2000),
        "повреждена",
    ),
    "cut workbook": ("a.xlsx", lambda: xlsx([["a", "b"]])[:-700], "повреждена"),
    "web page": (
        "a.csv",
        lambda: b"<html><table><tr><td>1</td></tr></table></html>",
        "веб-страница",
    ),
    "open quote": (
        "a.csv",
        lambda: b'a;b\n"c;d\n' + b"e;f\n" * 100_000,
        "В строке 2 открыта и не закрыта кавычка",
    ),
    "open quote to the end": ("a.csv", lambda: b'a;b\n1;2\n3;"d\n4;5\n', "В строке 3 открыта"),
    "open quote in the last line": ("a.csv", lambda: b'a;b\n1;2\n3;"d', "В строке 3 открыта"),
    "open quote in the last line, ended": (
        "a.csv",
        lambda: b'a;b\n1;2\n3;"d\n',
        "В строке 3 открыта",
    ),
    "a quote closed by a stray one": (
        "a.csv",
        lambda: b'a;b\n1;"d\n2;e\n3;"f"\n',
        "В строке 2 открыта",
    ),
    "a quote closed at the end of a later line": (
        "a.csv",
        lambda: b'a;b;c;d\n1;2;3;"e\n4;5;6;7\n4;5;6;crown 3"\n7;8;9;0\n',
        "В строке 2 открыта",
    ),
    "only line ends": ("a.csv", lambda: b"a;b\n" + b"\n" * (8 << 20), "больше 1000000 строк"),
    "only carriage returns": (
        "a.csv",
        lambda: b"a;b\n" + b"\r" * (8 << 20),
        "больше 1000000 строк",
    ),
    "long cell": ("a.csv", lambda: b"a;b\n1;" + b"x" * 6000, "длиннее 5000"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_is_no_table_is_refused_in_words(case: str) -> None:
    name, make, words = HOSTILE[case]
    with pytest.raises(BadFile, match=words):
        read(make(), name)


@given(content=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.xlsx", "a.txt", "a"]))
def test_no_bytes_break_the_reader(content: bytes, name: str) -> None:
    for start in (b"", b"PK\x03\x04", b"\xef\xbb\xbf", b"\xff\xfe"):
        try:
            read(start + content, name)
        except BadFile as refusal:
            # Most bytes are refused, some are a table
            assert str(refusal).endswith(".")  # noqa: PT017


WHOLE = xlsx(
    [["ФИО", "Телефон"], ["Иванова", "1"]]
)  # made once: a workbook carries the time of its making


@given(data=st.data())
def test_a_damaged_workbook_never_breaks_the_reader(data: st.DataObject) -> None:
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, 5000))] = data.draw(st.integers(0, 255))
    try:
        assert read(bytes(whole), "a.xlsx").lines
    except BadFile as refusal:
        # The damage may have hit something that does not matter
        assert str(refusal).endswith(".")  # noqa: PT017
