"""The exit statuses, the same for every command and format."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    """Done, or nothing to do."""
    ERROR = 1
    """An error, a failure, or something blocking is left."""
    CHANGES = 2
    """``plan --detailed-exitcode``: an action is pending."""
    MISUSED = 2
    """The command line is misused; the same number, as every program says it."""
    REFUSED = 3
    """Refused for safety, with nothing done."""
    INTERRUPTED = 130
