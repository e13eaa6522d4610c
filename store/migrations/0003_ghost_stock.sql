-- Ghosts that stand for nobody yet. A row is written before its account is made (ready = 0), so that no account is
-- ever forgotten, and deleted in the transaction that gives the ghost to a visit: no ghost stands for two guests.
CREATE TABLE ghost_stock (
    user_id  TEXT   NOT NULL PRIMARY KEY,
    ready    BIGINT NOT NULL DEFAULT 0,
    added_at BIGINT NOT NULL
);
