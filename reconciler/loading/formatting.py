"""Specs in one style: indentation, spaces and line ends, with every comment and every value as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.loading import files, workspace_file, yaml_nodes
from reconciler.loading.account_file import account_path
from reconciler.loading.nodes import SourceFile
from reconciler.loading.references import real_path
from reconciler.loading.spec_codes import SpecCode, SpecError
from reconciler.loading.words import escape

_WIDTH: Final = 110
_TRIES: Final = 3
"""Passes after which a text must stand still: a comment may settle in its column one pass later."""
_UNBROKEN: Final = 1 << 30
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_COMMENT: Final = re.compile(r"#[^\n]*")
_UNSEEN: Final = re.compile(
    r"[\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0001-\U000e007f]"
)
"""Characters that turn or hide text, or look like a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatted:
    """A file as it is and as it shall be; the same text where nothing is to be done."""

    path: Path
    shown: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        """Whether formatting changes the file."""
        return self.before != self.after


def formatted(specs: Path) -> tuple[tuple[Formatted, ...], tuple[Diagnostic, ...]]:
    """Every spec file of ``specs``, its workspace and its account file, formatted, and warnings of the rest.

    Raises:
        SpecError: a file cannot be read, or is not YAML.
    """
    specs = real_path(specs)
    if nothing := files.missing(specs):
        raise SpecError((nothing,))
    location = workspace_file.locate(specs)
    found = files.find(specs, location.root)
    beside = (location.file, account_path(location.root)) if specs.is_dir() else ()
    paths = [*found.specs, *(path for path in beside if path is not None)]
    errors = [diagnostic for diagnostic in found.diagnostics if diagnostic.severity is Severity.ERROR]
    results: list[Formatted] = []
    warnings: list[Diagnostic] = []
    for path in paths:
        file = files.source(path)
        text = files.read_text(file)
        broken = (text,) if isinstance(text, Diagnostic) else yaml_nodes.read(text, file)[1]
        errors.extend(broken)
        if broken or isinstance(text, Diagnostic):
            continue
        after = format_text(text)
        if after is None:
            warnings.append(_left(file))
        results.append(Formatted(path=real_path(path), shown=file.shown, before=text, after=after or text))
    if errors:
        raise SpecError(tuple(errors))
    return tuple(results), tuple(warnings)


def _left(file: SourceFile) -> Diagnostic:
    summary = "is left as it is: its comments or its values would not stay as they are"
    fix = "move comments off the end of the file and out of multi-line lists in brackets"
    span = file.span((1, 1))
    return Diagnostic(SpecCode.NOT_FORMATTED, summary, fix, span, severity=Severity.WARNING)


def format_text(text: str) -> str | None:
    """The text in our style; ``None`` where that would change a value, or lose or move a comment.

    ``text`` must be YAML without an error of ours.
    """
    try:
        result = _round_trip(text)
        for _ in range(_TRIES):
            again = _round_trip(result)
            if again == result:
                break
            result = again
        else:
            return None
    except (YAMLError, RecursionError):
        return None
    is_same = _values(result) == _values(text) and _comments_of(result) == _comments_of(text)
    return result if is_same else None


class _TextResolver(VersionedResolver):
    """Takes every scalar for text, so that none is written in another form than it was read in."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return super().resolve(kind, value, (False, True) if kind is ScalarNode else implicit)


def _unbroken(name: str) -> Callable[..., None]:
    """A writer of scalars that never breaks a line: only what stands in brackets is wrapped."""

    def write(self: Any, text: Any, split: Any = True) -> None:
        width, self.best_width = self.best_width, _UNBROKEN
        try:
            getattr(super(_UnbrokenEmitter, self), name)(text, False)
        finally:
            self.best_width = width
        del split

    return write


class _UnbrokenEmitter(Emitter):
    write_plain = _unbroken("write_plain")
    write_single_quoted = _unbroken("write_single_quoted")
    write_double_quoted = _unbroken("write_double_quoted")


def _round_trip(text: str) -> str:
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = _WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.brace_single_entry_mapping_in_flow_sequence = True
    writer.explicit_start = _starts_explicitly(text)
    writer.Resolver = _TextResolver
    writer.Emitter = _UnbrokenEmitter
    documents = list(writer.load_all(text))
    if not any(document is not None for document in documents):
        return _tidied(text)
    page = StringIO()
    writer.dump_all(documents, page)
    return _tidied(_seen(page.getvalue(), text))


def _seen(page: str, before: str) -> str:
    """The page, in which what was written as an escape, since nobody sees it, is one again."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] in before else escape(found[0]), page)


def _starts_explicitly(text: str) -> bool:
    """Whether the first document begins with ``---``."""
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    first = next((event for event in events if isinstance(event, yaml.DocumentStartEvent)), None)
    return first is not None and bool(first.explicit)


def _tidied(text: str) -> str:
    """Without white space at the end of a line or of the file."""
    lines = [line.rstrip(" \t") for line in _LINE_END.split(text)]
    return "\n".join(lines).rstrip("\n") + "\n" if any(lines) else ""


def _values(text: str) -> list[object]:
    """What the text says, as our loader reads it."""
    documents, broken = yaml_nodes.read(text, SourceFile(Path(), ""))
    return [*(document.root for document in documents), *(diagnostic.code for diagnostic in broken)]


def _comments_of(text: str) -> list[str]:
    return [comment.rstrip() for comment in _in_gaps(text)]


def _in_gaps(text: str) -> Iterator[str]:
    """The comments between the tokens; a ``#`` inside of one is part of a value."""
    end = 0
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if token.start_mark.index > end:
            yield from _COMMENT.findall(text[end : token.start_mark.index])
        end = max(end, token.end_mark.index)
    yield from _COMMENT.findall(text[end:])
