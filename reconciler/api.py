"""The three steps of codat-sync for programs in Python: load specs, plan, apply.

Each does what the command of its name does, and returns what that command shows. Call them from synchronous
code; ``apply`` listens to Ctrl-C meanwhile, so it wants the main thread.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler import DEFAULT_SPECS
from reconciler.diagnostics import CodatSyncError, Diagnostic, MisusedError, RefusedError
from reconciler.model import Desired
from reconciler.outcome import Event, Observer, Outcome
from reconciler.plan import Options, Plan
from reconciler.workflow import applying, planning
from reconciler.workflow.applying import Applied
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Planned
from reconciler.workflow.reading import read_specs
from reconciler.workflow.saving import save

__all__ = [
    "Applied",
    "CodatSyncError",
    "MisusedError",
    "Options",
    "Outcome",
    "Plan",
    "Planned",
    "Ready",
    "RefusedError",
    "Specs",
    "apply",
    "load",
    "plan",
]


@dataclass(frozen=True, slots=True)
class Specs:
    """Specs without an error, and the Codat that they are for.

    ``desired`` is what they want; it is None where they name a platform that only Codat's own list can tell,
    which ``plan`` asks for.
    """

    path: Path
    endpoint: Endpoint
    desired: Desired | None
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A plan that ``apply`` takes: what was planned, from which specs, and with which options."""

    specs: Specs
    options: Options
    planned: Planned

    @property
    def plan(self) -> Plan:
        """The plan itself: ``actions``, ``attention``, ``refusals``, and ``document()`` for its JSON form."""
        return self.planned.plan


def load(
    path: str | os.PathLike[str] = DEFAULT_SPECS,
    *,
    sandbox_file: str | os.PathLike[str] | None = None,
    api_url: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Specs:
    """Read specs and check them, without a request and without a secret.

    With ``sandbox_file`` everything after this speaks to the embedded sandbox, whose state is in that file.
    ``environ`` stands for the environment: the key, the URL, and what ``${env:…}`` refers to.

    Raises:
        RefusedError: ``sandboxOnly`` specs, and the API may be the real one.
        CodatSyncError: something is wrong with the specs; ``diagnostics`` names all of it, with places.
    """
    endpoint = Endpoint(
        os.environ if environ is None else environ,
        api_url,
        None if sandbox_file is None else Path(sandbox_file),
    )
    read = read_specs(Path(path), endpoint).loaded
    if read is None:
        return Specs(Path(path), endpoint, None)
    return Specs(Path(path), endpoint, read.desired, read.warnings)


def plan(specs: Specs, options: Options | None = None) -> Ready:
    """Compare specs, read again as they stand now, with Codat. Writes nothing.

    A plan that a guard refuses is returned too; its ``plan.refusals`` say why.

    Raises:
        RefusedError: the key belongs to another account than ``workspace.yaml`` names.
        MisusedError: ``prune`` on a part of the workspace, or a target that is nowhere.
        CodatSyncError: the specs are wrong, there is no key, or Codat cannot be read.
    """
    chosen = options or Options()
    request = planning.PlanRequest(specs.path, planning.Context(specs.endpoint), chosen)
    return Ready(specs, chosen, planning.plan(request))


def apply(
    ready: Ready,
    *,
    canary: str | None = None,
    batch: int | None = None,
    concurrency: int | None = None,
    wait: timedelta | None = None,
    observer: Observer | None = None,
) -> Applied:
    """Carry out a plan as it was made, or refuse; asks nobody. The same call again goes on where it stopped.

    It plans once more first: what is done already is left out, and what has become different is refused.
    An action that fails raises nothing: ``outcome.results`` holds it, and ``outcome.is_complete`` tells
    whether all that was asked for is done. The outcome is None where a guard refuses the plan.

    Raises:
        RefusedError: the specs or Codat's state have changed since; nothing was done.
        CodatSyncError: a secret cannot be resolved, or Codat cannot be read; nothing was done.
    """
    if ready.plan.refusals:
        return Applied(ready.planned, None)
    specs, options, planned = ready.specs, ready.options, ready.planned
    with TemporaryDirectory(prefix="codat-sync-") as directory:  # it holds references, and no secret
        file = Path(directory) / "plan.json"
        save(file, planned.plan, planned.desired, planned.workspace, options, specs.path)
        source = planning.SavedRequest(
            file,
            planning.Context(specs.endpoint),
            specs.path,
            permits=options,
        )
        request = applying.ApplyRequest(source, secrets.randbits(64), canary, batch, wait, concurrency)
        return applying.apply(request, ask=_confirmed, observer=observer or _unheard)


def _confirmed(_planned: Planned) -> bool:
    """Calling ``apply`` is the confirmation."""
    return True


def _unheard(_event: Event, /) -> None:
    """Nobody asked to be told."""
