"""Resolves a secret reference to a value, as late as possible."""

from reconciler.secrets.errors import SecretCode, SecretError
from reconciler.secrets.made_up import MadeUp
from reconciler.secrets.resolver import Resolver

__all__ = ["MadeUp", "Resolver", "SecretCode", "SecretError"]
