"""Secrets from elsewhere: programs and packages, by scheme.

There is no shell: the workspace gives the argument list, and a reference only fills ``{ref}`` in it.
A command is run when the references are checked and again just before a use, never by plan or
validate, and what it printed is kept by nothing in between.

Each is a callable from the text of a reference to the secret. It is loaded when the first reference
of its scheme is resolved, so a plan imports none of them.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Final, cast

from reconciler.secret_refs import (
    PROVIDERS_GROUP,
    REF_PLACE,
    RESERVED_VARIABLES,
    Lookup,
    Secret,
    SecretCommands,
    SecretRef,
)
from reconciler.secrets.secret_files import SecretCode, decoded, refused, without_newline

MAX_BYTES: Final = 1024 * 1024
"""What a command may print: far more than any token."""
PIECE: Final = 64 * 1024
"""How much of it is read at a time."""


def for_programs(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that a program is started with: ours without our own variables, which hold the key."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(RESERVED_VARIABLES)}


def is_key(value: str, forms: frozenset[str]) -> bool:
    """Whether ``value`` is one of the forms of our key, white space around it apart."""
    return value.strip() in forms


def without_key(environ: Mapping[str, str], forms: frozenset[str]) -> dict[str, str]:
    """The environment without the variables that hold our key, whatever they are called."""
    return {name: value for name, value in environ.items() if not is_key(value, forms)}


class Commands:
    """Runs the permitted commands in ``root``, with ``environ`` but for our own variables."""

    def __init__(self, permitted: SecretCommands, root: Path, environ: Mapping[str, str]) -> None:
        self._permitted = permitted
        self._root = root
        self._environ = for_programs(environ)

    def __contains__(self, scheme: str) -> bool:
        return scheme in self._permitted.by_scheme

    def __call__(self, ref: SecretRef, wanted: Lookup) -> Secret:
        """What the command of the reference's scheme prints, without one newline at the end.

        Raises:
            SecretError: it cannot be run, fails, takes too long, or prints nothing or no text.
        """
        program, *rest = self._permitted.by_scheme[wanted.scheme]
        printed = self._printed(
            ref, [program, *(argument.replace(REF_PLACE, wanted.text) for argument in rest)]
        )
        text = decoded(printed)
        if text is None:
            raise refused(
                ref, SecretCode.NOT_TEXT, f"{program} printed what is no UTF-8 text", "let it print text"
            )
        value = without_newline(text)
        if not value:
            raise refused(ref, SecretCode.MISSING, f"{program} printed nothing", "put the secret there")
        return Secret(value)

    def _printed(self, ref: SecretRef, arguments: Sequence[str]) -> bytes:
        program, seconds = arguments[0], self._permitted.timeout.total_seconds()
        try:
            # Its complaints are not even read: they may hold what it was about to print.
            process = subprocess.Popen(  # noqa: S603
                arguments,
                cwd=self._root,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            fix = "install it, or correct secrets.commands in workspace.yaml"
            raise refused(ref, SecretCode.COMMAND, f"{program} cannot be run: {reason}", fix) from None
        with process:
            try:
                printed = _read(process, time.monotonic() + seconds)
            except BaseException:
                _end(process)
                raise
            if printed is None or len(printed) > MAX_BYTES:
                _end(process)
        if printed is None:
            fix = "raise secrets.timeout in workspace.yaml, or see whether it waits for a login"
            raise refused(ref, SecretCode.COMMAND, f"{program} did not end within {seconds:g} s", fix)
        if len(printed) > MAX_BYTES:
            raise refused(
                ref, SecretCode.COMMAND, f"{program} printed more than a secret", "let it print one value"
            )
        if process.returncode:
            fix = "run it by hand to see why; what it says is not shown, since it may hold secrets"
            raise refused(ref, SecretCode.COMMAND, f"{program} ended with status {process.returncode}", fix)
        return printed


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """What it prints until it ends, or a little more than it may; ``None`` where the time is over before."""
    output, printed = cast("IO[bytes]", process.stdout), bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        while len(printed) <= MAX_BYTES:
            if not ready.select(_left(deadline)):
                return None
            some = os.read(output.fileno(), PIECE)
            if not some:
                return bytes(printed) if _has_ended(process, deadline) else None
            printed += some
    return bytes(printed)


def _has_ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Whether the program, which has closed its output, ends in time."""
    try:
        process.wait(_left(deadline))
    except subprocess.TimeoutExpired:
        return False
    return True


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it started, if they still run: a child of it could hold the pipe open."""
    if os.name != "posix":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class Providers:
    """Asks installed providers."""

    def __init__(self) -> None:
        self._loaded: dict[str, Callable[[str], object]] = {}

    def __contains__(self, scheme: str) -> bool:
        return scheme in self._loaded or scheme in names()

    def __call__(self, ref: SecretRef, wanted: Lookup) -> Secret:
        """What the provider of the reference's scheme says.

        Raises:
            SecretError: it cannot be loaded, it fails, or what it says is no text.
        """
        try:
            if wanted.scheme not in self._loaded:
                (found, *_) = entry_points(group=PROVIDERS_GROUP, name=wanted.scheme)
                self._loaded[wanted.scheme] = found.load()
            value = self._loaded[wanted.scheme](wanted.text)
        except Exception as error:  # noqa: BLE001 -- a provider may raise anything, the secret in its text
            value, failure = None, type(error).__name__
        else:
            failure = "no text" if not isinstance(value, str) else "nothing" if not value else ""
        if failure or not isinstance(value, str):
            problem = f"the provider {wanted.scheme!r} gave {failure}"
            raise refused(
                ref, SecretCode.PROVIDER, problem, "see the documentation of the package that has it"
            )
        return Secret(value)


def names() -> frozenset[str]:
    """The schemes that installed packages provide."""
    return frozenset(entry_points(group=PROVIDERS_GROUP).names)
