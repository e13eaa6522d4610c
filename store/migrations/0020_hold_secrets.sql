-- The secret of the hold that a booking was made of: sent again when an answer was lost, it finds the booking and opens
-- nothing. Here is its hash.
ALTER TABLE bookings ADD COLUMN hold_hash TEXT;
CREATE UNIQUE INDEX bookings_by_hold ON bookings (hold_hash) WHERE hold_hash IS NOT NULL;
