-- Those who come along to a visit beside its citizen. Their rows go when the visit is erased.
CREATE TABLE participants (
    id         TEXT   NOT NULL PRIMARY KEY,
    visit      TEXT   NOT NULL REFERENCES visits (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL CHECK (role IN ('interpreter', 'companion')),
    token_hash TEXT   NOT NULL UNIQUE, -- of the secret in the link
    ghost      TEXT   NOT NULL UNIQUE,
    guest      TEXT, -- the browser that opened the link last
    made_at    BIGINT NOT NULL
);
CREATE INDEX participants_of_visit ON participants (visit);
