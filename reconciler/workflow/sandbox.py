"""The simulated Codat as this program uses it: embedded, served, or emptied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode

if TYPE_CHECKING:
    from reconciler.sandbox import Sandbox

SERVED_PORT: Final = 8080
"""Where the sandbox is served unless a user says otherwise."""


def embedded_sandbox(file: Path) -> Sandbox:
    """The sandbox in this process, its state in ``file``.

    Raises:
        CodatSyncError: the file is no sandbox's, or one of another version.
    """
    from reconciler.sandbox import Sandbox  # here, because a run on the real API has no need of it

    with _translated():
        _make_room(file)
        return Sandbox(file)


def serve_sandbox(file: Path, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the sandbox on a loopback port until interrupted; ``on_ready`` is told the URL.

    Raises:
        CodatSyncError: the file is no sandbox's, the port is taken, or the extra ``sandbox`` is missing.
    """
    from reconciler.sandbox import serve

    with _translated():
        _make_room(file)
        serve(file, port, on_ready=on_ready)


def reset_sandbox(file: Path) -> None:
    """Remove the sandbox's state.

    Raises:
        CodatSyncError: the file is no sandbox's.
    """
    from reconciler.sandbox import reset

    with _translated():
        reset(file)


@contextmanager
def _translated() -> Iterator[None]:
    """Let the sandbox, which knows nothing of ours, fail in our words."""
    from reconciler.sandbox import SandboxError

    try:
        yield
    except SandboxError as error:
        raise CodatSyncError(Diagnostic(CommandCode.SANDBOX, str(error))) from None
    except OSError as error:
        raise CodatSyncError(
            Diagnostic(CommandCode.SANDBOX, f"the sandbox's file cannot be used: {error.strerror or error}")
        ) from None


def _make_room(path: Path) -> None:
    """Make the sandbox's directory, if there is none; what we made keeps itself out of version control."""
    if path.parent.exists():
        return
    path.parent.mkdir(parents=True)
    (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
