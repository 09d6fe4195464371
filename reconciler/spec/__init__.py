"""YAML to desired state or diagnostics, each with its place."""

from reconciler.spec.codes import Code
from reconciler.spec.errors import SpecError
from reconciler.spec.loading import Loaded, load
from reconciler.spec.plan_schema import plan_complaints
from reconciler.spec.platforms import BUILTIN_PLATFORMS

__all__ = ["BUILTIN_PLATFORMS", "Code", "Loaded", "SpecError", "load", "plan_complaints"]
