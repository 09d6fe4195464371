"""Secrets, and the references that stand for them in specs and plans."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Final, NoReturn

from reconciler.diagnostics import Span
from reconciler.wording import either


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


# --- where a secret is kept --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable."""

    scheme: ClassVar[str] = "env"
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file as a whole, or by a JSON pointer a text in it. Its path counts from the workspace's root."""

    scheme: ClassVar[str] = "file"
    path: str
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.path}#{self.pointer}" if self.pointer else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a CSV table, which is named as a file is; without a key it stands for the table as such."""

    scheme: ClassVar[str] = "table"
    path: str
    key: str = ""
    column: str = ""

    def __str__(self) -> str:
        return f"{self.path}#{self.key}.{self.column}" if self.key else self.path


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a command of the workspace, or an installed package, is asked for."""

    scheme: str
    text: str

    def __str__(self) -> str:
        return self.text


Locator = Variable | SecretFile | Cell | Lookup


class LocatorError(ValueError):
    """A reference of a scheme that is not written as one: what is wrong, and how it is written."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)+")


def _variable(text: str) -> Variable:
    if not _VARIABLE.fullmatch(text):
        fix = f"write {SCHEMES[Variable.scheme].form} with letters, digits and '_'"
        raise LocatorError("this is not the name of an environment variable", fix)
    return Variable(text)


def _file(text: str) -> SecretFile:
    path, separator, pointer = text.partition("#")
    if not path.strip() or not text.isprintable():
        raise LocatorError("this reference names no file", REFERENCE_ADVICE)
    if separator and not _POINTER.fullmatch(pointer):
        raise LocatorError(
            "what follows '#' is not a JSON pointer", "write #/name, a JSON pointer into the file"
        )
    return SecretFile(path, pointer)


def _cell(text: str) -> Cell:
    """What follows the last point is the column, so a key may have points."""
    path, _, cell = text.partition("#")
    key, _, column = cell.rpartition(".")
    if not (path.strip() and key and column and text.isprintable()):
        raise LocatorError("this reference names no cell of a table", f"write {SCHEMES[Cell.scheme].form}")
    return Cell(path=path, key=key, column=column)


def _lookup(scheme: str, text: str) -> Lookup:
    if not text.strip() or not text.isprintable() or text.startswith("-"):
        fix = "write what to look up; it cannot begin with '-'"
        raise LocatorError("this reference names nothing", fix)
    return Lookup(scheme, text)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of reference that needs no program: how it is written, and what reads its locator."""

    form: str
    read: Callable[[str], Locator]


SCHEMES: Final[Mapping[str, Scheme]] = {
    Variable.scheme: Scheme("${env:NAME}", _variable),
    SecretFile.scheme: Scheme("${file:PATH#/pointer}", _file),
    Cell.scheme: Scheme("${table:FILE#KEY.COLUMN}", _cell),
}
"""Every scheme of our own; any other is a command's or a package's."""
REFERENCE_ADVICE: Final = f"write {either(scheme.form for scheme in SCHEMES.values())}"


def locator_of(scheme: str, text: str) -> Locator:
    """What the text of a reference says, by the grammar of its scheme.

    Raises:
        LocatorError: it is not written as one.
    """
    return SCHEMES[scheme].read(text) if scheme in SCHEMES else _lookup(scheme, text)


REFERENCE: Final = re.compile(r"\$\{(?P<scheme>[^{}:]*):(?P<locator>[^{}]*)\}")
"""The form of every reference, in specs and in saved plans."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept, parsed once, and where that is written.

    A file's path is written relative to the workspace's root, whichever spec it stands in, so a
    saved plan means the same wherever it is applied.
    """

    locator: Locator
    span: Span | None = field(default=None, compare=False)

    @property
    def scheme(self) -> str:
        """The kind of reference, as it is written."""
        return self.locator.scheme

    def __str__(self) -> str:
        return f"${{{self.locator.scheme}:{self.locator}}}"

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """The reference that the whole of ``text`` is, as ``str`` writes one; ``None`` where it is none.

        Raises:
            LocatorError: it is one of its scheme's that is not written as such.
        """
        found = REFERENCE.fullmatch(text)
        return cls(locator_of(found["scheme"], found["locator"])) if found else None


class WrittenValues(Mapping[str, "str | SecretRef"]):
    """Values as saved plans and specs write them, of which those that are references are made when asked for.

    Tens of thousands of connections have some, and a plan of companies that are as they were left needs none.
    Their ``names`` may be shared.
    """

    __slots__ = ("_names", "_texts")

    def __init__(self, names: tuple[str, ...], texts: tuple[str, ...]) -> None:
        self._names = names
        self._texts = texts

    @property
    def texts(self) -> dict[str, str]:
        """The values as they are written."""
        return dict(zip(self._names, self._texts, strict=True))

    def __getitem__(self, name: str) -> str | SecretRef:
        text = self.texts[name]
        found = SecretRef.parse(text)
        return literal(text) if found is None else SecretRef(found.locator, self.span_of(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))

    def span_of(self, _: str, /) -> Span | None:
        """Where the value of that name stands; unknown here."""
        return None


# --- texts that are none -----------------------------------------------------------------------

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
