-- The outbox's tables may stand next to a shop's own, hence the prefix. Rows that name a
-- destination never outlive it, because destinations are never deleted; a foreign key would be
-- checked for every row of the hot paths.

CREATE TABLE ordertrail_outbox (
    form INTEGER NOT NULL
) STRICT;
INSERT INTO ordertrail_outbox (form) VALUES (2);

-- `shared` is what all workers of the destination have in common, `pruned` how many operations
-- were done and deleted.
CREATE TABLE ordertrail_destinations (
    id INTEGER NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    shared TEXT NOT NULL DEFAULT '',
    pruned INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE ordertrail_snapshots (
    id INTEGER NOT NULL PRIMARY KEY,
    destination INTEGER NOT NULL,
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    rank INTEGER,
    planned TEXT NOT NULL,
    body TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    older_count INTEGER NOT NULL DEFAULT 0,
    older_at INTEGER,
    UNIQUE (destination, source, order_id)
) STRICT;
CREATE INDEX ordertrail_snapshots_older ON ordertrail_snapshots (destination, older_count)
    WHERE older_count > 0;

CREATE TABLE ordertrail_quarantine (
    destination INTEGER NOT NULL,
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    rank INTEGER,
    refused_at INTEGER NOT NULL,
    PRIMARY KEY (destination, source, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ordertrail_contacts (
    destination INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    body TEXT NOT NULL,
    changes INTEGER NOT NULL,
    said_as_of TEXT NOT NULL,
    PRIMARY KEY (destination, custom_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ordertrail_accounts (
    destination INTEGER NOT NULL,
    source TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    custom_id TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    lane TEXT NOT NULL,
    merges INTEGER NOT NULL,
    PRIMARY KEY (destination, source, shop_id)
) STRICT, WITHOUT ROWID;

-- The id of a lease is the fencing token of what it holds, so no number comes twice.
CREATE TABLE ordertrail_leases (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    destination INTEGER NOT NULL,
    worker TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX ordertrail_leases_until ON ordertrail_leases (destination, until);

-- The order of `id` is the order in which the operations of one lane are made. What may be made
-- at once has a `due_at` of 0.
CREATE TABLE ordertrail_operations (
    id INTEGER NOT NULL PRIMARY KEY,
    destination INTEGER NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'parked')),
    lease INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    is_unsure INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    reason TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((state = 'leased') = (lease IS NOT NULL))
) STRICT;
CREATE INDEX ordertrail_operations_waiting ON ordertrail_operations (destination, lane, id)
    WHERE state = 'waiting';
CREATE INDEX ordertrail_operations_due ON ordertrail_operations (destination, due_at, lane)
    WHERE state = 'waiting' AND due_at > 0;
CREATE INDEX ordertrail_operations_leased ON ordertrail_operations (destination, lane)
    WHERE state = 'leased';
CREATE INDEX ordertrail_operations_parked ON ordertrail_operations (destination, source, order_id, id)
    WHERE state = 'parked';
-- What is done is not planned again, because the ledger knows it: its key may come again only
-- where somebody wants it said again.
CREATE UNIQUE INDEX ordertrail_operations_key ON ordertrail_operations (destination, key)
    WHERE state <> 'done';
