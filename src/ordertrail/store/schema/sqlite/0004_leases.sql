-- Whose turn it is at each piece of background work; times are microseconds of the database's clock.
CREATE TABLE leases (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    turn INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT, WITHOUT ROWID;
