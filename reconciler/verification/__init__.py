"""A pure function from desired and live state to how far a migration is, and whether it holds."""

from reconciler.verification.checks import CHECKS, verified
from reconciler.verification.connection_states import ConnectionState, connection_statuses, states_of
from reconciler.verification.evidence import Namesakes, evidence_of, needs_history

__all__ = [
    "CHECKS",
    "ConnectionState",
    "Namesakes",
    "connection_statuses",
    "evidence_of",
    "needs_history",
    "states_of",
    "verified",
]
