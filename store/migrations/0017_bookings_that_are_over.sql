-- An appointment that was kept stays 'arrived': once its person is forgotten, its code may be given again, and its places
-- lie in the past.
DROP INDEX bookings_live_code;
CREATE UNIQUE INDEX bookings_live_code ON bookings (office, code)
    WHERE state IN ('held', 'unconfirmed', 'confirmed', 'arrived') AND erased_at IS NULL;
DELETE FROM booking_places WHERE release_at IS NULL
    AND booking IN (SELECT id FROM bookings WHERE erased_at IS NOT NULL);
