-- An office's appointments as a calendar that clerks subscribe to, at an address with a secret: here is its hash.
CREATE TABLE feeds (
    office     TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    names      BIGINT NOT NULL DEFAULT 0, -- whether it tells who comes
    made_at    BIGINT NOT NULL
);

-- When desks cannot be booked because their own calendars say so. Times alone: no words of these calendars are kept.
CREATE TABLE busy_calendars (
    office     TEXT   NOT NULL,
    calendar   TEXT   NOT NULL, -- its name in the city's file
    spans      TEXT   NOT NULL, -- JSON array of [start, end]
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (office, calendar)
);
