"""The tables. All that the sandbox knows stands in them, so it may be killed at any moment."""

from __future__ import annotations

from typing import Final

VERSION: Final = 4
"""Raised with every change of the tables; a file of another version is refused."""
APPLICATION_ID: Final = 0x0C0DA7
"""Marks a SQLite file as ours."""

TABLES: Final = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE spent (day TEXT PRIMARY KEY, requests INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE company (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    password TEXT NOT NULL,
    products TEXT NOT NULL DEFAULT '[]',
    sync_settings TEXT,
    created INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    visible_from INTEGER NOT NULL
);
CREATE TABLE tag (
    company TEXT NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (company, key)
);
CREATE INDEX tag_value ON tag (key, value, company);

CREATE TABLE connection (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    platform TEXT NOT NULL,
    status TEXT NOT NULL,
    password TEXT NOT NULL,
    created INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    is_online INTEGER NOT NULL,
    is_revoked INTEGER NOT NULL DEFAULT 0,
    next_outcome TEXT,
    authorizations INTEGER NOT NULL DEFAULT 0,
    tokens_while_linked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX connection_company ON connection (company);
CREATE INDEX connection_linked ON connection (company) WHERE status = 'Linked';
CREATE TABLE connection_error (
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    erred INTEGER NOT NULL,
    resolved INTEGER
);
CREATE INDEX connection_error_connection ON connection_error (connection);
CREATE TABLE spent_token (
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    PRIMARY KEY (connection, digest)
) WITHOUT ROWID;

CREATE TABLE pull (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL,
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    data_type TEXT NOT NULL,
    requested INTEGER NOT NULL,
    fetched INTEGER,
    ended INTEGER,
    outcome TEXT NOT NULL,
    is_noticed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX pull_company ON pull (company, requested);
CREATE INDEX pull_connection ON pull (connection, outcome, ended);
CREATE INDEX pull_refused ON pull (ended) WHERE outcome = 'AuthError' AND is_noticed = 0;

CREATE TABLE webhook (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    event_types TEXT NOT NULL,
    company_tags TEXT NOT NULL
);

CREATE TABLE answer (
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    document TEXT NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (key)
) WITHOUT ROWID;
CREATE INDEX answer_given ON answer (given);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT,
    status INTEGER NOT NULL,
    took_effect INTEGER NOT NULL,
    replayed INTEGER NOT NULL,
    fault TEXT,
    company TEXT,
    connection TEXT,
    tokens_to_linked INTEGER NOT NULL
);
CREATE TABLE fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    times_left INTEGER
);
"""
