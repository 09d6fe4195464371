"""Secrets for the sandbox, where nobody should need real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from reconciler.model import Secret, SecretRef
from reconciler.secrets.errors import SecretError

PREFIX = "made-up-"


class MadeUp:
    """Resolves like ``resolver``, and makes a value up where that has none.

    The value depends on the reference's text alone. ``made_up`` holds the references it stood in for.
    """

    def __init__(self, resolver: Callable[[SecretRef], Secret]) -> None:
        self._resolver = resolver
        self.made_up: set[str] = set()

    def __call__(self, ref: SecretRef) -> Secret:
        """The secret of ``ref``, or a made-up one."""
        try:
            return self._resolver(ref)
        except SecretError:
            self.made_up.add(str(ref))
            return Secret(PREFIX + hashlib.sha256(str(ref).encode()).hexdigest()[:24])
