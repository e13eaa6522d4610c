-- Where somebody waits for an earlier time: in which five-minute steps the office had a place to book when they were
-- looked at last. What has one later and had none then has become free, and is offered.
CREATE TABLE booking_vacancies (
    office TEXT NOT NULL PRIMARY KEY,
    cells  TEXT NOT NULL -- JSON array of [first, end) pairs of cells, in order and apart
);
