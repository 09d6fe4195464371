"""Resolves references: the environment, files and tables below the root, commands, and providers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from os.path import realpath
from pathlib import Path
from typing import Final
from unicodedata import category

from reconciler.diagnostics import Diagnostic, Severity, in_reading_order
from reconciler.secret_refs import (
    RESERVED_VARIABLES,
    SCHEMES,
    Cell,
    Lookup,
    Secret,
    SecretCommands,
    SecretFile,
    SecretRef,
    Variable,
)
from reconciler.secrets.json_files import JsonFiles
from reconciler.secrets.providers import Commands, Providers, is_key, without_key
from reconciler.secrets.secret_files import (
    MAX_BYTES,
    AbsentError,
    SecretCode,
    SecretError,
    absent,
    decoded,
    is_sendable,
    located,
    refused,
    too_large,
    unreadable,
    without_newline,
)
from reconciler.secrets.tables import Tables

AT_ONCE: Final = 8
"""Commands that a check runs at the same time."""
NO_COMMANDS: Final = SecretCommands()

Use = tuple[SecretRef, str]
"""A reference, and where it is used."""


class Resolver:
    """Reads a secret each time it is asked for one, and keeps none.

    ``root`` is the workspace's root; ``environ`` the environment to read variables from;
    ``commands`` those that its ``workspace.yaml`` permits. Without ``providers`` no installed
    package is asked. ``withheld`` are the forms of our own key, which no reference may resolve to.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        commands: SecretCommands = NO_COMMANDS,
        providers: bool = True,
        withheld: frozenset[str] = frozenset(),
    ) -> None:
        self._root = Path(realpath(root))
        self._environ = environ
        self._json_files = JsonFiles(self._root)
        self._tables = Tables(self._root)
        self._withheld = withheld
        self._commands = Commands(commands, self._root, without_key(environ, withheld))
        self._providers = Providers() if providers else None
        self._known = (*SCHEMES, *commands.by_scheme)

    def __call__(self, ref: SecretRef) -> Secret:
        """The secret that ``ref`` points to.

        Raises:
            SecretError: there is none, it may not be read, or it is no text that can be sent.
        """
        secret = self._found(ref)
        if not is_sendable(secret.reveal()):
            fix = "put the secret there as UTF-8 text"
            raise refused(ref, SecretCode.NOT_TEXT, "it holds bytes or half characters that are no text", fix)
        if any(is_control(character) for character in secret.reveal()):
            fix = "put the secret there as it was given to you; what copied it has spoiled it"
            raise refused(ref, SecretCode.NOT_TEXT, "it holds control characters", fix)
        if is_key(secret.reveal(), self._withheld):
            fix = "name the customer's token, and find out who wrote the reference"
            raise refused(
                ref, SecretCode.IS_KEY, "it resolves to our own API key, which is no authorization", fix
            )
        return secret

    def check(self, uses: Iterable[Use]) -> tuple[Diagnostic, ...]:
        """An error for every reference that cannot be resolved, a warning for every odd secret.

        ``uses`` are the references and where each is used, as a message names it (``acme/books
        accessToken``). Each distinct reference to a command is tried by running it, several at a time;
        what it printed is dropped, and read anew at use: a token should not wait in memory.
        """
        return _checked(self, uses)

    def _found(self, ref: SecretRef) -> Secret:
        match ref.locator:
            case Variable(name):
                return Secret(self._variable(ref, name))
            case SecretFile(path, ""):
                return Secret(_filled(ref, without_newline(self._text(ref, path))))
            case SecretFile() as wanted:
                return Secret(_filled(ref, self._json_files(ref, wanted)))
            case Cell() as cell:
                return self._tables(ref, cell)
            case Lookup(scheme) as wanted if scheme in self._commands:
                return self._commands(ref, wanted)
            case Lookup(scheme) as wanted if self._providers is not None and scheme in self._providers:
                return self._providers(ref, wanted)
            case Lookup():
                fix = f"known here are {', '.join(self._known)}"
                raise absent(ref, SecretCode.UNKNOWN_SCHEME, "there is no such kind of reference", fix)

    def _variable(self, ref: SecretRef, name: str) -> str:
        if name.upper().startswith(RESERVED_VARIABLES):
            # Specs cannot hold such a reference; a plan file that someone wrote can.
            fix = "our own key is no authorization; make the plan again from the specs"
            raise refused(
                ref, SecretCode.RESERVED, f"{RESERVED_VARIABLES} variables cannot be referred to", fix
            )
        value = self._environ.get(name, "")
        if not value.strip():
            state = "empty" if name in self._environ else "not set"
            problem = f"the environment variable {name} is {state}"
            raise absent(ref, SecretCode.MISSING, problem, "set it where codat-sync runs")
        return value

    def _text(self, ref: SecretRef, path: str) -> str:
        real = located(ref, self._root, path)
        try:
            if real.stat().st_size > MAX_BYTES:
                raise too_large(ref, path)
            text = decoded(real.read_bytes(), "utf-8-sig")
        except OSError as error:
            raise unreadable(ref, self._root, path, error) from None
        if text is None:
            raise refused(
                ref, SecretCode.UNREADABLE, f"the file {path} is not UTF-8 text", "save it as UTF-8"
            )
        return text


PREFIX: Final = "made-up-"


class MadeUp:
    """Resolves like ``resolver``, and makes a value up where there is nothing; what is broken it refuses.

    The value depends on the reference's text alone. ``made_up`` holds the references it stood in for.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.made_up: set[str] = set()

    def __call__(self, ref: SecretRef) -> Secret:
        """The secret of ``ref``, or a made-up one.

        Raises:
            SecretError: there is something where it leads, and no secret.
        """
        try:
            return self._resolver(ref)
        except AbsentError:
            self.made_up.add(str(ref))
            return _made_up(ref)

    def check(self, uses: Iterable[Use]) -> tuple[Diagnostic, ...]:
        """What ``Resolver.check`` says of those for which nothing is made up."""

        def resolved(ref: SecretRef) -> Secret:
            try:
                return self._resolver(ref)
            except AbsentError:
                return _made_up(ref)

        return _checked(resolved, uses)


def _made_up(ref: SecretRef) -> Secret:
    return Secret(PREFIX + hashlib.sha256(str(ref).encode()).hexdigest()[:24])


def is_slow(ref: SecretRef) -> bool:
    """Whether resolving ``ref`` means to wait for a program or for a package's own way."""
    return isinstance(ref.locator, Lookup)


def _checked(resolve: Callable[[SecretRef], Secret], uses: Iterable[Use]) -> tuple[Diagnostic, ...]:
    quick: list[Use] = []
    slow: dict[str, Use] = {}
    for use in uses:
        if is_slow(use[0]):
            slow.setdefault(str(use[0]), use)
        else:
            quick.append(use)
    problems = partial(_problems, resolve)
    found = [(problem, use[1]) for use in quick for problem in problems(use[0])]
    if slow:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            told = pool.map(problems, (ref for ref, _ in slow.values()))
            for use, those in zip(slow.values(), told, strict=True):
                found.extend((problem, use[1]) for problem in those)
    return in_reading_order(_with_places(found))


def _problems(resolve: Callable[[SecretRef], Secret], ref: SecretRef) -> tuple[Diagnostic, ...]:
    try:
        secret = resolve(ref)
    except SecretError as error:
        return error.diagnostics
    return _odd(ref, secret)


def _with_places(found: Iterable[tuple[Diagnostic, str]]) -> list[Diagnostic]:
    """Each problem once, with the first place where it is met, and how many more there are."""
    places: dict[Diagnostic, list[str]] = {}
    for problem, place in found:
        places.setdefault(problem, []).append(place)
    return [
        replace(problem, path=those[0] + (f" and {len(those) - 1:,} more" if len(those) > 1 else ""))
        for problem, those in places.items()
    ]


def _odd(ref: SecretRef, secret: Secret) -> tuple[Diagnostic, ...]:
    """A warning of white space around a secret: it was copied along, and Codat would take it for a part."""
    text = secret.reveal()
    if text != text.strip():
        what = "a line break" if "\n" in text[len(text.rstrip()) :] else "white space"
        how = f"begins or ends with {what}"
    elif _LINE_BREAK.search(text):
        how = "has a line break in it"
    elif any(category(character) == _UNSEEN for character in text):
        how = "has characters in it that are not seen"
    else:
        return ()
    summary = f"{ref}: the secret {how}, which is sent along"
    fix = "take it out where the secret is kept, if it is no part of it"
    return (Diagnostic(SecretCode.SPACE, summary, fix, ref.span, severity=Severity.WARNING),)


_LINE_BREAK: Final = re.compile(r"[\r\n\u2028\u2029]")
_UNSEEN: Final = "Cf"
"""Unicode's category of characters that only format: a zero-width space from a web page is one."""
_TEXT_CONTROLS: Final = frozenset("\t\r\n")
"""The control characters that a text may have: a key may stand on several lines."""


def is_control(character: str) -> bool:
    """Whether no text that is meant has such a character."""
    return category(character) == "Cc" and character not in _TEXT_CONTROLS


def _filled(ref: SecretRef, value: str) -> str:
    if not value.strip():
        raise refused(ref, SecretCode.MISSING, "it is empty", "put the secret there")
    return value
