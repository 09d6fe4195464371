"""Secrets, and the references that stand for them in specs and plans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NoReturn

from reconciler.diagnostics import Span


class Secret:
    """A value that must never be shown: it prints as ``***`` and refuses to be copied out of the process."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


REFERENCE: Final = re.compile(r"\$\{(?P<scheme>[^{}:]*):(?P<locator>[^{}]*)\}")
"""The form of every reference, in specs and in saved plans; which schemes there are, loading says."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept: ``${env:NAME}``, ``${file:PATH#/pointer}``, ``${table:FILE#KEY.COLUMN}``.

    A file's path is written relative to the workspace's root, whichever spec it stands in, so a
    saved plan means the same wherever it is applied.
    """

    scheme: str
    locator: str
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"${{{self.scheme}:{self.locator}}}"

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """The reference that the whole of ``text`` is, as ``str`` writes one; ``None`` where it is none."""
        found = REFERENCE.fullmatch(text)
        return cls(found["scheme"], found["locator"]) if found else None


_OPENING: Final = "${"
_ESCAPED: Final = "$${"
_OPENED: Final = re.compile(r"(?<!\$)\$\{")


def holds_reference(text: str) -> bool:
    """Whether ``text`` is, or tries to be, a reference: ``$${`` is a literal ``${``."""
    return _OPENED.search(text) is not None


def literal(text: str) -> str:
    """What a text without a reference says: ``$${`` is the written form of ``${``."""
    return text.replace(_ESCAPED, _OPENING)


def written(text: str) -> str:
    """How a text is written that says just this, the other way of ``literal``."""
    return text.replace(_OPENING, _ESCAPED)


RESERVED_VARIABLES: Final = "CODAT_"
"""Environment variables that start so are ours: no reference names them, and no command is given them."""
REF_PLACE: Final = "{ref}"
"""Where a command's arguments take the text of a reference."""
PROVIDERS_GROUP: Final = "codat_sync.secrets"
"""The entry point group of packages that resolve references of a scheme of their own."""


@dataclass(frozen=True, slots=True)
class SecretCommands:
    """The commands that ``workspace.yaml`` permits for secrets: arguments by scheme, and a time limit."""

    by_scheme: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=10)
