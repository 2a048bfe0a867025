"""What of a page can be pressed, followed or sent, as a browser would: read from its HTML, without
a browser.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VOID: Final = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
HX: Final = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
Data = tuple[tuple[str, str], ...]


@dataclass
class Node:
    tag: str
    attrs: dict[str, str]
    parent: "Node | None" = None
    children: "list[Node]" = field(default_factory=list)
    text: str = ""

    def closest(self, tag: str) -> "Node | None":
        node = self.parent
        while node is not None and node.tag != tag:
            node = node.parent
        return node

    @property
    def words(self) -> str:
        """How a person would name it in a complaint."""
        own = " ".join(self.all_text().split())
        return (own or self.attrs.get("title") or self.attrs.get("aria-label") or str(self.attrs))[
            :60
        ]

    def all_text(self) -> str:
        return self.text + "".join(child.all_text() for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Node("", {})
        self.here = self.top
        self.nodes: list[Node] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(node)
        self.nodes.append(node)
        if tag not in VOID:
            self.here = node

    def handle_endtag(self, tag: str) -> None:
        node: Node | None = self.here
        while node is not None and node.tag != tag:
            node = node.parent
        if node is not None and node.parent is not None:
            self.here = node.parent

    def handle_data(self, data: str) -> None:
        self.here.text += data


@dataclass(frozen=True)
class Press:
    """One request that a person can cause from a page."""

    words: str
    method: str
    url: str  # as written; '' is the page itself
    data: Data = ()
    htmx: bool = False


class Markup:
    """The elements of one answer: a whole page or, for htmx, a part of one."""

    def __init__(self, html: str) -> None:
        reader = _Reader()
        reader.feed(html)
        self.nodes = reader.nodes
        self.is_page = "<html" in html
        self.ids = [node.attrs["id"] for node in self.nodes if node.attrs.get("id")]

    def presses(self) -> list[Press]:
        found: list[Press] = []
        for node in self.nodes:
            if "disabled" in node.attrs:
                continue
            if (
                node.tag == "a"
                and node.attrs.get("href")
                and not any(hx in node.attrs for hx in HX)
            ):
                found.append(Press(node.words, "GET", node.attrs["href"]))
            if node.tag == "form":
                found += self._of_form(node)
            found += self._of_htmx(node)
            found += [
                Press(f"{name} of {node.words}", "GET", value)
                for name, value in node.attrs.items()
                if name.startswith("data-") and name.endswith("url") and value.startswith("/")
            ]
        return found

    def _of_form(self, form: Node) -> list[Press]:
        method = form.attrs.get("method", "get").upper()
        if method == "DIALOG":
            return []
        submits: list[Node | None] = [*self._submits(form)]
        if not submits and not self._sends_itself(form):
            return []  # a frame around what others may press
        submits = submits or [None]
        return [
            Press(
                f"form «{submit.words if submit else form.words}»",
                (submit.attrs.get("formmethod", method) if submit else method).upper(),
                submit.attrs.get("formaction", form.attrs.get("action", ""))
                if submit
                else form.attrs.get("action", ""),
                self.values(form, submit),
            )
            for submit in submits
        ]

    def _of_htmx(self, node: Node) -> list[Press]:
        found = []
        for hx in HX:
            if hx not in node.attrs:
                continue
            method = hx.removeprefix("hx-").upper()
            form = node if node.tag == "form" else self._form_of(node)
            if node.tag == "form" and not (
                self._submits(node) or self._sends_itself(node) or "hx-trigger" in node.attrs
            ):
                continue
            sets: list[Data] = [()]
            if node.tag == "form":
                sets = [self.values(node, submit) for submit in self._submits(node)] or [
                    self.values(node)
                ]
            elif form is not None and (method != "GET" or "hx-include" in node.attrs):
                sets = [self.values(form, node if node.tag == "button" else None)]
            elif node.attrs.get("name"):
                sets = [((node.attrs["name"], node.attrs.get("value", "")),)]
            more = tuple(
                (key, str(value))
                for key, value in json.loads(node.attrs.get("hx-vals") or "{}").items()
            )
            found += [
                Press(f"{hx} of «{node.words}»", method, node.attrs[hx], data + more, htmx=True)
                for data in sets
            ]
        return found

    def _sends_itself(self, form: Node) -> bool:
        """By Enter in a line of text, or by a script on each choice."""
        kinds = {"text", "search", "tel", "email", "number", "date", "password"}
        return "data-autosubmit" in form.attrs or any(
            node.tag == "input"
            and node.attrs.get("type", "text") in kinds
            and self._form_of(node) is form
            for node in self.nodes
        )

    def _form_of(self, node: Node) -> Node | None:
        if name := node.attrs.get("form"):
            return next(
                (
                    form
                    for form in self.nodes
                    if form.tag == "form" and form.attrs.get("id") == name
                ),
                None,
            )
        return node.closest("form")

    def _submits(self, form: Node) -> list[Node]:
        return [
            node
            for node in self.nodes
            if self._form_of(node) is form
            and "disabled" not in node.attrs
            and not any(hx in node.attrs for hx in HX)
            and (
                (node.tag == "button" and node.attrs.get("type", "submit") == "submit")
                or (node.tag == "input" and node.attrs.get("type") in {"submit", "image"})
            )
        ]

    def values(self, form: Node, submit: Node | None = None) -> Data:
        """What the browser would send, everything left as the page has it."""
        found: list[tuple[str, str]] = []
        for node in self.nodes:
            name = node.attrs.get("name")
            if not name or "disabled" in node.attrs or self._form_of(node) is not form:
                continue
            kind = node.attrs.get("type", "text")
            if node.tag == "input" and kind in {"checkbox", "radio"}:
                if "checked" in node.attrs:
                    found.append((name, node.attrs.get("value", "on")))
            elif node.tag == "input" and kind not in {"submit", "image", "button", "reset", "file"}:
                found.append((name, node.attrs.get("value", "")))
            elif node.tag == "textarea":
                found.append((name, node.text))
            elif node.tag == "select":
                found += [(name, value) for value in _chosen(node)]
        if submit is not None and submit.attrs.get("name"):
            found.append((submit.attrs["name"], submit.attrs.get("value", "")))
        return tuple(found)

    def complaints(self) -> list[str]:
        """Controls that can do nothing, and what else is wrong without pressing anything."""
        found = [
            f"the id «{name}» stands {self.ids.count(name)} times"
            for name in {*self.ids}
            if self.ids.count(name) > 1
        ]
        for node in self.nodes:
            if (
                node.tag == "form"
                and node.attrs.get("method", "").lower() != "post"
                and any(hx in node.attrs for hx in HX[1:])
            ):
                found.append(
                    f"the form «{node.words}» does nothing without scripts: method=post is missing"
                )
            if node.tag == "form" and node.attrs.get("method", "").lower() == "post":
                names = {name for name, _ in self.values(node)}
                if "csrfmiddlewaretoken" not in names and not node.attrs.get(
                    "action", ""
                ).startswith("http"):
                    found.append(f"the form «{node.words}» has no csrf token")
            if self.is_page:
                found += self._target_missing(node)
            if _pressable(node) and not self._does_something(node):
                found.append(f"pressing «{node.words}» does nothing")
        return found

    def _target_missing(self, node: Node) -> list[str]:
        target = node.attrs.get("hx-target", "")
        if re.fullmatch(r"#[\w-]+", target) and target[1:] not in self.ids:
            return [f"«{node.words}» aims at {target}, which is not on the page"]
        href = node.attrs.get("href", "")
        if node.tag == "a" and re.fullmatch(r"#[\w-]+", href) and href[1:] not in self.ids:
            return [f"the link «{node.words}» leads to {href}, which is not on the page"]
        return []

    def _does_something(self, node: Node) -> bool:
        attrs = node.attrs
        if (
            attrs.keys() & {"disabled", "hidden"}
            or any(hx in attrs for hx in HX)
            or attrs.keys() & {"popovertarget", "commandfor"}
        ):
            return True
        if node.tag == "a" and attrs.get("href", "#") not in {"", "#"}:
            return True
        form = self._form_of(node)
        if (
            node.tag == "button"
            and form is not None
            and attrs.get("type", "submit") in {"submit", "reset"}
        ):
            return True
        names = {f"#{attrs['id']}"} if attrs.get("id") else set()
        names |= {f".{name}" for name in attrs.get("class", "").split()}
        names |= {f"[{name}]" for name in attrs if name.startswith("data-")}
        return bool(names & handled()) or any(name.startswith("data-bs-") for name in attrs)


def _pressable(node: Node) -> bool:
    # In a picture an <a> without an address is no link but the place of a tooltip (Graphviz writes
    # them so).
    if node.tag == "a" and "href" not in node.attrs and node.closest("svg") is not None:
        return False
    return node.tag in {"a", "button"} or node.attrs.get("role") == "button"


def _chosen(select: Node) -> list[str]:
    options = [
        node
        for node in _descendants(select)
        if node.tag == "option" and "disabled" not in node.attrs
    ]
    chosen = [option for option in options if "selected" in option.attrs]
    if not chosen and options and "multiple" not in select.attrs:
        chosen = options[:1]
    return [option.attrs.get("value", option.text) for option in chosen]


def _descendants(node: Node) -> list[Node]:
    return [one for child in node.children for one in (child, *_descendants(child))]


@cache
def handled() -> frozenset[str]:
    """Selectors that our scripts speak of: '#id', '.class', '[data-name]'. A button with none of
    them is dead.
    """
    found = {".btn-close"}
    for path in (ROOT / "static" / "js").rglob("*.js"):
        text = path.read_text()
        found |= {f"[{name}]" for name in re.findall(r"data-[a-z][a-z-]*", text)}
        found |= {f"[data-{_kebab(name)}]" for name in re.findall(r"dataset\.([a-zA-Z]+)", text)}
        found |= {f"#{name}" for name in re.findall(r"getElementById\(\"([\w-]+)\"\)", text)}
        found |= set(re.findall(r"[\"'\s(,]([#.][a-zA-Z][\w-]*)", text))
    return frozenset(found)


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
