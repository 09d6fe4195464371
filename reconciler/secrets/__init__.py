"""Resolves a secret reference to a value, as late as possible."""

from reconciler.secrets.resolver import MadeUp, Resolver, is_slow
from reconciler.secrets.secret_files import SecretCode, SecretError

__all__ = ["MadeUp", "Resolver", "SecretCode", "SecretError", "is_slow"]
