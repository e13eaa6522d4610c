-- Messages in the door room that hold words of a booking's person, to be redacted when the person is forgotten.
CREATE TABLE booking_notes (
    event   TEXT NOT NULL PRIMARY KEY,
    booking TEXT NOT NULL REFERENCES bookings (id) ON DELETE CASCADE
);
CREATE INDEX booking_notes_of_booking ON booking_notes (booking);
