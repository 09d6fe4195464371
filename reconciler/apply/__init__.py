"""Carries out a plan: one ordered worker for each company, several at once, nothing twice.

::

    executing            the workers, when the run stops, counts
    company_worker       one company's actions in order
    companies, connections    what is created, by
    idempotent_create         the protocol of idempotency keys
    recording, marking   tags that tell which connection is which, and that tokens were sent
    authorizing          tokens, with caution platform by platform (platform_breaker)
    changing, removing   what exists, by writes that may be sent twice (retried_write)
    configuring, syncing products, sync settings and syncs
    state, running       what a worker knows, what a run shares
    keys, waiting, failing, telling
"""

from reconciler.apply.executing import execute
from reconciler.apply.platform_breaker import PlatformBreaker
from reconciler.apply.running import Resolve
from reconciler.apply.telling import Telling

__all__ = ["PlatformBreaker", "Resolve", "Telling", "execute"]
