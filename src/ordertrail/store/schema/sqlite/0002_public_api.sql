ALTER TABLE workspaces ADD COLUMN is_strict INTEGER NOT NULL DEFAULT 0;

ALTER TABLE keys ADD COLUMN expires_at INTEGER;
ALTER TABLE keys ADD COLUMN last_used_at INTEGER;

ALTER TABLE attributes ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE attributes ADD COLUMN choices TEXT NOT NULL DEFAULT '[]';
ALTER TABLE attributes ADD COLUMN allows_many INTEGER NOT NULL DEFAULT 0;

ALTER TABLE contacts ADD COLUMN merged_into INTEGER;
CREATE INDEX contacts_merged ON contacts (workspace_id, merged_into, email_folded) WHERE merged_into IS NOT NULL;
CREATE INDEX contacts_phone ON contacts (workspace_id, profile ->> '$.phone_number') WHERE profile ->> '$.phone_number' IS NOT NULL;

ALTER TABLE event_types ADD COLUMN first_event_id INTEGER;

CREATE INDEX deals_stage ON deals (workspace_id, stage_id, id);

CREATE INDEX journal_stages ON journal (workspace_id, subject_id, id) WHERE subject = 'deal' AND changes -> '$.stage' IS NOT NULL;

CREATE TABLE tags (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tags_name ON tags (workspace_id, name);

CREATE TABLE taggings (
    workspace_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    tag_id INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, subject, subject_id, tag_id),
    FOREIGN KEY (workspace_id, tag_id) REFERENCES tags (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX taggings_tag ON taggings (workspace_id, tag_id, subject, subject_id);

CREATE TABLE lists (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lists_name ON lists (workspace_id, name);

CREATE TABLE list_members (
    workspace_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, list_id, contact_id),
    FOREIGN KEY (workspace_id, list_id) REFERENCES lists (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_members_contact ON list_members (workspace_id, contact_id, list_id);

CREATE TABLE companies (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    custom_id TEXT,
    name TEXT NOT NULL,
    details TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX companies_custom_id ON companies (workspace_id, custom_id) WHERE custom_id IS NOT NULL;

CREATE TABLE company_members (
    workspace_id INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, company_id, contact_id),
    FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX company_members_contact ON company_members (workspace_id, contact_id, company_id);

CREATE TABLE answers (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    operation_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    warnings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, operation_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_age ON answers (workspace_id, created_at);

-- Without statistics SQLite goes through a whole workspace where it looks for what refers to a
-- contact, product or stage that is deleted. These are the indexes by what is referred to: rows in
-- all, of a workspace, of one contact, product or stage.
ANALYZE events;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('events', 'events_contact', '1000000 1000000 5 1 1'),
    ('product_events', 'product_events_contact', '1000000 1000000 5 1 1'),
    ('product_events', 'product_events_product', '1000000 1000000 5 1 1'),
    ('order_products', 'order_products_product', '1000000 1000000 5 1'),
    ('deals', 'deals_contact', '1000000 1000000 5 1'),
    ('deals', 'deals_stage', '1000000 1000000 5 1'),
    ('company_members', 'company_members_contact', '1000000 1000000 1 1');
ANALYZE sqlite_schema;
