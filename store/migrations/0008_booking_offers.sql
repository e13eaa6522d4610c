-- The time that a booking was offered last in place of its own. Until then its place is held; the row stays, so
-- that everybody has their turn.
CREATE TABLE booking_offers (
    booking    TEXT   NOT NULL PRIMARY KEY REFERENCES bookings (id) ON DELETE CASCADE,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    by_office  BIGINT NOT NULL -- a clerk's, not the waiting list's
);

-- The consultation room that stands ready for a booking whose citizen has not come yet.
CREATE TABLE booking_rooms (
    booking TEXT NOT NULL PRIMARY KEY REFERENCES bookings (id) ON DELETE CASCADE,
    room    TEXT NOT NULL
);

-- For which time of a booking the clerks know that the office's calendar no longer carries it.
CREATE TABLE booking_conflicts (
    booking   TEXT   NOT NULL PRIMARY KEY REFERENCES bookings (id) ON DELETE CASCADE,
    starts_at BIGINT NOT NULL
);
