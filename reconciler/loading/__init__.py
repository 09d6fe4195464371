"""YAML to desired state or diagnostics, each with its place."""

from reconciler.loading.adoptable import Adoptable, Extra, LeftOut, Sieved, Why, sieved
from reconciler.loading.load import Loaded, load
from reconciler.loading.platforms import BUILTIN_PLATFORMS
from reconciler.loading.schema import file_text, plan_complaints
from reconciler.loading.spec_codes import SpecCode, SpecError
from reconciler.loading.workspace_file import connection_defaults, is_for_sandbox, secret_commands
from reconciler.loading.writing import account_text, company_keys, spec_text

__all__ = [
    "BUILTIN_PLATFORMS",
    "Adoptable",
    "Extra",
    "LeftOut",
    "Loaded",
    "Sieved",
    "SpecCode",
    "SpecError",
    "Why",
    "account_text",
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
