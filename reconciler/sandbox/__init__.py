"""A pretend Codat, with its quirks and with faults on demand."""

from reconciler.sandbox.serving import Sandbox, serve
from reconciler.sandbox.store import SandboxError, reset

__all__ = ["Sandbox", "SandboxError", "reset", "serve"]
