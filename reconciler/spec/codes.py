"""Every diagnostic code of this room, with its meaning in a line. Codes are stable: scripts match them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """What can be wrong with specs and with ``workspace.yaml``."""

    NO_SUCH_PATH = "no-such-path"
    NO_SPECS = "no-specs"
    UNREADABLE_FILE = "unreadable-file"
    FILE_TOO_LARGE = "file-too-large"
    NOT_UTF8 = "not-utf8"
    SYMLINK_OUTSIDE_ROOT = "symlink-outside-root"
    SYMLINK_LOOP = "symlink-loop"

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
    PLATFORM_TWICE = "platform-twice"
    PLATFORM_SCHEMA = "platform-schema"

    DUPLICATE_COMPANY = "duplicate-company"
    DUPLICATE_COMPANY_ID = "duplicate-company-id"
    DUPLICATE_CONNECTION_ID = "duplicate-connection-id"
    RENAMED_STILL_THERE = "renamed-still-there"
    RENAMED_TWICE = "renamed-twice"
    NEW_WITH_ID = "new-with-id"
    NAME_CHARACTERS = "name-characters"
    NAME_EMPTY = "name-empty"
    RESERVED_TAG = "reserved-tag"
    TOO_MANY_TAGS = "too-many-tags"
    UNKNOWN_PLATFORM = "unknown-platform"
    SEVERAL_ACCOUNTING = "several-accounting"
    SEVERAL_BANK_FEEDS = "several-bank-feeds"
    ID_REQUIRED = "id-required"
    WRONG_TIME = "wrong-time"
    AUTHORIZATION_MISSING = "authorization-missing"
    AUTHORIZATION_UNUSED = "authorization-unused"
    AUTHORIZATION_LITERAL = "authorization-literal"
    AUTHORIZATION_SCHEMA = "authorization-schema"
    REFERENCE_PARTIAL = "reference-partial"
    REFERENCE_SCHEME = "reference-scheme"
    REFERENCE_FORM = "reference-form"
    REFERENCE_RESERVED = "reference-reserved"
    REFERENCE_OUTSIDE_ROOT = "reference-outside-root"
    REFERENCE_MISPLACED = "reference-misplaced"


MEANING: Final[Mapping[Code, str]] = {
    Code.NO_SUCH_PATH: "The file or directory given as SPECS does not exist.",
    Code.NO_SPECS: "The directory holds no *.yaml or *.yml file; an empty workspace is a file of comments.",
    Code.UNREADABLE_FILE: "A file could not be read, or is no regular file.",
    Code.FILE_TOO_LARGE: "A file is larger than the loader reads; split it.",
    Code.NOT_UTF8: "A file is not UTF-8 text, or holds control characters.",
    Code.SYMLINK_OUTSIDE_ROOT: "A symbolic link among the specs leads out of the workspace's root.",
    Code.SYMLINK_LOOP: "A symbolic link among the specs leads to a directory that holds it.",
    Code.YAML_SYNTAX: "A file is not YAML.",
    Code.YAML_KEY: "A key of a mapping is itself a mapping, a list or an alias.",
    Code.YAML_TAG: "A YAML tag other than !!str, !!map and !!seq.",
    Code.YAML_ALIAS: "An alias that names no anchor, or its own surroundings.",
    Code.DUPLICATE_KEY: "A key stands twice in one mapping; YAML would silently keep one of them.",
    Code.MERGE_KEY: "A merge key (<<), which YAML 1.2 does not have.",
    Code.TOO_DEEP: "Mappings and lists are nested deeper than any spec is.",
    Code.ALIAS_BOMB: "The aliases of a file stand for more values than the loader reads.",
    Code.UNKNOWN_FIELD: "A field that the schema does not have, often a slip of the pen.",
    Code.MISSING_FIELD: "A required field is not there.",
    Code.WRONG_TYPE: "A value of the wrong type: text for a mapping, a number for text.",
    Code.WRONG_VALUE: "A value that is none of the permitted ones.",
    Code.WRONG_FORM: "Text that does not have the form its field asks for.",
    Code.WRONG_KEY: "A key of a company, connection, tag or field that does not have the permitted form.",
    Code.OUT_OF_RANGE: "A number that is too small or too large.",
    Code.WRONG_LENGTH: "Text, a list or a mapping that is too short or too long.",
    Code.SCHEMA: "The schema refuses a value for another reason.",
    Code.WORKSPACE_UNNAMED: "workspace.yaml does not name the workspace; only --sandbox does without.",
    Code.WORKSPACE_TWICE: "workspace.yaml and workspace.yml stand in one directory.",
    Code.WORKSPACE_IGNORED: "A workspace.yaml below the one that counts; its settings are not read.",
    Code.PLATFORM_TWICE: "workspace.yaml has two entries for one platform, by name and by key.",
    Code.PLATFORM_SCHEMA: "The JSON Schema that workspace.yaml names for a platform cannot be used.",
    Code.DUPLICATE_COMPANY: "A company's key stands in two places.",
    Code.DUPLICATE_COMPANY_ID: "Two companies have the same id.",
    Code.DUPLICATE_CONNECTION_ID: "Two connections have the same id.",
    Code.RENAMED_STILL_THERE: "renamedFrom names a key that is still in the specs.",
    Code.RENAMED_TWICE: "Two companies are renamedFrom the same key.",
    Code.NEW_WITH_ID: "A company is both new and to be adopted by its id.",
    Code.NAME_CHARACTERS: "A name holds characters that Codat would silently remove.",
    Code.NAME_EMPTY: "Codat would remove every character of a name.",
    Code.RESERVED_TAG: "A tag whose key starts with codatSync; those are ours.",
    Code.TOO_MANY_TAGS: "More tags than Codat keeps on a company, ours counted.",
    Code.UNKNOWN_PLATFORM: "No platform has this name or key.",
    Code.SEVERAL_ACCOUNTING: "A company wants two linked accounting connections; Codat permits one.",
    Code.SEVERAL_BANK_FEEDS: "A company wants two linked bank feeds; Codat permits one.",
    Code.ID_REQUIRED: "The record of which connection is which would not fit into a tag.",
    Code.WRONG_TIME: "issuedAt is not an ISO 8601 time with a zone.",
    Code.AUTHORIZATION_MISSING: "A self-service connection without an authorization to send.",
    Code.AUTHORIZATION_UNUSED: "An authorization on a connection that is not migrated by self-service.",
    Code.AUTHORIZATION_LITERAL: "A secret stands in the spec itself where a reference must stand.",
    Code.AUTHORIZATION_SCHEMA: "An authorization does not fit the schema that workspace.yaml names for it.",
    Code.REFERENCE_PARTIAL: "A reference is only a part of its value.",
    Code.REFERENCE_SCHEME: "A reference of a kind that is not known.",
    Code.REFERENCE_FORM: "A reference that is not written as its kind asks.",
    Code.REFERENCE_RESERVED: "A reference to a CODAT_ variable: our own key is no authorization.",
    Code.REFERENCE_OUTSIDE_ROOT: "A reference to a file outside the workspace's root.",
    Code.REFERENCE_MISPLACED: "A reference outside authorization, where nothing resolves it.",
}
