"""Every diagnostic code of this room, and the one exception that carries them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from reconciler.diagnostics import CodatSyncError, Diagnostic, in_reading_order


class SpecCode(StrEnum):
    """What can be wrong with specs and with ``workspace.yaml``. Codes are stable: scripts match them."""

    NO_SUCH_PATH = "no-such-path"
    NO_SPECS = "no-specs"
    UNREADABLE_FILE = "unreadable-file"
    FILE_TOO_LARGE = "file-too-large"
    NOT_UTF8 = "not-utf8"
    SYMLINK_OUTSIDE_ROOT = "symlink-outside-root"
    SYMLINK_LOOP = "symlink-loop"

    LOOKS_LIKE_SPEC = "looks-like-spec"

    NOT_FORMATTED = "not-formatted"

    YAML_SYNTAX = "yaml-syntax"
    YAML_KEY = "yaml-key"
    YAML_TAG = "yaml-tag"
    YAML_ALIAS = "yaml-alias"
    DUPLICATE_KEY = "duplicate-key"
    MERGE_KEY = "merge-key"
    TOO_DEEP = "too-deep"
    ALIAS_BOMB = "alias-bomb"

    UNKNOWN_FIELD = "unknown-field"
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    WRONG_FORM = "wrong-form"
    WRONG_KEY = "wrong-key"
    OUT_OF_RANGE = "out-of-range"
    WRONG_LENGTH = "wrong-length"
    SCHEMA = "schema"

    WORKSPACE_UNNAMED = "workspace-unnamed"
    WORKSPACE_TWICE = "workspace-twice"
    WORKSPACE_IGNORED = "workspace-ignored"
    WORKSPACE_HIDDEN = "workspace-hidden"
    COMMAND_FORM = "command-form"
    PLATFORM_TWICE = "platform-twice"
    PLATFORM_SCHEMA = "platform-schema"

    TABLE_MISSING = "table-missing"
    TABLE_OUTSIDE_ROOT = "table-outside-root"
    TABLE_FORM = "table-form"
    TABLE_ENCODING = "table-encoding"
    TABLE_NUMBER = "table-number"
    TABLE_SPACE = "table-space"
    TABLE_COLUMN = "table-column"
    TABLE_KEY = "table-key"
    TABLE_REFERENCE = "table-reference"
    TABLE_OF_SECRETS = "table-of-secrets"
    SET_TOO_LARGE = "set-too-large"

    DUPLICATE_COMPANY = "duplicate-company"
    DUPLICATE_COMPANY_ID = "duplicate-company-id"
    DUPLICATE_CONNECTION_ID = "duplicate-connection-id"
    RENAMED_STILL_THERE = "renamed-still-there"
    RENAMED_TWICE = "renamed-twice"
    NEW_WITH_ID = "new-with-id"
    NAME_CHARACTERS = "name-characters"
    NAMES_ALIKE = "names-alike"
    NAME_EMPTY = "name-empty"
    RESERVED_TAG = "reserved-tag"
    TOO_MANY_TAGS = "too-many-tags"
    SYNC_FROM_TWICE = "sync-from-twice"
    WEBHOOK_URL = "webhook-url"
    WEBHOOK_TWICE = "webhook-twice"
    UNKNOWN_PLATFORM = "unknown-platform"
    UNLISTED_PLATFORM = "unlisted-platform"
    SEVERAL_ACCOUNTING = "several-accounting"
    SEVERAL_BANK_FEEDS = "several-bank-feeds"
    ID_REQUIRED = "id-required"
    WRONG_TIME = "wrong-time"
    ISSUED_IN_FUTURE = "issued-in-future"
    ACCOUNT_NUMBER_LITERAL = "account-number-literal"
    NOT_A_BANK_FEED = "not-a-bank-feed"
    AUTHORIZATION_MISSING = "authorization-missing"
    AUTHORIZATION_UNUSED = "authorization-unused"
    AUTHORIZATION_LITERAL = "authorization-literal"
    AUTHORIZATION_SCHEMA = "authorization-schema"
    REFERENCE_PARTIAL = "reference-partial"
    REFERENCE_SCHEME = "reference-scheme"
    REFERENCE_FORM = "reference-form"
    REFERENCE_RESERVED = "reference-reserved"
    REFERENCE_OUTSIDE_ROOT = "reference-outside-root"
    REFERENCE_SHARED = "reference-shared"
    REFERENCE_MISPLACED = "reference-misplaced"


class SpecError(CodatSyncError):
    """The specs cannot be used; holds every error of the run, and the warnings beside them."""

    def __init__(self, errors: Iterable[Diagnostic], warnings: Iterable[Diagnostic] = ()) -> None:
        super().__init__(*errors)
        self.warnings = in_reading_order(warnings)
