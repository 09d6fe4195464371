"""Resolves a secret reference to a value, as late as possible."""

from reconciler.secrets.providers import MadeUp
from reconciler.secrets.resolver import Resolver
from reconciler.secrets.secret_files import SecretCode, SecretError

__all__ = ["MadeUp", "Resolver", "SecretCode", "SecretError"]
