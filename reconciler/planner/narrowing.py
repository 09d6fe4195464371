"""Which changes of sync settings make Codat fetch less than before.

Where a window is narrowed after a successful sync, Codat deletes the records outside of it, or marks them
void or archived (https://docs.codat.io/knowledge-base/advanced-sync-settings). So that is a removal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from reconciler.kinds import Change
from reconciler.live import LiveCompany
from reconciler.model import SYNC_FROM_UTC, SYNC_FROM_WINDOW
from reconciler.planner.fields import OVERRIDES


def narrowings(company: LiveCompany | None, changes: Iterable[Change]) -> tuple[str, ...]:
    """The paths of the changes that narrow what is fetched of a company that has synced data."""
    if company is None or all(connection.last_sync is None for connection in company.connections):
        return ()
    return paths_that_narrow(changes)


def paths_that_narrow(changes: Iterable[Change]) -> tuple[str, ...]:
    """The paths of the changes that narrow what is fetched, whether anything was synced or not."""
    return tuple(change.path for change in changes if _narrows(change))


def _narrows(change: Change) -> bool:
    """Whether the change makes Codat fetch less, or nothing tells that it does not.

    A limit where there was none narrows, and so counts one that takes the place of the other kind of limit:
    the two cannot be compared.
    """
    member = change.path.rpartition(".")[2]
    is_less = _LESS.get(member)
    if is_less is None or change.after is None:
        return False
    try:
        return change.before is None or is_less(change.before, change.after)
    except ValueError:
        return True


def _fewer(before: str, after: str) -> bool:
    return float(after) < float(before)


def _later(before: str, after: str) -> bool:
    return datetime.fromisoformat(after) > datetime.fromisoformat(before)


def _back_to_profile(before: str, after: str) -> bool:
    """The profile's settings hold from then on; they are not read, and may fetch less."""
    return (before, after) == ("true", "false")


_LESS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    SYNC_FROM_UTC: _later,
    SYNC_FROM_WINDOW: _fewer,
    "monthsToSync": _fewer,
    OVERRIDES: _back_to_profile,
}
"""For each member that says how far back to fetch, whether it says less afterwards."""
