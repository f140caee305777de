-- Whose turn it is at each piece of background work; times are microseconds of the database's clock.
CREATE TABLE leases (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    name TEXT COLLATE "C" NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    turn BIGINT NOT NULL,
    until BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
