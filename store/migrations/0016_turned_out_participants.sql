-- A clerk has put them out of the conversation's room. A visit that they come along to later is not meant.
ALTER TABLE participants ADD COLUMN turned_out BIGINT NOT NULL DEFAULT 0;
