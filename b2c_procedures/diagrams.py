"""EPC diagrams of procedures as SVG: events hexagons, functions rounded, operators circles, left to
right. Pure.

Graphviz lays out once per version; where the run stands and what it has done are classes put onto
the finished picture, so a lit diagram costs no layout. DiagramShapes of the head change the labels
and are laid out anew.
"""

import functools
import html
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Final

import pygraphviz

from b2c_procedures.definition import Function, FunctionResult, Next, Procedure
from b2c_procedures.states import Performer

_FONT: Final = "DejaVu Sans"
_SYMBOLS: Final = {"xor": "XOR", "and": "AND", "or": "OR"}
# How far over its norm a function's median may be before it is red; below its norm it is green.
# Words stand beside.
_TINTS: Final = {"ok": "#e3f4e6", "slow": "#fff1cc", "late": "#ffd9d9", "": "#ffffff"}


@dataclass(frozen=True)
class DiagramShapes:
    """What the head sees on a diagram. Branches by (function, key of the button); functions by id."""

    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)
    share: Mapping[tuple[str, str], float] = field(default_factory=dict)
    median: Mapping[str, int] = field(default_factory=dict)  # seconds
    count: Mapping[str, int] = field(default_factory=dict)
    over: Mapping[str, float] = field(default_factory=dict)  # share of steps over their norm


def svg(procedure: Procedure, figures: DiagramShapes | None = None) -> str:
    """The diagram; node ids are 'f-1.2' for functions, 'e-1.2-1' for events, edges
    'x-<from>-<key>'.
    """
    if figures is None:
        return _plain(procedure)
    return _draw(procedure, figures)


@functools.lru_cache(maxsize=64)
def _plain(procedure: Procedure) -> str:
    return _draw(procedure, None)


def lit(picture: str, *, now: str, done: Collection[tuple[str, str]]) -> str:
    """The picture with the present function lit and the done path drawn; `done` are (function, key)
    pairs.
    """
    marks = {f"f-{now}": "now"} if now else {}
    for function, key in done:
        for part in (
            f"f-{function}",
            f"s-{function}",
            f"x-s-{function}",
            f"j-{function}",
            f"x-j-{function}",
        ):
            marks.setdefault(part, "done")
        for part in (key, key.rstrip("abcdefgh")):
            marks[f"e-{function}-{part}"] = "done"
            marks[f"x-{function}-{part}"] = marks[f"x-{function}-{part}-to"] = "done"
        if key == "all":
            for turn in range(1, 9):
                marks[f"e-{function}-{turn}"] = marks[f"x-{function}-{turn}"] = "done"
                marks[f"x-{function}-{turn}-to"] = "done"

    def mark(match: re.Match[str]) -> str:
        word = marks.get(match["id"])
        return f'<g id="{match["id"]}" class="{match["kind"]}{" " + word if word else ""}">'

    return re.sub(r'<g id="(?P<id>[^"]+)" class="(?P<kind>\w+)">', mark, picture)


_SHEET: Final = (
    785.0,
    500.0,
)  # points of an A4 landscape sheet inside its margins, its heading left out
_SMALLEST, _LARGEST, _OVERLAP = (
    0.7,
    0.9,
    40.0,
)  # names of functions are 7 to 9 points high; points shared by neighbours


@dataclass(frozen=True)
class DiagramSheet:
    """One printed page: where it lies in the diagram (from 1, left to right and down) and what of
    it it shows.
    """

    column: int
    row: int
    box: str  # the viewBox, in the points of the picture


def sheets(picture: str) -> list[DiagramSheet]:
    """The picture parted into A4 landscape pages on which every word can be read; pages without a
    word are left out.
    """
    size = re.search(r'viewBox="0\.00 0\.00 ([\d.]+) ([\d.]+)"', picture)
    moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", picture)
    if size is None or moved is None:
        raise ValueError("no picture of Graphviz")
    width, height = float(size[1]), float(size[2])
    rows = math.ceil(height * _SMALLEST / _SHEET[1])
    scale = min(_LARGEST, max(_SMALLEST, rows * _SHEET[1] / (height + (rows - 1) * _OVERLAP)))
    wide, high = _SHEET[0] / scale, _SHEET[1] / scale
    words = [
        (float(x) + float(moved[1]), float(y) + float(moved[2]))
        for x, y in re.findall(r'<text [^>]*?x="([-\d.]+)" y="([-\d.]+)"', picture)
    ]
    found = []
    for row in range(max(1, math.ceil((height - _OVERLAP) / (high - _OVERLAP)))):
        for column in range(max(1, math.ceil((width - _OVERLAP) / (wide - _OVERLAP)))):
            left, top = column * (wide - _OVERLAP), row * (high - _OVERLAP)
            if any(left <= x < left + wide and top <= y < top + high for x, y in words):
                found.append(
                    DiagramSheet(column + 1, row + 1, f"{left:.0f} {top:.0f} {wide:.0f} {high:.0f}")
                )
    return found


def _draw(procedure: Procedure, figures: DiagramShapes | None) -> str:
    graph = pygraphviz.AGraph(directed=True, strict=False)
    graph.graph_attr.update(
        rankdir="LR",
        nodesep="0.2",
        ranksep="0.26",
        fontname=_FONT,
        bgcolor="transparent",
        splines="spline",
        pad="0.1",
    )
    graph.node_attr.update(
        fontname=_FONT, fontsize="10", color="#5b6670", fontcolor="#1b1f24", margin="0.02,0.03"
    )
    graph.edge_attr.update(
        fontname=_FONT, fontsize="9", color="#5b6670", arrowsize="0.6", fontcolor="#3c4650"
    )
    _start(graph, procedure)
    for function in procedure.functions:
        _function(graph, function, figures)
        for position, result in enumerate(function.results, 1):
            _result(graph, procedure, function, result, position, figures)
    drawn: bytes = graph.draw(format="svg", prog="dot")
    return _tidy(drawn.decode(), procedure)


def _start(graph: pygraphviz.AGraph, procedure: Procedure) -> None:
    target = _entry(procedure.first)
    for position, event in enumerate(procedure.start_events, 1):
        name = f"e-start-{position}"
        graph.add_node(
            name,
            id=name,
            shape="hexagon",
            label=_lines(event, 19),
            style="filled",
            fillcolor="#e8f1f8",
        )
        graph.add_edge(name, target, id=f"x-start-{position}")


def _entry(function: Function) -> str:
    """The node by which links come into a function: its joining operator, if it has one."""
    return f"j-{function.id}" if function.join else f"f-{function.id}"


def _operator(graph: pygraphviz.AGraph, name: str, kind: str) -> None:
    graph.add_node(
        name, id=name, shape="circle", label=_SYMBOLS[kind], fontsize="7", width="0.42", fixedsize="true", style="filled",
        fillcolor="#f2f4f6",
    )  # fmt: skip


def _function(graph: pygraphviz.AGraph, function: Function, figures: DiagramShapes | None) -> None:
    name = f"f-{function.id}"
    tint, words = _measured(function, figures)
    graph.add_node(
        name, id=name, shape="box", style="rounded,filled", fillcolor=tint, penwidth="1.4", URL=f"#{function.id}",
        label=_function_label(function, words), margin="0.12,0.08", tooltip=function.name,
    )  # fmt: skip
    if function.join:
        _operator(graph, f"j-{function.id}", function.join)
        graph.add_edge(f"j-{function.id}", name, id=f"x-j-{function.id}", weight="5")
    if function.split:
        _operator(graph, f"s-{function.id}", function.split)
        graph.add_edge(name, f"s-{function.id}", id=f"x-s-{function.id}", weight="5")


def _function_label(function: Function, measured: list[str]) -> str:
    norms = ", ".join(
        case.norm.words + (" (повторно)" if case.on and position else "")
        for position, case in enumerate(function.norms)
    )
    rows = [
        f'<tr><td align="left"><b>{html.escape(function.id)}</b></td></tr>',
        *(
            f'<tr><td align="left">{html.escape(line)}</td></tr>'
            for line in wrap(function.name, 26)
        ),
        f'<tr><td align="left"><font point-size="8.5" color="#3c5a78">{_performer(function)}'
        f"{f' · {html.escape(norms)}' if norms else ''}</font></td></tr>",
    ]
    if function.documents or function.systems:
        papers = "; ".join([*function.documents, *function.systems])
        rows += [
            f'<tr><td align="left"><font point-size="8" color="#6b5b2e">{html.escape(line)}</font></td></tr>'
            for line in wrap(papers, 34)
        ]
    rows += [
        f'<tr><td align="left"><font point-size="9"><b>{html.escape(line)}</b></font></td></tr>'
        for line in measured
    ]
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{"".join(rows)}</table>>'


def _performer(function: Function) -> str:
    if function.performer in Performer.values:
        return html.escape(Performer(function.performer).label)
    return html.escape(function.performer)


def _measured(function: Function, figures: DiagramShapes | None) -> tuple[str, list[str]]:
    if figures is None or not figures.count.get(function.id):
        return _TINTS[""], []
    median, over = figures.median.get(function.id, 0), figures.over.get(function.id, 0.0)
    norm = function.norms[0].norm.seconds if function.norms else None
    if norm is None:
        return _TINTS[""], [f"{figures.count[function.id]} раз · медиана {_clock(median)}"]
    kind = "ok" if median <= norm * 0.8 else "slow" if median <= norm else "late"
    word = {"ok": "в норме", "slow": "близко к норме", "late": "дольше нормы"}[kind]
    lines = [
        f"{figures.count[function.id]} раз · {word}",
        f"медиана {_clock(median)} из {_clock(norm)} · сверх нормы {over * 100:.0f} %",
    ]
    return _TINTS[kind], lines


def _clock(seconds: int) -> str:
    if seconds >= 3600:
        return f"{seconds // 3600} ч {seconds % 3600 // 60:02} мин"
    return f"{seconds // 60}:{seconds % 60:02}"


def _result(
    graph: pygraphviz.AGraph,
    procedure: Procedure,
    function: Function,
    result: FunctionResult,
    position: int,
    figures: DiagramShapes | None,
) -> None:
    source = f"s-{function.id}" if function.split else f"f-{function.id}"
    name = f"e-{function.id}-{position}"
    style = "filled,dashed" if result.reading else "filled"
    graph.add_node(
        name, id=name, shape="hexagon", label=_lines(result.event, 19), style=style,
        fillcolor="#e8f1f8" if result.nexts else "#e3e6e8", tooltip=result.reading or result.event,
    )  # fmt: skip
    graph.add_edge(
        source,
        name,
        id=f"x-{function.id}-{position}",
        label=_taken(function, result, position, figures),
    )
    for turn, item in enumerate(result.nexts):
        key = str(position) if len(result.nexts) == 1 else f"{position}{'abcdefgh'[turn]}"
        _follow(graph, procedure, name, item, f"{function.id}-{key}")


def _taken(
    function: Function, result: FunctionResult, position: int, figures: DiagramShapes | None
) -> str:
    if figures is None:
        return ""
    keys = [str(position), *(f"{position}{letter}" for letter in "abcdefgh"[: len(result.nexts)])]
    keys += ["all"] if function.is_and else []
    taken = sum(figures.taken.get((function.id, key), 0) for key in keys)
    share = sum(figures.share.get((function.id, key), 0.0) for key in keys)
    return f" {taken} · {share * 100:.0f} % " if taken else ""


def _follow(
    graph: pygraphviz.AGraph, procedure: Procedure, event: str, item: Next, mark: str
) -> None:
    label = _lines(item.label, 18) if item.label else ""
    if item.function:
        target = _entry(procedure.function(item.function))
        graph.add_edge(event, target, id=f"x-{mark}-to", label=label)
        return
    name = f"p-{mark}"
    text = f"{item.procedure}" if item.procedure else item.process
    lines = [f"Процедура {text}"] if item.procedure else wrap(text, 24)
    if item.opens:
        lines.append(f"(процедура {item.opens})")
    graph.add_node(
        name, id=name, shape="cds", label="\n".join(lines), style="filled", fillcolor="#efe7f6",
        URL=f"#procedure-{item.enters}" if item.enters else "", margin="0.15,0.12",
    )  # fmt: skip
    graph.add_edge(event, name, id=f"x-{mark}-to", label=label)


def _lines(text: str, width: int) -> str:
    return "\n".join(wrap(text, width))


def _tidy(drawn: str, procedure: Procedure) -> str:
    """A picture for a page: no XML head, a title that is read out, size by the page's own rules."""
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.S)
    size = re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', body)
    width, height = (int(size[1]), int(size[2])) if size else (800, 600)
    title = f"Схема процедуры {procedure.number} «{html.escape(procedure.title)}»"
    head = f'<svg class="epc" role="img" aria-label="{title}" width="{round(width * 4 / 3)}" height="{round(height * 4 / 3)}"'
    body = re.sub(r'<svg width="\d+pt" height="\d+pt"', head, body, count=1)
    body = (
        body.replace('xlink:title="', 'title="').replace("xlink:href", "href").replace("&#45;", "-")
    )
    return re.sub(r'(<g id="[^"]+" class=")(node|edge)(">)\s*<title>[^<]*</title>', r"\1\2\3", body)
