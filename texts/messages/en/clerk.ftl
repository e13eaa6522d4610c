# What the bot writes to clerks in Matrix, and what stands in the consultation room.

bot-name = Vorzimmer

## The line that rings
knock-line = 🔔 { $ticket } · { $service } · { $language } · position { $position } · waiting since { $since }
knock-line-interpreter = 🔔 { $ticket } · { $service } · { $language } (interpreter wanted) · position { $position } · waiting since { $since }
knock-line-booked = 🔔 { $ticket } · 📅 appointment at { $at } · { $service } · { $language } · position { $position } · here since { $since }
knock-line-booked-interpreter = 🔔 { $ticket } · 📅 appointment at { $at } · { $service } · { $language } (interpreter wanted) · position { $position } · here since { $since }
knock-without-service = no service chosen
knock-called = ✅ { $ticket } · { $service } · called by { $clerk } at { $at }
knock-served = ☑️ { $ticket } · { $service } · finished at { $at }
knock-left = 🚪 { $ticket } · { $service } · left at { $at }
knock-no-show = ⌛ { $ticket } · { $service } · did not come ({ $at })
knock-declined = ⛔ { $ticket } · { $service } · declined at { $at }
knock-concern = { $ticket } – concern: { $concern }
knock-reason = { $ticket } · { $service }
language-de = German
language-en = English

## Consultation room
room-name = { $ticket } · { $office }
room-name-prepared = 📅 { $code } · { $office }
room-name-ended = { $ticket } · { $office } (finished)
room-topic = Consultation for { $ticket }. Finish with !end. The room is erased afterwards.
room-welcome = Number { $ticket }: { $name }
room-guest-unnamed = no name given
room-concern = Concern: { $concern }
room-service = Service: { $service }
room-interpreter = Interpreter wanted: { $interpreter }
room-how-to-end = Finish the conversation with !end.
goodbye-served = The conversation is over. Thank you for your visit.
goodbye-left = The visitor has left the conversation.
goodbye-no-show = The call was ended because nobody came.
guest-default-name = Guest { $ticket }

## Door room
door-name = { $office } – door
door-topic-free = { $office } is free. Knock here: { $url }
door-topic-busy = { $office } is open. { $waiting ->
    [0] Nobody is waiting.
    [one] 1 person is waiting.
   *[other] { $waiting } people are waiting.
  } Knock here: { $url }
door-topic-paused = { $office } is having a break. { $url }
door-topic-closed = { $office } is closed. { $url }
city-space = Virtual citizens’ office { $city }
city-space-topic = All offices with their doors. To knock: { $url }

## Turning down a knock from Matrix
reject-closed = The office is closed.
reject-paused = The office is having a break.
reject-full = The queue is full. Please try again later.
reject-declined = The office cannot help with this here. Please see the office’s page.
reject-over = The visit is over.
decline-default = Unfortunately the office cannot help with this here.

## Answers to commands
answer-on-duty = { $clerk }, you are on duty. Call the next number with !next.
answer-already-on-duty = { $clerk }, you were on duty already.
answer-off-duty = { $clerk }, you are off duty.
answer-not-on-duty = { $clerk }, you were not on duty.
answer-called = { $clerk } has called { $ticket }. The consultation room is in your room list.
answer-called-absent = { $clerk } has called { $ticket }. The visitor’s page is not connected at the moment; please wait a little.
answer-queue-empty = Nobody is waiting.
answer-still-busy = { $clerk }, you are still talking with { $ticket }. Finish with !end, or call a certain number: !call G-017
answer-already-taken = { $ticket } has already been called by { $by }.
answer-already-ended = { $ticket } is over already.
answer-declined = { $ticket } is declined.
answer-ended = { $ticket } is finished.
answer-nothing-to-end = { $clerk }, you have no conversation.
answer-paused = The office is having a break. Those who wait stay in the queue. Go on with !resume.
answer-already-paused = The office is having a break already.
answer-resumed = The office takes visits again.
answer-not-paused = The office is not having a break.
answer-no-show = { $ticket } did not come.
answer-visitor-left = { $ticket } has left.
answer-no-such-visit = There is no such visit (any more). !queue shows the queue.
answer-unknown-ticket = { $ticket } is not waiting here. !queue shows who is.
queue-heading = { $waiting ->
    [0] Nobody is waiting.
    [one] 1 person is waiting:
   *[other] { $waiting } people are waiting:
  }
queue-waiting = { $position }. { $ticket } · { $language } · since { $since }
queue-waiting-booked = { $position }. { $ticket } · 📅 appointment · { $language } · here since { $since }
queue-called = { $ticket } · called at { $since }
queue-talking = { $ticket } · talking since { $since }
queue-desks = { $desks ->
    [0] Nobody is on duty.
    [one] 1 desk is on duty.
   *[other] { $desks } desks are on duty.
  }

## Help
help-heading = How to work with the door:
help-duty = !duty on – you take visits. !duty off – you stop.
help-queue = !queue – who is waiting
help-next = !next – call the next number
help-call = !call G-017 – call this number
help-decline = !decline G-017 reason – decline; the person reads the reason
help-pause = !pause notice – no new visits; the notice stands on the page. !resume – go on
help-end = !end – finish your conversation. !end G-017 – finish this one
help-agenda = !agenda – today’s appointments. !agenda tomorrow – tomorrow’s
help-offer-time = !offer K7QM 26.11. 10:30 – offer this appointment another time. Without a time: what is free
help-cancel-booking = !cancel K7QM reason – cancel this appointment. The person reads the reason in the email.
help-element = “Approve” and “Deny” in Element do the same as !call and !decline.
misuse-unknown = There is no such command. !help shows all.
misuse-usage = This is how: { $usage }
misuse-too-long = The text is too long (500 characters at most). This is how: { $usage }

## Appointments. No names: those stand in the consultation room alone.
booking-new = 📅 New appointment { $code }: { $when } · { $service }
booking-moved = 📅 Appointment { $code } moved to { $when } · { $service }
booking-cancelled = 📅 Appointment { $code } cancelled: { $when } · { $service }
booking-soon = ⏰ Soon: appointment { $code } on { $when } · { $service }
booking-no-show = ⌛ Appointment { $code } ({ $when }) · { $service } · nobody came
booking-undeliverable = ✉️ An email about appointment { $code } ({ $when } · { $service }) could not be delivered. Please call the person. The number is in the next message.
booking-undeliverable-no-phone = ✉️ An email about appointment { $code } ({ $when } · { $service }) could not be delivered. No telephone number was given. Talk to the person about it at the appointment.
booking-undeliverable-companion = ✉️ The email to the companion at appointment { $code } ({ $when } · { $service }) could not be delivered. The person with the appointment does not know: they may come alone.
booking-phone = ☎️ Appointment { $code }: { $phone } (this message is erased after the appointment)
booking-declined = 📅 The person has declined appointment { $code } in their calendar: { $when } · { $service }. It still stands until you cancel it: !cancel { $code }
booking-turned-down = 📅 Appointment { $code }: the offered time does not suit the person. It stays { $when } · { $service }
booking-closed = ⚠️ Appointment { $code } ({ $when } · { $service }): the office is now closed at this time. Offer another time with !offer { $code }, or cancel it with !cancel { $code }.
booking-overbooked = ⚠️ Appointment { $code } ({ $when } · { $service }): there are now more appointments than places at this time. Offer another time with !offer { $code }, or cancel it with !cancel { $code }.
booking-no-more = ⚠️ Appointment { $code } ({ $when } · { $service }): this office takes no more appointments. It still stands until you cancel it: !cancel { $code }
booking-needs-interpreter = interpreter wanted
booking-needs-support = support wanted
booking-concern = Appointment { $code }.
booking-concern-also = Also booked: { $services }.
agenda-heading = 📅 Appointments on { $day }:
agenda-empty = 📅 No appointments on { $day }.
agenda-line = { $time }–{ $end } · { $code } · { $service } · { $language }
agenda-line-arrived = { $time }–{ $end } · { $code } · { $service } · { $language } · is here
agenda-line-declined = { $time }–{ $end } · { $code } · { $service } · { $language } · declined in the calendar
answer-offered = Appointment { $code }: { $when } has been offered and is held until { $until }. The person gets an email.
answer-offer-times = Appointment { $code }: these times are free. Offer one, for example with !offer { $code } 26.11. 10:30.
    { $times }
answer-offer-taken = This time is not free for appointment { $code }. These are free:
    { $times }
answer-offer-overlaps = This time overlaps appointment { $code } itself. These are free:
    { $times }
answer-offer-too-soon = This time is too soon: the person with appointment { $code } needs time to answer. These are free:
    { $times }
answer-offer-no-more = This office takes no more appointments. Appointment { $code } still stands until you cancel it: !cancel { $code }
answer-no-such-booking = There is no booked appointment { $code } here (any more). !agenda shows the appointments.
answer-booking-cancelled = Appointment { $code } is cancelled. The person gets an email.
answer-booking-cancelled-unsaid = Appointment { $code } is cancelled. The person cannot get an email: please tell them.

## The calendar of appointments that clerks subscribe to
feed-name = Appointments: { $office }
feed-language = Language: { $language }
feed-interpreter = Interpreting: { $interpreter }
feed-arrived = Is here.
feed-declined = Declined in the calendar.

# How somebody is called who comes along to a conversation.
participant-interpreter = Interpreter
participant-companion = Companion
