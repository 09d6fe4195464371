"""Secrets from installed packages: entry points of the group ``codat_sync.secrets``, by scheme.

Each is a callable from the text of a reference to the secret. It is loaded when the first reference
of its scheme is resolved, so a plan imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from reconciler.model import PROVIDERS_GROUP, Secret, SecretRef
from reconciler.secrets.errors import SecretCode, refused


class Providers:
    """Asks installed providers."""

    def __init__(self) -> None:
        self._loaded: dict[str, Callable[[str], object]] = {}

    def __contains__(self, scheme: str) -> bool:
        return scheme in self._loaded or scheme in names()

    def __call__(self, ref: SecretRef) -> Secret:
        """What the provider of the reference's scheme says.

        Raises:
            SecretError: it cannot be loaded, it fails, or what it says is no text.
        """
        try:
            if ref.scheme not in self._loaded:
                (found, *_) = entry_points(group=PROVIDERS_GROUP, name=ref.scheme)
                self._loaded[ref.scheme] = found.load()
            value = self._loaded[ref.scheme](ref.locator)
        except Exception as error:  # noqa: BLE001 -- a provider may raise anything, the secret in its text
            value, failure = None, type(error).__name__
        else:
            failure = "no text" if not isinstance(value, str) else "nothing" if not value else ""
        if failure or not isinstance(value, str):
            problem = f"the provider {ref.scheme!r} gave {failure}"
            raise refused(
                ref, SecretCode.PROVIDER, problem, "see the documentation of the package that has it"
            )
        return Secret(value)


def names() -> frozenset[str]:
    """The schemes that installed packages provide."""
    return frozenset(entry_points(group=PROVIDERS_GROUP).names)
