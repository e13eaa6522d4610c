-- Instants are BIGINT: milliseconds since 1970 in UTC. Truth values are BIGINT 0 or 1. Only types and
-- syntax that SQLite and PostgreSQL both read; see README.md here.

-- Numbers that rise and are never used again (message ids, outbox ids, inbox order). One writer at a
-- time draws them, so their order is the order of the commits.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE offices (
    slug          TEXT   NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL,
    paused_since  BIGINT,
    notice        TEXT,
    ticket_day    TEXT,
    ticket_number BIGINT,
    durations     TEXT   NOT NULL -- JSON array of milliseconds, the newest last
);

CREATE TABLE desks (
    office TEXT   NOT NULL REFERENCES offices (slug),
    clerk  TEXT   NOT NULL,
    since  BIGINT NOT NULL,
    PRIMARY KEY (office, clerk)
);

-- An erased visit (erased_at set) keeps no guest, Matrix user or clerk: it is a line of statistics.
CREATE TABLE visits (
    id             TEXT   NOT NULL PRIMARY KEY,
    office         TEXT   NOT NULL REFERENCES offices (slug) DEFERRABLE INITIALLY DEFERRED,
    ticket         TEXT   NOT NULL,
    guest          TEXT,
    matrix_user    TEXT,
    kind           TEXT   NOT NULL CHECK (kind IN ('walk_in', 'appointment')),
    appointment_at BIGINT,
    language       TEXT   NOT NULL,
    service        TEXT,
    state          TEXT   NOT NULL CHECK (state IN ('waiting', 'called', 'in_conversation', 'ended')),
    clerk          TEXT,
    knocked_at     BIGINT NOT NULL,
    called_at      BIGINT,
    entered_at     BIGINT,
    ended_at       BIGINT,
    ending         TEXT   CHECK (ending IN ('served', 'left', 'no_show', 'declined')),
    absent_since   BIGINT,
    rated          BIGINT NOT NULL DEFAULT 0,
    erased_at      BIGINT,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((guest IS NULL) <> (matrix_user IS NULL) OR erased_at IS NOT NULL)
);
-- One live visit per person and office, one live visit per ticket: also when the rules had a fault.
CREATE UNIQUE INDEX visits_live_guest ON visits (office, guest) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX visits_live_matrix_user ON visits (office, matrix_user) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX visits_live_ticket ON visits (office, ticket) WHERE ended_at IS NULL;
CREATE INDEX visits_of_guest ON visits (guest, knocked_at) WHERE guest IS NOT NULL;
CREATE INDEX visits_to_erase ON visits (ended_at) WHERE erased_at IS NULL;

-- Everything about a visit that a person wrote; erased by the retention rule.
CREATE TABLE visit_private (
    visit        TEXT NOT NULL PRIMARY KEY REFERENCES visits (id) DEFERRABLE INITIALLY DEFERRED,
    concern      TEXT,
    name         TEXT,
    interpreter  TEXT,
    decline_text TEXT
);

-- Where a visit is in Matrix.
CREATE TABLE visit_matrix (
    visit             TEXT NOT NULL PRIMARY KEY REFERENCES visits (id) DEFERRABLE INITIALLY DEFERRED,
    ghost             TEXT UNIQUE,
    knock_event       TEXT,
    line_event        TEXT,
    concern_event     TEXT,
    consultation_room TEXT UNIQUE
);

CREATE TABLE messages (
    id          BIGINT NOT NULL PRIMARY KEY,
    visit       TEXT   NOT NULL REFERENCES visits (id) DEFERRABLE INITIALLY DEFERRED,
    client_id   TEXT,
    author      TEXT   NOT NULL CHECK (author IN ('guest', 'participant', 'office')),
    author_name TEXT,
    sent_at     BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    file_name   TEXT,
    file_size   BIGINT,
    file_type   TEXT,
    file_mxc    TEXT,
    delivery    TEXT   NOT NULL CHECK (delivery IN ('sending', 'delivered', 'failed')),
    event_id    TEXT UNIQUE,
    UNIQUE (visit, client_id)
);
CREATE INDEX messages_of_visit ON messages (visit, id);

-- A guest's file until the homeserver has it. (BYTEA has no affinity for SQLite: it stores bytes as they are.)
CREATE TABLE blobs (
    message BIGINT NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    bytes   BYTEA  NOT NULL
);

CREATE TABLE outbox (
    id         BIGINT NOT NULL PRIMARY KEY,
    lane       TEXT   NOT NULL,
    job        TEXT   NOT NULL, -- JSON
    not_before BIGINT NOT NULL,
    attempts   BIGINT NOT NULL DEFAULT 0,
    state      TEXT   NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'dead')),
    last_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX outbox_lanes ON outbox (state, lane, id);

CREATE TABLE inbox_transactions (
    id          TEXT   NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL
);
CREATE INDEX inbox_transactions_by_age ON inbox_transactions (received_at);

-- The content of an event (json) is kept until it has been processed; its id longer, against repetition.
CREATE TABLE inbox_events (
    event_id     TEXT   NOT NULL PRIMARY KEY,
    seq          BIGINT NOT NULL UNIQUE,
    room_id      TEXT,
    json         TEXT,
    received_at  BIGINT NOT NULL,
    processed_at BIGINT
);
CREATE INDEX inbox_events_waiting ON inbox_events (seq) WHERE processed_at IS NULL;
CREATE INDEX inbox_events_by_age ON inbox_events (processed_at);

CREATE TABLE rooms (
    kind    TEXT NOT NULL CHECK (kind IN ('door', 'space')),
    slug    TEXT NOT NULL, -- empty for the city's space
    room_id TEXT NOT NULL UNIQUE,
    PRIMARY KEY (kind, slug)
);

CREATE TABLE published_state (
    room_id TEXT NOT NULL,
    type    TEXT NOT NULL,
    content TEXT NOT NULL, -- JSON
    PRIMARY KEY (room_id, type)
);

-- Counted, not listed: a rating cannot be led back to a visit.
CREATE TABLE ratings (
    office TEXT   NOT NULL REFERENCES offices (slug),
    day    TEXT   NOT NULL,
    stars  BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
    count  BIGINT NOT NULL,
    PRIMARY KEY (office, day, stars)
);
