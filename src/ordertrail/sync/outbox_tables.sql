-- Written once for both databases. A mark stands for what each of them calls it: `@int` and `@name`
-- (text that is looked up, and sorted by its bytes) are types, `@number` is a key that is counted
-- up, `@number_for_ever` one that never comes twice, and `@table` or `@keyed` ends a table that is
-- looked up by a number or by its own key.

-- The outbox's tables may stand next to a shop's own, hence the prefix. Rows that name a
-- destination never outlive it, because destinations are never deleted; a foreign key would be
-- checked for every row of the hot paths.

CREATE TABLE ordertrail_outbox (
    form @int NOT NULL
) @table;

-- `shared` is what all workers of the destination have in common, `pruned` how many operations
-- were done and deleted.
CREATE TABLE ordertrail_destinations (
    id @number,
    key @name NOT NULL UNIQUE,
    shared TEXT NOT NULL DEFAULT '',
    pruned @int NOT NULL DEFAULT 0
) @table;

CREATE TABLE ordertrail_snapshots (
    id @number,
    destination @int NOT NULL,
    source @name NOT NULL,
    order_id @name NOT NULL,
    content_hash TEXT NOT NULL,
    rank @int,
    planned TEXT NOT NULL,
    body TEXT NOT NULL,
    accepted_at @int NOT NULL,
    older_count @int NOT NULL DEFAULT 0,
    older_at @int,
    UNIQUE (destination, source, order_id)
) @table;
CREATE INDEX ordertrail_snapshots_older ON ordertrail_snapshots (destination, older_count)
    WHERE older_count > 0;

CREATE TABLE ordertrail_quarantine (
    destination @int NOT NULL,
    source @name NOT NULL,
    order_id @name NOT NULL,
    reason TEXT NOT NULL,
    rank @int,
    refused_at @int NOT NULL,
    PRIMARY KEY (destination, source, order_id)
) @keyed;

CREATE TABLE ordertrail_contacts (
    destination @int NOT NULL,
    custom_id @name NOT NULL,
    lane @name NOT NULL,
    body TEXT NOT NULL,
    changes @int NOT NULL,
    said_as_of TEXT NOT NULL,
    PRIMARY KEY (destination, custom_id)
) @keyed;

CREATE TABLE ordertrail_accounts (
    destination @int NOT NULL,
    source @name NOT NULL,
    shop_id @name NOT NULL,
    custom_id @name NOT NULL,
    as_of @int NOT NULL,
    lane @name NOT NULL,
    merges @int NOT NULL,
    PRIMARY KEY (destination, source, shop_id)
) @keyed;

-- The id of a lease is the fencing token of what it holds, so no number comes twice.
CREATE TABLE ordertrail_leases (
    id @number_for_ever,
    destination @int NOT NULL,
    worker TEXT NOT NULL,
    until @int NOT NULL
) @table;
CREATE INDEX ordertrail_leases_until ON ordertrail_leases (destination, until);

-- The order of `id` is the order in which the operations of one lane are made. What may be made
-- at once has a `due_at` of 0.
CREATE TABLE ordertrail_operations (
    id @number,
    destination @int NOT NULL,
    key @name NOT NULL,
    source @name NOT NULL,
    order_id @name NOT NULL,
    lane @name NOT NULL,
    step @int NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'parked')),
    lease @int,
    attempts @int NOT NULL DEFAULT 0,
    is_unsure @int NOT NULL DEFAULT 0,
    due_at @int NOT NULL DEFAULT 0,
    failing_since @int,
    reason TEXT,
    created_at @int NOT NULL,
    finished_at @int,
    CHECK ((state = 'leased') = (lease IS NOT NULL))
) @table;
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
