-- What is taken is counted out of this index alone; the rows themselves lie scattered.
CREATE INDEX booking_places_counted ON booking_places (office, cell, release_at, booking);
