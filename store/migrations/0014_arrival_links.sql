-- The secret that a citizen's calendar holds: it lets one arrive and changes nothing. Here is its hash.
ALTER TABLE bookings ADD COLUMN arrival_hash TEXT;
CREATE UNIQUE INDEX bookings_by_arrival ON bookings (arrival_hash) WHERE arrival_hash IS NOT NULL;
