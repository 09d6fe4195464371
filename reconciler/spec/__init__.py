"""YAML to desired state or diagnostics, each with its place."""

from reconciler.spec.adoptable import Adoptable, Extra, LeftOut, Sieved, Why, sieved
from reconciler.spec.codes import Code
from reconciler.spec.errors import SpecError
from reconciler.spec.loading import Loaded, load
from reconciler.spec.plan_schema import plan_complaints
from reconciler.spec.platforms import BUILTIN_PLATFORMS
from reconciler.spec.schema import file_text
from reconciler.spec.workspace_file import connection_defaults, is_for_sandbox, secret_commands
from reconciler.spec.writing import company_keys, spec_text

__all__ = [
    "BUILTIN_PLATFORMS",
    "Adoptable",
    "Code",
    "Extra",
    "LeftOut",
    "Loaded",
    "Sieved",
    "SpecError",
    "Why",
    "company_keys",
    "connection_defaults",
    "file_text",
    "is_for_sandbox",
    "load",
    "plan_complaints",
    "secret_commands",
    "sieved",
    "spec_text",
]
