-- A database that knows nothing takes a workspace for a row or two, and goes through all of it where
-- it looks for one thing. These rows are made, looked at by ANALYZE and taken away again: what is left
-- is that workspaces are few and the rest of each key tells things apart. True statistics replace
-- it as soon as there are rows.
INSERT INTO workspaces SELECT 1, '', '', 'EUR', 'UTC', 0;
INSERT INTO pipelines SELECT 1, g, g, g FROM generate_series(1, 300) g;
INSERT INTO stages SELECT 1, g, g, g, g, g FROM generate_series(1, 300) g;
INSERT INTO contacts SELECT 1, g, g, g, g, g, '{}', '{}', g, g, g FROM generate_series(1, 300) g;
INSERT INTO products SELECT 1, g, g, '{}', '{}', g, g, g FROM generate_series(1, 300) g;
INSERT INTO deals
    SELECT 1, g, g, g, g, g, g, 0, g, 'EUR', g, g, '{}', '{}', g, g FROM generate_series(1, 300) g;
INSERT INTO order_products SELECT 1, g, 1, g, g, 1, g, 'EUR' FROM generate_series(1, 300) g;
INSERT INTO deal_products SELECT 1, g, g FROM generate_series(1, 300) g;
INSERT INTO product_events
    SELECT 1, g, g, g, 'e', g, '{}', 'live', g, g FROM generate_series(1, 300) g;
INSERT INTO event_types SELECT 1, g, g, g, g FROM generate_series(1, 300) g;
INSERT INTO events SELECT 1, g, g, g, g, '{}', 'live', g, g FROM generate_series(1, 300) g;
INSERT INTO attributes SELECT 1, g, 'deal', g, 'text', 0 FROM generate_series(1, 300) g;
INSERT INTO tags SELECT 1, g, g, g FROM generate_series(1, 300) g;
INSERT INTO taggings SELECT 1, 'deal', g, g FROM generate_series(1, 300) g;
INSERT INTO lists SELECT 1, g, g, g FROM generate_series(1, 300) g;
INSERT INTO list_members SELECT 1, g, g FROM generate_series(1, 300) g;
INSERT INTO companies SELECT 1, g, g, g, '{}', '{}', g, g FROM generate_series(1, 300) g;
INSERT INTO company_members SELECT 1, g, g, g FROM generate_series(1, 300) g;
INSERT INTO answers SELECT 1, g, g, 200, '', '[]', g FROM generate_series(1, 300) g;
ANALYZE
    pipelines, stages, contacts, products, deals, order_products, deal_products, product_events,
    event_types, events, attributes, tags, taggings, lists, list_members, companies,
    company_members, answers;
TRUNCATE
    workspaces, pipelines, stages, contacts, products, deals, order_products, deal_products,
    product_events, event_types, events, attributes, tags, taggings, lists, list_members,
    companies, company_members, answers
    CASCADE;
