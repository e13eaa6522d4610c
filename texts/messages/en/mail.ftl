# Emails about appointments. Plain words.

mail-when = { $day } { $year }, { $time }
mail-when-twice = { $day } { $year }, { $time } (UTC{ $offset })
mail-greeting = Dear { $name },
mail-greeting-nameless = Hello,
mail-farewell = Kind regards, { $office }
mail-fact-when = When
mail-fact-so-far = Your appointment so far
mail-fact-office = Office
mail-fact-service = Service
mail-fact-code = Appointment number
mail-fact-documents = Please have ready
mail-fact-offered = Other time
mail-offered = { $offered } (held for you until { $until })
mail-fact-reason = Reason

mail-confirm-subject = Please confirm: appointment on { $when }
mail-confirm-lead = You have chosen an appointment. It counts only once you confirm it. Open the link and press “Confirm appointment”.
mail-confirm-action = Confirm appointment
mail-confirm-note = You did not want an appointment? Then you do not need to do anything: without confirmation it will lapse soon.

mail-booked-subject = Your appointment on { $when }
mail-booked-lead = Your appointment is booked. The conversation takes place in your browser, so you can stay at home. Open the link at the agreed time.
mail-booked-action = Your appointment: take part, move or cancel
mail-booked-note = The link is for you alone. Do not pass it on. Interpreters and companions get links of their own on the page.

mail-moved-subject = Moved: your appointment is on { $when }
mail-moved-lead = Your appointment has a new time.
mail-moved-action = Your appointment: take part, move or cancel
mail-moved-note = The link is the same as before. It is for you alone.

mail-cancelled-subject = Cancelled: your appointment on { $when }
mail-cancelled-lead = You have cancelled your appointment. Thank you for letting us know.
mail-cancelled-action = Book a new appointment
mail-cancelled-note = During opening hours you can also knock without an appointment.

mail-cancelled-by-office-subject = Cancelled: your appointment on { $when }
mail-cancelled-by-office-lead = Unfortunately we have to cancel your appointment. We are sorry for the trouble.
mail-cancelled-by-office-action = Book a new appointment
mail-cancelled-by-office-note = During opening hours you can also knock without an appointment.

mail-reminder-subject = Reminder: your appointment on { $when }
mail-reminder-lead = This is a reminder of your appointment. If you cannot come, please cancel. Somebody else can then use the time.
mail-reminder-action = Your appointment: take part, move or cancel
mail-reminder-note = Please test your camera and microphone before the appointment. You can also do without them and write.

mail-no-show-subject = Your appointment on { $when } has lapsed
mail-no-show-lead = We waited for you. You were not there, so the appointment has lapsed. You can simply book a new one.
mail-no-show-action = Book a new appointment
mail-no-show-note = During opening hours you can also knock without an appointment.

mail-lost-subject = Your appointment on { $when } has lapsed
mail-lost-lead = You were already here for your appointment. Then we called you in vain or lost the connection, and the appointment has lapsed. You can simply book a new one.
mail-lost-action = Book a new appointment
mail-lost-note = During opening hours you can also knock without an appointment.

mail-outage-subject = Your appointment on { $when } has lapsed
mail-outage-lead = Around the time of your appointment our virtual office could not be reached for a while. We are sorry. The appointment has lapsed. You can simply book a new one.
mail-outage-action = Book a new appointment
mail-outage-note = During opening hours you can also knock without an appointment.

mail-companion-subject = Invitation: appointment on { $when }
mail-companion-lead = Somebody has booked an appointment and named you as companion.
mail-companion-action = Look at the appointment
mail-companion-note = Open the link at the time of the appointment: it takes you to the conversation. You cannot change the appointment with it. If this means nothing to you, delete this email.

mail-companion-moved-subject = Moved: appointment on { $when }
mail-companion-moved-lead = The appointment to which you are invited as companion has a new time.
mail-companion-moved-action = Look at the appointment
mail-companion-moved-note = The link is the same as before. If this means nothing to you, delete this mail.

mail-companion-cancelled-subject = Cancelled: appointment on { $when }
mail-companion-cancelled-lead = The appointment to which you were invited as companion does not take place.
mail-companion-cancelled-action = Look at the appointment
mail-companion-cancelled-note = You need not do anything. If this means nothing to you, delete this mail.

mail-earlier-subject = An earlier appointment has become free
mail-earlier-lead = You wanted an earlier appointment. One is free now, and we are holding it for you. You keep your present appointment until you accept the earlier one.
mail-earlier-action = Look at the earlier appointment
mail-earlier-note = If you do not want this time, you do not need to do anything. We will then ask the next person.

mail-other-time-subject = About your proposal: your appointment stays on { $when }
mail-other-time-lead = Your calendar has proposed another time. We cannot accept proposals from calendars. Your appointment stays as it is.
mail-other-time-action = Choose another time yourself
mail-other-time-note = You find all free times behind the link. It is for you alone.

mail-calendar-description = Appointment { $code } at { $office }. The conversation takes place in the browser. To move or cancel the appointment, use the link in our email.
mail-calendar-location = Virtual front office
mail-calendar-link = To the appointment
mail-calendar-alarm = Your appointment begins soon.

mail-offer-subject = Another time for your appointment?
mail-offer-lead = We would like to move your appointment to another time and ask for your consent. You keep your present appointment until you accept the other time.
mail-offer-action = Accept, decline, or choose a time yourself
mail-offer-note = If the time does not suit you, use the link to choose another one.
