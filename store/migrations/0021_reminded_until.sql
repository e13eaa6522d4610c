-- Up to which moment everything that is due about a booking has been said. `reminded` counted the reminders of the city's
-- file, which can be changed; it is written on for programs before this one, and read where this is not known.
ALTER TABLE bookings ADD COLUMN reminded_until BIGINT;
