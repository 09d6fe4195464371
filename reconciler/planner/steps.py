"""The six steps of a managed migration and how far each is (https://docs.codat.io/get-started/migration)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.migration import Step
from reconciler.model import Precondition, PreconditionState
from reconciler.planner.connection_states import ConnectionState

YOU: Final = "you"
CODAT: Final = "Codat"
_TO_DO: Final = "to do"


def steps(standings: Sequence[ConnectionState], *, has_details: bool) -> tuple[Step, ...]:
    """The steps for the connections of one platform, from preconditions and from what Codat shows."""
    return (
        Step(
            "Supply migration and platform details",
            YOU,
            "done, with this pack" if has_details else _TO_DO,
            "The table beside this page is the migration; platform details stand below.",
        ),
        Step(
            "Schedule the migration", f"{YOU} and {CODAT}", "to agree", "Agree on a date with Codat's team."
        ),
        Step(
            "Add Codat's callback URL to your application at the provider",
            YOU,
            _precondition(standings, Precondition.CALLBACK_URL_ADDED),
            "Without it a customer who must reconnect is turned away.",
        ),
        Step(
            "Disable data syncing in your existing application for these companies",
            YOU,
            _precondition(standings, Precondition.LEGACY_SYNC_DISABLED),
            "Tokens that your own application still refreshes become invalid.",
        ),
        Step(
            "Migrate the first company and test it end to end",
            CODAT,
            _first(standings),
            "No reauthorization is required, and data syncs complete.",
        ),
        Step(
            "Migrate the rest, test end to end, hand over",
            CODAT,
            _rest(standings),
            "codat-sync verify runs the same test on every connection of this pack.",
        ),
    )


def _precondition(standings: Sequence[ConnectionState], precondition: Precondition) -> str:
    states = [one.connection.preconditions.get(precondition, PreconditionState.TODO) for one in standings]
    todo = states.count(PreconditionState.TODO)
    if todo:
        return _TO_DO if todo == len(states) else f"{_TO_DO} for {todo} of {len(states)}"
    is_idle = all(one is PreconditionState.NOT_APPLICABLE for one in states)
    return "not applicable" if is_idle else "done"


def _first(standings: Sequence[ConnectionState]) -> str:
    linked = next((one for one in standings if one.is_linked), None)
    return f"imported: {linked.address} is Linked" if linked else _TO_DO


def _rest(standings: Sequence[ConnectionState]) -> str:
    linked = sum(one.is_linked for one in standings)
    if linked == len(standings):
        return "imported: all are Linked"
    return f"{linked} of {len(standings)} are Linked"
