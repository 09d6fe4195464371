"""What the commands do: the only place that builds client, clock and resolver."""

from reconciler.workflow.applying import Applied, apply
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Planned, PlanRequest, plan
from reconciler.workflow.platforms import platforms
from reconciler.workflow.sandbox import reset_sandbox, serve_sandbox
from reconciler.workflow.validating import Validated, validate

__all__ = [
    "Applied",
    "Endpoint",
    "PlanRequest",
    "Planned",
    "Validated",
    "apply",
    "plan",
    "platforms",
    "reset_sandbox",
    "serve_sandbox",
    "validate",
]
