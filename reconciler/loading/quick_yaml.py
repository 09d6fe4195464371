"""YAML text to values with places, the quick way: for files with nothing odd in them, as nearly all are.

One loop over libyaml's events, with nothing looked up and nothing called that can be left out. What is
odd (an anchor, a tag, a key that stands twice, too deep or too long, no YAML) is left to ``yaml_nodes``,
which reads the file anew and has the words for it.
"""

from __future__ import annotations

from sys import intern
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.loading import scalars
from reconciler.loading.nodes import MAX_DEPTH, MAX_SCALAR, MERGE_KEY, Document, Map, Seq, SourceFile

_STARTS: Final = frozenset({MappingStartEvent, SequenceStartEvent})
_ENDS: Final = frozenset({MappingEndEvent, SequenceEndEvent})


def read(text: str, file: SourceFile) -> tuple[Document, ...] | None:
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
    plain, constants, numbers = scalars.plain, scalars.CONSTANTS, scalars.NUMBER_STARTS
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
