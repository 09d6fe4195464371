"""Carries out a plan: one ordered worker for each company, several at once, nothing twice.

::

    executing            the workers, each with its company's actions in order; when the run stops, counts
    companies, connections    what is created, changed and removed, by
    idempotent_create         the protocol of idempotency keys
    retried_write        writes that may be sent twice, and the tags that record what was done
    authorizing          tokens, with caution platform by platform
    syncing              syncs
    state, running       what a worker knows (ids, keys, waits), what a run shares (caution, telling)
    failing              how an action ends other than well
"""

from reconciler.apply.executing import execute
from reconciler.apply.running import PlatformBreaker, Resolve, Telling

__all__ = ["PlatformBreaker", "Resolve", "Telling", "execute"]
