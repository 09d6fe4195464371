"""What ``explain`` does: what a code means, or why an address is planned as it is. It writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import Diagnostic, MisusedError
from reconciler.model import Address
from reconciler.planner import PlannerCode, account_addresses, addresses, explained, explained_account
from reconciler.workflow.catalogue import catalogue
from reconciler.workflow.planning import Context, Planned, PlanRequest, from_specs
from reconciler.workflow.running import run

FORMAT_VERSION: Final = 1
NEAR: Final = 3
"""How many near misses an error offers."""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What the command line asks: an address of these specs."""

    address: str
    specs: Path
    context: Context


def explain(request: ExplainRequest) -> dict[str, Any]:
    """The document that says why the address is planned as it is.

    Raises:
        MisusedError: the address names nothing; the error offers what is near.
        CodatSyncError: specs or credentials are wrong, or Codat cannot be read.
    """
    if not request.specs.exists():
        codes = [one.code for one in catalogue()]
        where = f"is no code, and {request.specs} is not there to look for it as an address"
        raise _nothing(request.address, where, codes)
    planned = run(from_specs(PlanRequest(request.specs, request.context)))
    observed, desired = planned.observed, planned.desired
    address, plan = Address.parse(request.address), planned.plan
    if address.is_account:
        found = explained_account(address, desired, observed.live, observed.policy, plan)
    else:
        found = explained(address, observed.drafted, desired, observed.live, observed.policy, plan)
    if not found:
        account = account_addresses(desired, observed.live, observed.policy)
        known = [*addresses(observed.drafted, desired), *account, *(one.code for one in catalogue())]
        raise _nothing(request.address, "is neither an address of the plan nor a code", known)
    return _document(request, planned, [one.document() for one in found])


def _document(request: ExplainRequest, planned: Planned, found: list[dict[str, Any]]) -> dict[str, Any]:
    plan = planned.plan
    return {
        "formatVersion": FORMAT_VERSION,
        "address": request.address,
        "workspace": plan.workspace,
        "api": plan.api,
        "explanations": found,
        "refusals": [one.message for one in plan.refusals],
    }


def _nothing(name: str, why: str, known: Sequence[str]) -> MisusedError:
    near = get_close_matches(name, dict.fromkeys(known), n=NEAR)
    fix = f"did you mean {' or '.join(map(repr, near))}?" if near else "codat-sync plan shows the addresses"
    return MisusedError(Diagnostic(PlannerCode.NO_SUCH_ADDRESS, f"{name!r} {why}", fix))
