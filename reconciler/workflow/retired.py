"""What ``retired`` does: name the secrets that Codat holds newer ones of; no value is ever looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.migration import Retired
from reconciler.model import Address, Desired, SecretRef, matches
from reconciler.workflow.running import run
from reconciler.workflow.surveying import Survey, SurveyRequest, look, survey_context


@dataclass(frozen=True, slots=True)
class RetiredSecrets:
    """The secrets to destroy, and how many are kept back because another connection still needs them."""

    secrets: tuple[Retired, ...]
    still_needed: int


def retired(request: SurveyRequest) -> RetiredSecrets:
    """The secret references of which every connection is Linked; no value is resolved.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    targets = request.targets
    survey, desired = run(_survey(request))
    linked = {one.address for one in survey.states if one.is_linked}
    uses = _uses(desired)
    concerned = {
        ref: found
        for ref, found in uses.items()
        if not targets or any(matches(pattern, address) for pattern in targets for address, _ in found)
    }
    done = {ref: found for ref, found in concerned.items() if all(address in linked for address, _ in found)}
    shared = sum(
        ref not in done and any(address in linked for address, _ in found) for ref, found in concerned.items()
    )
    return RetiredSecrets(
        tuple(Retired(ref, tuple(found)) for ref, found in sorted(done.items(), key=lambda one: str(one[0]))),
        shared,
    )


def _uses(desired: Desired) -> Mapping[SecretRef, list[tuple[Address, str]]]:
    """Where the specs use each secret."""
    found: defaultdict[SecretRef, list[tuple[Address, str]]] = defaultdict(list)
    for key, company in sorted(desired.companies.items()):
        for name, connection in sorted(company.connections.items()):
            for field, value in sorted(connection.authorization.items()):
                if isinstance(value, SecretRef):
                    found[value].append((Address(key, name), field))
    return found


async def _survey(request: SurveyRequest) -> tuple[Survey, Desired]:
    """A look beyond the targets: a secret may belong to other connections too."""
    async with survey_context(request) as on:
        return await look(on, everywhere=True), on.desired
