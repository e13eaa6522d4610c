-- Appointments. What identifies the person stands in booking_private and is erased by the retention rule; a
-- booking without it is a line of statistics.
CREATE TABLE bookings (
    id            TEXT   NOT NULL PRIMARY KEY,
    office        TEXT   NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN
                  ('held', 'unconfirmed', 'confirmed', 'arrived', 'cancelled', 'expired', 'no_show')),
    code          TEXT   NOT NULL, -- what clerks and citizens call it
    starts_at     BIGINT NOT NULL,
    ends_at       BIGINT NOT NULL, -- without the buffer after it
    services      TEXT   NOT NULL, -- JSON array of service ids
    language      TEXT   NOT NULL,
    uid           TEXT   NOT NULL UNIQUE, -- iCalendar's, for the booking's life
    sequence      BIGINT NOT NULL DEFAULT 0,
    token_hash    TEXT   UNIQUE, -- of the secret in the booker's link
    expires_at    BIGINT, -- while held or unconfirmed
    reminded      BIGINT NOT NULL DEFAULT 0, -- reminders that are done with
    wants_earlier BIGINT NOT NULL DEFAULT 0,
    reply         TEXT   CHECK (reply IN ('accepted', 'declined', 'tentative')),
    visit         TEXT   UNIQUE,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    erased_at     BIGINT
);
CREATE UNIQUE INDEX bookings_live_code ON bookings (office, code)
    WHERE state IN ('held', 'unconfirmed', 'confirmed', 'arrived');
CREATE INDEX bookings_by_start ON bookings (office, starts_at);
CREATE INDEX bookings_expiring ON bookings (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX bookings_to_erase ON bookings (ended_at) WHERE erased_at IS NULL;
CREATE INDEX bookings_confirmed ON bookings (starts_at) WHERE state = 'confirmed';

-- Everything about a booking that a person wrote.
CREATE TABLE booking_private (
    booking        TEXT NOT NULL PRIMARY KEY REFERENCES bookings (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    mail           TEXT NOT NULL,
    mail_key       TEXT NOT NULL, -- the address in lower case, to count by
    phone          TEXT,
    interpreter    TEXT,
    accessibility  TEXT,
    companion_mail TEXT,
    reason         TEXT -- why a clerk cancelled
);
CREATE INDEX booking_private_by_mail ON booking_private (mail_key);

-- Links of their own for those who come along. Only the hash of the secret is here.
CREATE TABLE booking_links (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    booking    TEXT   NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL CHECK (role IN ('interpreter', 'companion')),
    made_at    BIGINT NOT NULL
);
CREATE INDEX booking_links_of_booking ON booking_links (booking);

-- One row for each five minutes and place that a booking takes. The key is what keeps capacity: two bookings
-- cannot have the same place. From release_at on the place is free again.
CREATE TABLE booking_places (
    office     TEXT   NOT NULL,
    cell       BIGINT NOT NULL, -- five-minute steps since 1970
    place      BIGINT NOT NULL,
    booking    TEXT   NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    release_at BIGINT,
    PRIMARY KEY (office, cell, place)
);
CREATE INDEX booking_places_of_booking ON booking_places (booking);
CREATE INDEX booking_places_released ON booking_places (release_at) WHERE release_at IS NOT NULL;

-- The day for which an office's clerks have had their list of appointments.
CREATE TABLE booking_agendas (
    office TEXT NOT NULL PRIMARY KEY,
    day    TEXT NOT NULL
);
