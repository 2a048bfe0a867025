"""Procedures as data: what a definition says, without a database. One YAML file is one procedure.

Every object keeps the line it stands on, so that whatever is wrong with it can be pointed at.
"""

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema
import yaml

from b2c_procedures.schedule import Norm, norm

FOLDER: Final = Path(__file__).parent / "definitions"


class BadDefinition(ValueError):
    """A definition that cannot be read or breaks a rule; `problems` lists what, where and by which
    rule.
    """

    def __init__(self, problems: "list[DefinitionProblem]") -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, order=True)
class DefinitionProblem:
    """One breach: where it stands (1-based line) and which rule of the linter it breaks."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: [{self.rule}] {self.text}"


@dataclass(frozen=True)
class Next:
    """What follows an event: a function, another procedure, or a process outside (which may be read
    as a procedure).
    """

    function: str = ""
    procedure: int = 0
    process: str = ""
    opens: int = 0
    label: str = ""  # on the button, where an event has several continuations

    @property
    def enters(self) -> int:
        """The procedure in which the work goes on, 0 if it stays or leaves."""
        return self.procedure or self.opens

    def dumped(self) -> object:
        """The item as `dump_procedures` prints it."""
        if self.function:
            return self.function
        if self.procedure:
            return {"procedure": self.procedure}
        return {"process": self.process, **({"opens": self.opens} if self.opens else {})}


@dataclass(frozen=True)
class Exemption:
    """Why a rule of the document's section 1 is broken here on purpose."""

    rule: str
    reason: str


@dataclass(frozen=True)
class FunctionResult:
    """One event a function can end with, and what follows it."""

    event: str
    nexts: tuple[Next, ...]
    is_end: bool
    repeats: bool  # the client asks again: counted in the report
    source_event: str
    reading: str
    exempt: Exemption | None
    labels: int
    line: int


@dataclass(frozen=True)
class NormCase:
    """A norm and the case in which it counts (1.2 has two)."""

    norm: Norm
    on: str  # the event in which case it counts; '' = whenever


@dataclass(frozen=True)
class Function:
    """One row group of the document's tables: who does what, by when, with which results, and what
    it makes (`action`).
    """

    id: str
    name: str
    source_name: str
    performer: str
    norms: tuple[NormCase, ...]
    documents: tuple[str, ...]
    systems: tuple[str, ...]
    side_panels: tuple[str, ...]
    results: tuple[FunctionResult, ...]
    triggered_by: tuple[str, ...]
    split: str
    split_reading: str
    join: str
    action: str
    options: Mapping[str, str]
    important: str
    term: str
    reading: str
    line: int

    @property
    def is_and(self) -> bool:
        return self.split == "and"

    def norm_on(self, event: str) -> Norm | None:
        """The norm that counts when the function begins with `event`; the first one unless a case
        names the event.
        """
        for case in self.norms:
            if case.on and case.on == event:
                return case.norm
        return self.norms[0].norm if self.norms else None


@dataclass(frozen=True, eq=False)  # one object for each version: compared and cached by identity
class Procedure:
    """One of the fifteen, in one version."""

    number: int
    slug: str
    title: str
    version: int
    valid_from: dt.date
    asks: tuple[str, ...]
    start_events: tuple[str, ...]
    functions: tuple[Function, ...]
    digest: str
    file: str
    by_id: Mapping[str, Function] = field(repr=False, compare=False, default_factory=dict)

    def function(self, function_id: str) -> Function:
        return self.by_id[function_id]

    @property
    def first(self) -> Function:
        return self.functions[0]

    def edges(self) -> Iterator[tuple[Function, FunctionResult, Next | None]]:
        """Every link of the procedure; a declared end is a link to None."""
        for function in self.functions:
            for result in function.results:
                if not result.nexts:
                    yield function, result, None
                for following in result.nexts:
                    yield function, result, following


Book = Mapping[int, Procedure]


class _Lines(dict[str, Any]):
    """A mapping that remembers the line it began on (1-based)."""

    line: int = 0


class _Loader(yaml.CSafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> _Lines:
    result = _Lines(
        {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()}
    )
    result.line = node.start_mark.line + 1
    return result


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
# Dates stay text, as the schema wants them.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


@functools.cache
def _schema() -> jsonschema.Draft202012Validator:
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def parse(text: str, *, file: str = "") -> Procedure:
    """Reads one definition; raises BadDefinition with every breach of the schema, each with its
    line.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader that also keeps lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadDefinition(
            [DefinitionProblem(file, line, "yaml", str(getattr(error, "problem", error)))]
        ) from None
    problems = [
        DefinitionProblem(
            file,
            _line_of(data, list(error.absolute_path)),
            "schema",
            f"{error.json_path}: {error.message}",
        )
        for error in _schema().iter_errors(data)
    ]
    if problems:
        raise BadDefinition(sorted(problems))
    return _procedure(data, file, hashlib.sha256(text.encode()).hexdigest())


def _line_of(data: Any, path: list[str | int]) -> int:
    line = getattr(data, "line", 1)
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            break
        line = getattr(data, "line", line)
    return int(line)


def _procedure(data: _Lines, file: str, digest: str) -> Procedure:
    functions = tuple(_function(row) for row in data["functions"])
    return Procedure(
        number=data["number"],
        slug=data["slug"],
        title=data["title"],
        version=data["version"],
        valid_from=dt.date.fromisoformat(data["valid_from"]),
        asks=tuple(data.get("asks", ())),
        start_events=tuple(data["start_events"]),
        functions=functions,
        digest=digest,
        file=file,
        by_id={function.id: function for function in functions},
    )


def _function(row: _Lines) -> Function:
    does = dict(row.get("does", {}))
    term = row.get("term")
    return Function(
        id=row["id"],
        name=row["name"],
        source_name=row.get("source_name", ""),
        performer=row.get("performer", ""),
        norms=tuple(NormCase(norm(case["norm"]), case.get("case", "")) for case in row["norms"]),
        documents=tuple(row.get("documents", ())),
        systems=tuple(row.get("systems", ())),
        side_panels=tuple(row.get("side_panels", ())),
        results=tuple(_result(result) for result in row["results"]),
        triggered_by=tuple(row.get("triggered_by", ())),
        split=row.get("split", ""),
        split_reading=row.get("split_reading", ""),
        join=row.get("join", ""),
        action=does.pop("action", ""),
        options=does,
        important=row.get("important", ""),
        term=f"{term['what']}: {norm(term['norm']).words}, {term['counted_from']}" if term else "",
        reading=row.get("reading", ""),
        line=row.line,
    )


def _result(row: _Lines) -> FunctionResult:
    labels = row.get("choose", ())
    nexts = tuple(
        _next(item, labels[position] if position < len(labels) else "")
        for position, item in enumerate(row.get("next", ()))
    )
    exempt = row.get("exempt")
    return FunctionResult(
        event=row["event"],
        nexts=nexts,
        is_end=bool(row.get("end")),
        repeats=bool(row.get("repeats")),
        source_event=row.get("source_event", ""),
        reading=row.get("reading", ""),
        exempt=Exemption(exempt["rule"], exempt["reason"]) if exempt else None,
        labels=len(labels),
        line=row.line,
    )


def _next(item: str | dict[str, Any], label: str) -> Next:
    return Next(function=item, label=label) if isinstance(item, str) else Next(**item, label=label)


def read_folder(folder: Path = FOLDER) -> dict[int, Procedure]:
    """Every definition of a folder by number; raises BadDefinition with the problems of all files
    together.
    """
    book: dict[int, Procedure] = {}
    problems: list[DefinitionProblem] = []
    for path in sorted(folder.glob("[0-9]*.yaml")):
        try:
            procedure = parse(path.read_text(encoding="utf-8"), file=path.name)
        except BadDefinition as error:
            problems += error.problems
            continue
        if procedure.number in book:
            problems.append(
                DefinitionProblem(
                    path.name,
                    1,
                    "one-file",
                    f"процедура {procedure.number} уже есть в другом файле",
                )
            )
        book[procedure.number] = procedure
    if problems:
        raise BadDefinition(problems)
    return book


@functools.cache
def packaged() -> Book:
    """The fifteen procedures that come with the product."""
    return read_folder()


def dump(book: Book) -> list[dict[str, object]]:
    """What is loaded, in the shape of the document: wording of the source, `reading` wherever we
    add to it.

    `norms` are the texts of all norms of the function; a `next` item is a function id, {procedure:
    N} or {process: name}, the latter with `opens: N` where we read it as one of the procedures.
    """
    return [
        {
            "number": procedure.number,
            "title": procedure.title,
            "functions": [_dumped(f) for f in procedure.functions],
        }
        for _, procedure in sorted(book.items())
    ]


def _dumped(function: Function) -> dict[str, object]:
    row: dict[str, object] = {
        "id": function.id,
        "name": function.source_name or function.name,
        "performer": function.performer,
        "norms": [case.norm.text for case in function.norms],
        "results": [
            {
                "event": result.source_event or result.event,
                "next": [item.dumped() for item in result.nexts],
                "reading": result.reading or None,
            }
            for result in function.results
        ],
    }
    reading = function.reading or function.split_reading
    return {**row, "reading": reading} if reading else row
