"""What went wrong, where, and what to do about it: the lowest noun, known by every room.

The tree of our exceptions::

    CodatSyncError              exit 1: an error, or something failed
    +-- MisusedError            exit 2: the command line asks for what cannot be done
    +-- RefusedError            exit 3: refused for safety, with nothing done

Rooms add leaves below these (``reconciler.codat.errors``); none of them adds a root of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How much a diagnostic matters: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file that the user wrote; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong: a stable kebab-case code, what it is, and what to do next.

    ``path`` is the dotted path in the document or an address; ``detail`` is shown only with ``-v``.
    None of the texts may hold a secret or an authorization value.
    """

    code: str
    summary: str
    fix: str = ""
    span: Span | None = None
    path: str = ""
    severity: Severity = Severity.ERROR
    detail: str = ""

    def __str__(self) -> str:
        message = f"{self.summary}; {self.fix}" if self.fix else self.summary
        return ": ".join(str(part) for part in (self.span, self.path, message) if part)


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place, those without a place first, each only once."""
    return tuple(
        sorted(
            dict.fromkeys(diagnostics),
            key=lambda diagnostic: (
                diagnostic.span is not None,
                diagnostic.span or Span("", 0, 0),
                diagnostic.path,
                diagnostic.code,
                diagnostic.summary,
            ),
        )
    )


class CodatSyncError(Exception):
    """The root of what a user may see as an error; carries diagnostics and the exit status."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = in_reading_order(diagnostics)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(dict.fromkeys(found.code for found in self.diagnostics))})"

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class MisusedError(CodatSyncError):
    """The command line asks for something that cannot be done; nothing was done."""

    exit_code: ClassVar[int] = 2


class RefusedError(CodatSyncError):
    """Refused for safety; nothing was done."""

    exit_code: ClassVar[int] = 3
