CREATE TABLE workspaces (
    id INTEGER NOT NULL PRIMARY KEY,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    is_strict INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sequences (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'both')),
    rate_limit INTEGER NOT NULL DEFAULT 0,
    networks TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    expires_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_hash ON keys (hash);

CREATE TABLE people (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX people_email ON people (email);

CREATE TABLE sign_in_links (
    workspace_id INTEGER NOT NULL,
    hash TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hash),
    FOREIGN KEY (workspace_id, person_id) REFERENCES people (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    workspace_id INTEGER NOT NULL,
    hash TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hash),
    FOREIGN KEY (workspace_id, person_id) REFERENCES people (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attributes (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    name TEXT NOT NULL,
    value_type TEXT NOT NULL,
    is_inferred INTEGER NOT NULL,
    display_name TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    choices TEXT NOT NULL DEFAULT '[]',
    allows_many INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attributes_name ON attributes (workspace_id, content_type, name);

CREATE TABLE pipelines (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stages (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, pipeline_id) REFERENCES pipelines (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    custom_id TEXT,
    user_key TEXT NOT NULL,
    email TEXT,
    email_folded TEXT,
    profile TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    merged_into INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_custom_id ON contacts (workspace_id, custom_id) WHERE custom_id IS NOT NULL;
CREATE UNIQUE INDEX contacts_user_key ON contacts (workspace_id, user_key);
CREATE INDEX contacts_email ON contacts (workspace_id, email_folded) WHERE email_folded IS NOT NULL;
CREATE INDEX contacts_merged ON contacts (workspace_id, merged_into, email_folded) WHERE merged_into IS NOT NULL;
CREATE INDEX contacts_phone ON contacts (workspace_id, profile ->> 'phone_number') WHERE profile ->> 'phone_number' IS NOT NULL;

CREATE TABLE products (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    details TEXT NOT NULL,
    attributes TEXT NOT NULL,
    described_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX products_custom_id ON products (workspace_id, custom_id);

CREATE TABLE deals (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    custom_id TEXT,
    name TEXT NOT NULL,
    contact_id INTEGER,
    pipeline_id INTEGER NOT NULL,
    stage_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    value_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    won_at INTEGER,
    lost_at INTEGER,
    details TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, stage_id) REFERENCES stages (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX deals_custom_id ON deals (workspace_id, custom_id) WHERE custom_id IS NOT NULL;
CREATE INDEX deals_contact ON deals (workspace_id, contact_id, id);
CREATE INDEX deals_stage ON deals (workspace_id, stage_id, id);

CREATE TABLE order_products (
    workspace_id INTEGER NOT NULL,
    deal_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    product_custom_id TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    price_micros INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (workspace_id, deal_id, position),
    FOREIGN KEY (workspace_id, deal_id) REFERENCES deals (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_products_product ON order_products (workspace_id, product_id, deal_id);

CREATE TABLE deal_products (
    workspace_id INTEGER NOT NULL,
    deal_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, deal_id, product_id),
    FOREIGN KEY (workspace_id, deal_id) REFERENCES deals (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deal_products_product ON deal_products (workspace_id, product_id, deal_id);

CREATE TABLE product_events (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    at INTEGER NOT NULL,
    custom_data TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    operation_key TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX product_events_key ON product_events (workspace_id, operation_key) WHERE operation_key IS NOT NULL;
CREATE INDEX product_events_contact ON product_events (workspace_id, contact_id, at, id);
CREATE INDEX product_events_product ON product_events (workspace_id, product_id, event_type, at);

CREATE TABLE event_types (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    first_event_id INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX event_types_name ON event_types (workspace_id, name);

CREATE TABLE events (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    event_type_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    operation_key TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_type_id) REFERENCES event_types (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_key ON events (workspace_id, operation_key) WHERE operation_key IS NOT NULL;
CREATE INDEX events_contact ON events (workspace_id, contact_id, at, id);
CREATE INDEX events_type ON events (workspace_id, event_type_id, at);

CREATE TABLE journal (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    contact_id INTEGER,
    is_new INTEGER NOT NULL,
    changes TEXT NOT NULL,
    author TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_subject ON journal (workspace_id, subject, subject_id, id);
CREATE INDEX journal_stages ON journal (workspace_id, subject_id, id) WHERE subject = 'deal' AND changes -> 'stage' IS NOT NULL;
CREATE INDEX journal_contact ON journal (workspace_id, contact_id, at, id) WHERE contact_id IS NOT NULL;

CREATE TABLE requests (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    duration_micros INTEGER NOT NULL,
    key_id INTEGER,
    request_id TEXT NOT NULL,
    problem TEXT,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE leases (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    turn INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT, WITHOUT ROWID;
