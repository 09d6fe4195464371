"""codat-sync: a declarative reconciler for Codat. Specs and live state -> plan -> outcome -> text."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("codat-sync")
except PackageNotFoundError:  # pragma: no cover - only in a checkout that was never installed
    __version__ = "0.0.0"
