-- The appointments to come of one office, in order: looked at with each change of its queue.
CREATE INDEX bookings_expected ON bookings (office, starts_at) WHERE state = 'confirmed';
