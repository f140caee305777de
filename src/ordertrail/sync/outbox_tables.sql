CREATE TABLE destinations (
    id INTEGER NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE snapshots (
    id INTEGER NOT NULL PRIMARY KEY,
    destination INTEGER NOT NULL REFERENCES destinations (id),
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    planned TEXT NOT NULL,
    body TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    UNIQUE (destination, source, order_id)
) STRICT;

CREATE TABLE quarantine (
    destination INTEGER NOT NULL REFERENCES destinations (id),
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    refused_at INTEGER NOT NULL,
    PRIMARY KEY (destination, source, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    destination INTEGER NOT NULL REFERENCES destinations (id),
    custom_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    body TEXT NOT NULL,
    changes INTEGER NOT NULL,
    as_of INTEGER,
    PRIMARY KEY (destination, custom_id)
) STRICT, WITHOUT ROWID;

-- The order of `id` is the order in which the operations of one lane are made.
CREATE TABLE operations (
    id INTEGER NOT NULL PRIMARY KEY,
    destination INTEGER NOT NULL REFERENCES destinations (id),
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    UNIQUE (destination, key)
) STRICT;
CREATE INDEX operations_waiting ON operations (destination, lane, id) WHERE state = 'waiting';
CREATE INDEX operations_parked ON operations (destination, source, order_id, id) WHERE state = 'parked';
