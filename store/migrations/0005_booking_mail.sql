-- Mail that comes back about a booking. The address that answers and bounces come to holds a secret; here is its hash.
CREATE TABLE booking_mail (
    booking     TEXT   NOT NULL PRIMARY KEY REFERENCES bookings (id) ON DELETE CASCADE,
    reply_hash  TEXT   NOT NULL UNIQUE,
    answered_at BIGINT, -- the stamp of the newest answer
    taken       BIGINT NOT NULL DEFAULT 0 -- mails that had an effect; each booking has only so many
);
