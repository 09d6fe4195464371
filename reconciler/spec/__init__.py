"""YAML to desired state or diagnostics, each with its place."""

from reconciler.spec.codes import Code
from reconciler.spec.errors import SpecError
from reconciler.spec.loading import Loaded, load
from reconciler.spec.plan_schema import plan_complaints
from reconciler.spec.platforms import BUILTIN_PLATFORMS
from reconciler.spec.schema import file_text
from reconciler.spec.workspace_file import is_for_sandbox, secret_commands
from reconciler.spec.writing import company_keys, is_nameable, spec_text

__all__ = [
    "BUILTIN_PLATFORMS",
    "Code",
    "Loaded",
    "SpecError",
    "company_keys",
    "file_text",
    "is_for_sandbox",
    "is_nameable",
    "load",
    "plan_complaints",
    "secret_commands",
    "spec_text",
]
