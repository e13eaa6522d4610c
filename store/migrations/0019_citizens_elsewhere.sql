-- The citizen of an appointment has said to be here while another visit of theirs went on: while it does, and for a while
-- after it, they are no no-show.
ALTER TABLE bookings ADD COLUMN beside_visit TEXT;
