"""YAML text to values with places, by the events of libyaml.

One loop over libyaml's events, with nothing looked up and nothing called that can be left out. What is
odd (an anchor, a tag, a key that stands twice, too deep or too long, no YAML) is left to ``yaml_nodes``,
which reads the file anew and has the words for it.

Events, not ``yaml.compose``: composing recurses in C and ends the process on deep nesting, builds
three objects per value, and keeps the last of two equal keys without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.diagnostics import Diagnostic
from reconciler.loading import nodes
from reconciler.loading.nodes import (
    MAX_DEPTH,
    MAX_SCALAR,
    MERGE_KEY,
    Document,
    Map,
    Place,
    Seq,
    SourceFile,
    Value,
)
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import AUTHORIZATION, dotted, shown

_STARTS: Final = frozenset({MappingStartEvent, SequenceStartEvent})
_ENDS: Final = frozenset({MappingEndEvent, SequenceEndEvent})


def read_quickly(text: str, file: SourceFile) -> tuple[Document, ...] | None:
    """The documents of a file, or ``None`` where something in it is odd."""
    parser = yaml.CSafeLoader(text)
    try:
        return _documents(parser.get_event, file)
    except yaml.YAMLError:
        return None
    finally:
        parser.dispose()


def _documents(next_event: Any, file: SourceFile) -> tuple[Document, ...] | None:  # noqa: C901
    """The loop. It is one function, since calls are what reading costs."""
    plain, constants, numbers = nodes.plain, nodes.CONSTANTS, nodes.NUMBER_STARTS
    documents: list[Document] = []
    stack: list[tuple[Any, str | None, list[int], bool]] = []
    node: Any = None
    key: str | None = None
    places: list[int] = []
    is_map = False
    while (kind := type(event := next_event())) is not StreamEndEvent:
        if kind is ScalarEvent:
            value = event.value
            if event.tag is not None or event.anchor is not None or len(value) > MAX_SCALAR:
                return None
            mark = event.start_mark
            places += (mark.line, mark.column)
            if is_map and key is None:
                if value in node or value == MERGE_KEY:
                    return None
                key = intern(value)
                continue
            if event.implicit[0] and (value in constants or value[0] in numbers):
                value = plain(value)
            if is_map:
                node[key], key = value, None
            elif stack:
                node.append(value)
            else:
                documents.append(Document(file, value, (mark.line + 1, mark.column + 1)))
        elif kind in _STARTS:
            if event.tag is not None or event.anchor is not None or len(stack) >= MAX_DEPTH:
                return None
            if is_map and key is None:
                return None
            mark = event.start_mark
            places += (mark.line, mark.column)
            stack.append((node, key, places, is_map))
            is_map = kind is MappingStartEvent
            node, key, places = (Map() if is_map else Seq()), None, []
        elif kind in _ENDS:
            node.pack(places)
            done = node
            node, key, places, is_map = stack.pop()
            if is_map:
                node[key], key = done, None
            elif stack:
                node.append(done)
            else:
                documents.append(Document(file, done, (places[-2] + 1, places[-1] + 1)))
        elif kind is AliasEvent:
            return None
        elif kind is DocumentEndEvent:
            places = []
    return tuple(documents)


MAX_ALIASED: Final = 1_000_000
"""Values that the aliases of one file may stand for."""

_TOO_DEEP: Final = (
    f"mappings and lists are nested more than {MAX_DEPTH} deep",
    "no spec is nested so deep; correct the brackets or the indentation",
)
_LIBYAML_TOO_DEEP: Final = "exceeded maximum nesting depth"
"""What libyaml says where it reads so far ahead that it meets its own bound before we meet ours."""

_STRING_TAGS: Final = ("!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def read(text: str, file: SourceFile) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The documents of a file and what is wrong with its YAML.

    After an error that hides the structure of what follows, there are no documents.
    """
    quickly = read_quickly(text, file)
    return (quickly, ()) if quickly is not None else read_carefully(text, file)


def read_carefully(text: str, file: SourceFile) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The same, with words for all that may be odd in a file."""
    composer = _Composer(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            step = _STEPS.get(type(event))
            if step is not None:
                step(composer, event)
    except _BrokenError as broken:
        return (), (*composer.found, broken.diagnostic)
    except yaml.YAMLError as error:
        return (), (*composer.found, _syntax_error(error, text, file))
    return tuple(composer.documents), tuple(composer.found)


def _place(event: Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


class _BrokenError(Exception):
    """The file cannot be read further."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__()
        self.diagnostic = diagnostic


class _Frame:
    """A mapping or list that is not closed yet."""

    __slots__ = ("anchor", "height", "kept", "key", "key_place", "node", "place", "size")

    def __init__(self, node: Map | Seq, place: Place, anchor: str | None) -> None:
        self.node = node
        self.place = place
        self.anchor = anchor
        self.key: str | None = None
        self.key_place = place
        self.kept = True
        self.size = 1
        self.height = 1


class _Composer:
    """Builds documents from events; collects what does not hide the structure, raises what does."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.documents: list[Document] = []
        self.found: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Value, int, int] | None] = {}
        self._aliased = 0
        self._document: Document | None = None

    def start_document(self, _: Event) -> None:
        self._anchors = {}
        self._document = None

    def end_document(self, _: Event) -> None:
        if self._document is not None:
            self.documents.append(self._document)

    def scalar(self, event: ScalarEvent) -> None:
        place = _place(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.node, Map):
            self._start_entry(frame, frame.node, event, place)
            return
        value = self._value(event, place)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1, 0)
        self._put(value, place)

    def start_map(self, event: MappingStartEvent) -> None:
        self._open(Map(), event)

    def start_list(self, event: SequenceStartEvent) -> None:
        self._open(Seq(), event)

    def end_collection(self, _: CollectionEndEvent) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.node, frame.size, frame.height)
        self._put(frame.node, frame.place, frame.size, frame.height)

    def alias(self, event: AliasEvent) -> None:
        place = _place(event)
        self._refuse_as_key(place)
        if event.anchor not in self._anchors:
            raise self._broken(SpecCode.YAML_ALIAS, place, "no anchor before this alias has its name")
        target = self._anchors[event.anchor]
        if target is None:
            raise self._broken(SpecCode.YAML_ALIAS, place, "this alias stands inside of what it names")
        value, size, height = target
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            summary = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise self._broken(SpecCode.ALIAS_BOMB, place, summary, "write the values out")
        self._check_depth(place, height)
        self._put(value, place, size, height)

    def _open(self, node: Map | Seq, event: MappingStartEvent | SequenceStartEvent) -> None:
        place = _place(event)
        self._refuse_as_key(place)
        self._check_depth(place, 1)
        if event.tag not in _COLLECTION_TAGS:
            self._report_tag(place)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(node, place, event.anchor))

    def _start_entry(self, frame: _Frame, node: Map, event: ScalarEvent, place: Place) -> None:
        key: str = event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = (key, 1, 0)
        frame.kept = key not in node
        if key == MERGE_KEY and event.implicit[0]:
            summary = "YAML 1.2 has no merge keys"
            fix = "write the fields out, or set them once for all in defaults.connection of workspace.yaml"
            self._report(SpecCode.MERGE_KEY, place, summary, fix)
            node.key_places[key] = place
            frame.kept = False
        frame.key, frame.key_place = key, place
        if key in node:
            hidden = any(level.key == AUTHORIZATION for level in self._stack[:-1])
            summary = f"{'a key' if hidden else f'the key {shown(key)!r}'} stands twice in this mapping"
            fix = f"the first one stands at {self.file.span(node.key_places[key])}; keep one of the two"
            self._report(SpecCode.DUPLICATE_KEY, place, summary, fix)

    def _value(self, event: ScalarEvent, place: Place) -> Value:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            summary = f"is {len(text):,} characters long"
            self._report(SpecCode.WRONG_LENGTH, place, summary, f"no value has more than {MAX_SCALAR:,}")
            text = text[:MAX_SCALAR]
        if event.tag is None:
            return nodes.plain(text) if event.implicit[0] else text
        if event.tag not in _STRING_TAGS:
            self._report_tag(place)
        return text

    def _put(self, value: Value, place: Place, size: int = 1, height: int = 0) -> None:
        if not self._stack:
            self._document = Document(self.file, value, place)
            return
        frame = self._stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        node = frame.node
        if isinstance(node, Seq):
            node.append(value)
            node.places.append(place)
            return
        key, frame.key = frame.key, None
        if key is not None and frame.kept:
            node[key] = value
            node.key_places[key] = frame.key_place
            node.value_places[key] = place

    def _refuse_as_key(self, place: Place) -> None:
        if self._stack and self._stack[-1].key is None and isinstance(self._stack[-1].node, Map):
            summary = "a key must be text, not a mapping, a list or an alias"
            raise self._broken(SpecCode.YAML_KEY, place, summary, "quote what starts with {, [ or *")

    def _check_depth(self, place: Place, height: int) -> None:
        if len(self._stack) + height > MAX_DEPTH:
            raise self._broken(SpecCode.TOO_DEEP, place, *_TOO_DEEP)

    def _report_tag(self, place: Place) -> None:
        self._report(
            SpecCode.YAML_TAG, place, "specs have no YAML tags", "leave the tag out, or quote the value"
        )

    def _report(self, code: SpecCode, place: Place, summary: str, fix: str = "") -> None:
        self.found.append(self._diagnostic(code, place, summary, fix))

    def _broken(self, code: SpecCode, place: Place, summary: str, fix: str = "") -> _BrokenError:
        return _BrokenError(self._diagnostic(code, place, summary, fix))

    def _diagnostic(self, code: SpecCode, place: Place, summary: str, fix: str) -> Diagnostic:
        keys = [frame.key for frame in self._stack if frame.key is not None]
        return Diagnostic(code, summary, fix, self.file.span(place), dotted(keys))


_STEPS: Final[dict[type[Event], Callable[..., None]]] = {
    DocumentStartEvent: _Composer.start_document,
    DocumentEndEvent: _Composer.end_document,
    ScalarEvent: _Composer.scalar,
    MappingStartEvent: _Composer.start_map,
    MappingEndEvent: _Composer.end_collection,
    SequenceStartEvent: _Composer.start_list,
    SequenceEndEvent: _Composer.end_collection,
    AliasEvent: _Composer.alias,
}


# --- syntax errors -----------------------------------------------------------------------------

_ADVICE: Final = {
    "mapping values are not allowed in this context": "quote a value that holds ': ', "
    "or correct the indentation",
    "found character that cannot start any token": "quote a value that starts with @, ` or %",
    "could not find expected ':'": "a key is followed by a colon and a space",
    "did not find expected ',' or '}'": "put commas between the entries, and close each { with a }",
    "did not find expected ',' or ']'": "put commas between the entries, and close each [ with a ]",
    "did not find expected key": "correct the indentation, or the quotes before this place",
    "found invalid Unicode character escape code": "write the character itself, or \\U and its whole code; "
    "JSON writes it in two halves (json.dumps: ensure_ascii=False)",
    "found unknown escape character": "write \\\\ for a backslash in double quotes, or use single quotes",
    "found incompatible YAML document": "leave the %YAML line out",
}
"""What libyaml's problems usually mean, by its own fixed words."""


def _syntax_error(error: yaml.YAMLError, text: str, file: SourceFile) -> Diagnostic:
    """The parser's error in our words; its own text may quote the file, so only the fixed part is used."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Diagnostic(SpecCode.YAML_SYNTAX, "this file is not YAML", span=file.span((1, 1)))
    problem = error.problem or "this is not YAML"
    mark = error.problem_mark
    if problem == _LIBYAML_TOO_DEEP:
        return Diagnostic(SpecCode.TOO_DEEP, *_TOO_DEEP, file.span((mark.line + 1, mark.column + 1)))
    if problem == "found unexpected end of stream" and error.context_mark is not None:
        mark = error.context_mark
        problem, fix = "a quote is opened here and never closed", "close it"
    elif "tab character" in problem or text[mark.index : mark.index + 1] == "\t":
        problem, fix = "a tab stands where YAML wants spaces", "indent with spaces"
    else:
        fix = _ADVICE.get(problem, "")
    return Diagnostic(SpecCode.YAML_SYNTAX, problem, fix, file.span((mark.line + 1, mark.column + 1)))
