"""The codes of what a command refuses before any room below is at fault."""

from __future__ import annotations

from enum import StrEnum


class CommandCode(StrEnum):
    """Why a command did not go on. Codes are stable: scripts match them."""

    NOT_CONFIRMED = "not-confirmed"
    PRUNE_NARROWED = "prune-narrowed"
    SANDBOX = "sandbox"
    SANDBOX_ONLY = "sandbox-only"
    WRONG_ACCOUNT = "wrong-account"
    BAD_BASE = "bad-base"
    NO_SUCH_CANARY = "no-such-canary"
    CANARY_FAILED = "canary-failed"
    NOTHING_TO_HAND_OVER = "nothing-to-hand-over"
    NOT_IN_CODAT_YET = "not-in-codat-yet"

    EVENTS_UNWRITABLE = "events-unwritable"
    DIRECTORY_GONE = "directory-gone"
    STDOUT_UNWRITABLE = "stdout-unwritable"
    OUTPUTS_UNWRITABLE = "outputs-unwritable"
    NO_SUCH_COMPANY = "no-such-company"
    FILE_EXISTS = "file-exists"
    IMPORT_MANAGED = "import-managed"
    IMPORT_NAME = "import-name"
    IMPORT_TAGS = "import-tags"
    IMPORT_UNWRITABLE = "import-unwritable"
    IMPORT_CONNECTION = "import-connection"

    SPEC_UNWRITABLE = "spec-unwritable"

    PLAN_UNWRITABLE = "plan-unwritable"
    PLAN_UNREADABLE = "plan-unreadable"
    PLAN_CUT = "plan-cut"
    PLAN_VERSION = "plan-version"
    PLAN_UNSAVED = "plan-unsaved"
    PLAN_EDITED = "plan-edited"
    PLAN_MALFORMED = "plan-malformed"
    PLAN_ELSEWHERE = "plan-elsewhere"
    PLAN_OTHER_API = "plan-other-api"
    PLAN_OTHER_SPECS = "plan-other-specs"
    PLAN_STALE = "plan-stale"
