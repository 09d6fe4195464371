"""Carries out a plan: one ordered lane per company, lanes concurrent, nothing twice.

::

    executing    lanes at once, stop conditions, counts
    lane         one company's actions in order
    companies, connections    what is created       (creating: the protocol of idempotency keys)
    recording    which connection is which
    authorizing  tokens                               (turns: caution, platform by platform)
    changing, removing    what exists                 (settling: writes that may be sent twice)
    configuring  products and sync settings
    syncing      syncs
    state, running    what a lane knows, what a run shares
    keys, waiting, failing, telling
"""

from reconciler.apply.executing import execute
from reconciler.apply.running import Resolve
from reconciler.apply.turns import Turns

__all__ = ["Resolve", "Turns", "execute"]
