"""YAML to desired state or diagnostics, each with its place.

What ``import`` alone needs, ``adoptable`` and ``writing``, is taken from there, so that ``validate`` starts
without it.
"""

from reconciler.loading.load import Loaded, load
from reconciler.loading.platforms import BUILTIN_PLATFORMS
from reconciler.loading.schema import file_text, plan_complaints
from reconciler.loading.spec_codes import SpecCode, SpecError
from reconciler.loading.workspace_file import connection_defaults, is_for_sandbox, secret_commands

__all__ = [
    "BUILTIN_PLATFORMS",
    "Loaded",
    "SpecCode",
    "SpecError",
    "connection_defaults",
    "file_text",
    "is_for_sandbox",
    "load",
    "plan_complaints",
    "secret_commands",
]
