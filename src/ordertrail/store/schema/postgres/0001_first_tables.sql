CREATE TABLE workspaces (
    id BIGINT NOT NULL PRIMARY KEY,
    uid TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    time_zone TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    is_strict BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE sequences (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    name TEXT COLLATE "C" NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE keys (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('read', 'write', 'both')),
    rate_limit BIGINT NOT NULL DEFAULT 0,
    networks JSON NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    expires_at BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX keys_hash ON keys (hash);

CREATE TABLE people (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX people_email ON people (email);

CREATE TABLE sign_in_links (
    workspace_id BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hash),
    FOREIGN KEY (workspace_id, person_id) REFERENCES people (workspace_id, id)
);

CREATE TABLE sessions (
    workspace_id BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hash),
    FOREIGN KEY (workspace_id, person_id) REFERENCES people (workspace_id, id)
);

CREATE TABLE attributes (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    content_type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value_type TEXT COLLATE "C" NOT NULL,
    is_inferred BIGINT NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    description TEXT COLLATE "C" NOT NULL DEFAULT '',
    choices JSON NOT NULL DEFAULT '[]',
    allows_many BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX attributes_name ON attributes (workspace_id, content_type, name);

CREATE TABLE pipelines (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE stages (
    workspace_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    pipeline_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, pipeline_id) REFERENCES pipelines (workspace_id, id)
);

CREATE TABLE contacts (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    custom_id TEXT COLLATE "C",
    user_key TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    email_folded TEXT COLLATE "C",
    profile JSON NOT NULL,
    attributes JSON NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    merged_into BIGINT,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX contacts_custom_id ON contacts (workspace_id, custom_id) WHERE custom_id IS NOT NULL;
CREATE UNIQUE INDEX contacts_user_key ON contacts (workspace_id, user_key);
CREATE INDEX contacts_email ON contacts (workspace_id, email_folded) WHERE email_folded IS NOT NULL;
CREATE INDEX contacts_merged ON contacts (workspace_id, merged_into, email_folded) WHERE merged_into IS NOT NULL;
CREATE INDEX contacts_phone ON contacts (workspace_id, (profile ->> 'phone_number')) WHERE (profile ->> 'phone_number') IS NOT NULL;

CREATE TABLE products (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    custom_id TEXT COLLATE "C" NOT NULL,
    details JSON NOT NULL,
    attributes JSON NOT NULL,
    described_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX products_custom_id ON products (workspace_id, custom_id);

CREATE TABLE deals (
    workspace_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    custom_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    contact_id BIGINT,
    pipeline_id BIGINT NOT NULL,
    stage_id BIGINT NOT NULL,
    status BIGINT NOT NULL,
    value_minor BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    won_at BIGINT,
    lost_at BIGINT,
    details JSON NOT NULL,
    attributes JSON NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, stage_id) REFERENCES stages (workspace_id, id)
);
CREATE UNIQUE INDEX deals_custom_id ON deals (workspace_id, custom_id) WHERE custom_id IS NOT NULL;
CREATE INDEX deals_contact ON deals (workspace_id, contact_id, id);
CREATE INDEX deals_stage ON deals (workspace_id, stage_id, id);

CREATE TABLE order_products (
    workspace_id BIGINT NOT NULL,
    deal_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    product_custom_id TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL,
    price_micros BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, deal_id, position),
    FOREIGN KEY (workspace_id, deal_id) REFERENCES deals (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id)
);
CREATE INDEX order_products_product ON order_products (workspace_id, product_id, deal_id);

CREATE TABLE deal_products (
    workspace_id BIGINT NOT NULL,
    deal_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, deal_id, product_id),
    FOREIGN KEY (workspace_id, deal_id) REFERENCES deals (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id)
);
CREATE INDEX deal_products_product ON deal_products (workspace_id, product_id, deal_id);

CREATE TABLE product_events (
    workspace_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    custom_data JSON NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    operation_key TEXT COLLATE "C",
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, product_id) REFERENCES products (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
);
CREATE UNIQUE INDEX product_events_key ON product_events (workspace_id, operation_key) WHERE operation_key IS NOT NULL;
CREATE INDEX product_events_contact ON product_events (workspace_id, contact_id, at, id);
CREATE INDEX product_events_product ON product_events (workspace_id, product_id, event_type, at);

CREATE TABLE event_types (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    first_event_id BIGINT,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX event_types_name ON event_types (workspace_id, name);

CREATE TABLE events (
    workspace_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    event_type_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    data JSON NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    operation_key TEXT COLLATE "C",
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_type_id) REFERENCES event_types (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
);
CREATE UNIQUE INDEX events_key ON events (workspace_id, operation_key) WHERE operation_key IS NOT NULL;
CREATE INDEX events_contact ON events (workspace_id, contact_id, at, id);
CREATE INDEX events_type ON events (workspace_id, event_type_id, at);

-- The journal by months, the log of requests by days: the upkeep makes partitions ahead of time and
-- drops old ones. What falls into none of them is kept in the net.
CREATE TABLE journal (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    subject_id BIGINT NOT NULL,
    contact_id BIGINT,
    is_new BIGINT NOT NULL,
    changes JSON NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, id, at)
) PARTITION BY RANGE (at);
CREATE TABLE journal_net PARTITION OF journal DEFAULT;
CREATE INDEX journal_subject ON journal (workspace_id, subject, subject_id, id);
CREATE INDEX journal_stages ON journal (workspace_id, subject_id, id) WHERE subject = 'deal' AND (changes -> 'stage') IS NOT NULL;
CREATE INDEX journal_contact ON journal (workspace_id, contact_id, at, id) WHERE contact_id IS NOT NULL;

CREATE TABLE requests (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    status BIGINT NOT NULL,
    duration_micros BIGINT NOT NULL,
    key_id BIGINT,
    request_id TEXT COLLATE "C" NOT NULL,
    problem TEXT COLLATE "C",
    PRIMARY KEY (workspace_id, id, at)
) PARTITION BY RANGE (at);
CREATE TABLE requests_net PARTITION OF requests DEFAULT;

CREATE TABLE tags (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX tags_name ON tags (workspace_id, name);

CREATE TABLE taggings (
    workspace_id BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    subject_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, subject, subject_id, tag_id),
    FOREIGN KEY (workspace_id, tag_id) REFERENCES tags (workspace_id, id)
);
CREATE INDEX taggings_tag ON taggings (workspace_id, tag_id, subject, subject_id);

CREATE TABLE lists (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX lists_name ON lists (workspace_id, name);

CREATE TABLE list_members (
    workspace_id BIGINT NOT NULL,
    list_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, list_id, contact_id),
    FOREIGN KEY (workspace_id, list_id) REFERENCES lists (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
);
CREATE INDEX list_members_contact ON list_members (workspace_id, contact_id, list_id);

CREATE TABLE companies (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    id BIGINT NOT NULL,
    custom_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    details JSON NOT NULL,
    attributes JSON NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX companies_custom_id ON companies (workspace_id, custom_id) WHERE custom_id IS NOT NULL;

CREATE TABLE company_members (
    workspace_id BIGINT NOT NULL,
    company_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, company_id, contact_id),
    FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
);
CREATE INDEX company_members_contact ON company_members (workspace_id, contact_id, company_id);

CREATE TABLE answers (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    operation_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    status BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    warnings JSON NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, operation_key)
);
CREATE INDEX answers_age ON answers (workspace_id, created_at);
-- The microseconds since 1970 of a time in ISO 8601, taken as UTC when it names no zone; null for
-- any other text.
CREATE FUNCTION moment_micros(said TEXT) RETURNS BIGINT LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF said !~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:\d\d))?)?$' THEN
        RETURN NULL;
    END IF;
    IF said ~ '(Z|[+-]\d\d:\d\d)$' THEN
        RETURN CAST(extract(epoch FROM CAST(said AS timestamptz)) * 1000000 AS bigint);
    END IF;
    RETURN CAST(extract(epoch FROM CAST(said AS timestamp)) * 1000000 AS bigint);
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_parameter_value THEN
    RETURN NULL;
END
$$;

-- Who writes into a workspace, and the ticket of the newest transaction of each that was kept.
CREATE TABLE writers (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    name TEXT COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
