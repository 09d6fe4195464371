"""What ``sandbox serve`` and ``sandbox reset`` do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.workflow.endpoint import make_room


def serve_sandbox(file: Path, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the sandbox on a loopback port until interrupted; ``on_ready`` is told the URL."""
    from reconciler.sandbox import serve

    make_room(file)
    serve(file, port, on_ready=on_ready)


def reset_sandbox(file: Path) -> None:
    """Remove the sandbox's state."""
    from reconciler.sandbox import reset

    reset(file)
