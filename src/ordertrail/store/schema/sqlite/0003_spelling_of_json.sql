-- Statements name a value in JSON as both databases read it; an index over one is spelt alike.
DROP INDEX contacts_phone;
CREATE INDEX contacts_phone ON contacts (workspace_id, profile ->> 'phone_number') WHERE profile ->> 'phone_number' IS NOT NULL;

DROP INDEX journal_stages;
CREATE INDEX journal_stages ON journal (workspace_id, subject_id, id) WHERE subject = 'deal' AND changes -> 'stage' IS NOT NULL;
