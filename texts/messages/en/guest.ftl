# What citizens read while they knock, wait and talk. Server and guest page use the same file.

## Knocking

form-intro = Tell us briefly what it is about. Only the staff of this office read this.
form-optional = optional
form-concern = What is it about?
form-concern-hint = For example: “I want to register a business.”
form-remaining = { $count ->
    [one] One character left
   *[other] { $count } characters left
}
form-service = Service
form-service-none = I do not know, or something else
form-name = How may we address you?
form-name-hint = You do not have to give your name.
form-language = Which language would you like to speak?
form-language-de = Deutsch
form-language-en = English
form-interpreter = I need an interpreter
form-interpreter-language = For which language?
form-privacy = I have read the privacy notice.
form-privacy-hint = What you write is deleted after your visit.
form-privacy-link = Privacy notice
form-submit = Knock now
form-sending = Sending …

form-error-heading = Please check what you entered
form-error-concern = Please tell us what it is about.
form-error-concern-long = That is too long: 1000 characters at most.
form-error-interpreter = Please name the language for the interpreter.
form-error-privacy = Please confirm that you have read the privacy notice.
form-failed-heading = That did not work
form-already-here = You are already waiting at this office.
form-already-here-link = To your number
form-too-often = Those were too many attempts. Please wait { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
} and try again.
form-network = We cannot reach the server. Check your connection and try again. What you entered stays here.

## Visit: frame

visit-ticket = Your number
visit-offline = No connection. We keep trying; you keep your place.
visit-online-again = The connection is back.
visit-elsewhere-heading = Your visit is now open in another browser
visit-elsewhere = You have opened your link in another browser or on another device. Your visit goes on there. Would you like to go on here? Then open the link in our email again in this browser.
visit-unknown-heading = This visit is not here
visit-unknown = Perhaps it has been deleted already, or you knocked in another browser.
visit-to-lobby = To all offices
visit-failed = That did not work: { $reason }
visit-failed-network = no connection to the server

## Visit: waiting

visit-waiting-title = { $ticket }: place { $position }
visit-waiting-title-plain = { $ticket }: waiting
visit-waiting-heading = You are in the queue
visit-position = { $position ->
    [1] You are next.
   *[other] { $ahead ->
        [one] One person is
       *[other] { $ahead } people are
    } ahead of you. You are number { $position } in the queue.
}
visit-estimate-range = Probably another { $low } to { $high } minutes.
visit-estimate-about = { $high ->
    [one] Probably about another minute.
   *[other] Probably about another { $high } minutes.
}
visit-estimate-soon = { $high ->
    [one] It will take another minute at most.
   *[other] It will take another { $high } minutes at most.
}
visit-estimate-hours = { $hours ->
    [one] It will probably take more than an hour.
   *[other] It will probably take more than { $hours } hours.
}
visit-estimate-unknown = No desk is staffed at the moment. The office knows that you are waiting.
visit-notice = Notice from the office
visit-keep-open = Keep this page open. If you reload it or lose the connection for a short time, you keep your place.
visit-alerts-heading = So that you do not miss your turn
visit-notify = Notify me when it is my turn
visit-notify-on = You will get a notification when it is your turn.
visit-notify-denied = Your browser does not allow notifications. Please watch out for the sound and the title of this page.
visit-sound = Sound when it is my turn
visit-sound-test = Test the sound
visit-awake = Keep the screen on while I wait
visit-leave = Leave the queue
visit-leave-heading = Leave the queue?
visit-leave-text = Your number will lapse. If you knock again later, you start at the end of the queue.
visit-leave-stay = Keep waiting
visit-messages-heading = Messages from the office

## Visit: called

visit-called-title = It is your turn!
visit-called-heading = It is your turn!
visit-called-by = { $clerk } is calling you.
visit-called-text = Somebody at the office has time for you now.
visit-enter = Enter now
visit-enter-by = { $minutes ->
    [0] You have less than a minute left.
    [one] You have about a minute left.
   *[other] You have about { $minutes } minutes left.
}
visit-called-notification = { $ticket }: it is your turn!
visit-called-notification-body = { $office } has time for you now. Please come in.

## Visit: conversation

visit-conversation-title = Conversation: { $office }
visit-conversation-title-new = New message: { $office }
visit-conversation-heading = Your conversation
visit-conversation-with = You are talking to { $clerk }.
visit-log = Messages
visit-log-empty = No messages yet. Feel free to write.
visit-author-you = You
visit-author-office = Office
visit-author-participant = Staff
visit-delivery-sending = Sending
visit-delivery-delivered = Delivered
visit-delivery-failed = Not sent
visit-message-retry = Send again
visit-typing = { $clerk } is typing …
visit-typing-somebody = Somebody is typing …
visit-compose = Your message
visit-compose-hint = Enter sends, Shift and Enter starts a new line.
visit-send = Send
visit-attach = Send a file
visit-attach-hint = PDF, JPEG, PNG or WebP, 10 MB at most
visit-file-type = We cannot accept “{ $name }”. Please send PDF, JPEG, PNG or WebP.
visit-file-size = “{ $name }” is too large. 10 MB at most are possible.
visit-file-empty = “{ $name }” is empty.
visit-file-download = Download { $name } ({ $size })
visit-file-image = Picture: { $name }
visit-file-kb = { $size } kB
visit-file-mb = { $size } MB
visit-file-sending = Sending { $name } …
visit-finish = Leave the conversation
visit-finish-heading = Leave the conversation?
visit-finish-text = This ends the conversation. You cannot see the messages afterwards.
visit-finish-stay = Keep talking

## Offering a video call

offer-heading = Would you like to see and hear each other, too?
offer-text = You can talk with picture and sound. You can always write.
offer-video = Talk with picture and sound
offer-audio = Talk with sound only
offer-loading = Loading the video call …
offer-failed = The video call does not load. Check your connection and try again.
offer-check = Test camera and microphone
offer-check-optional = optional
offer-check-entering-video = This is how others will see and hear you
offer-check-entering-audio = This is how others will hear you
live-text = { $name } is typing

## Visit: over

visit-ended-title = Visit ended
visit-ended-served-heading = Thank you for your visit
visit-ended-served = The conversation is over. What you wrote will be deleted.
visit-ended-left-heading = You have left
visit-ended-left = Your number is no longer valid. You can knock again at any time.
visit-ended-no-show-heading = Your number has lapsed
visit-ended-no-show = We called you or lost the connection and heard nothing more from you. Feel free to knock again. Did you have an appointment? Then open the link in our email again.
visit-ended-declined-heading = We cannot help you here
visit-ended-declined = The office has not accepted your request.
visit-ended-declined-reason = The office writes
visit-knock-again = Knock again
visit-rating-heading = How satisfied were you?
visit-rating-hint = Optional and without your name.
visit-rating-1 = 1 – not satisfied at all
visit-rating-2 = 2 – not very satisfied
visit-rating-3 = 3 – partly
visit-rating-4 = 4 – satisfied
visit-rating-5 = 5 – very satisfied
visit-rating-send = Send rating
visit-rating-choose = Please choose a rating.
visit-rating-thanks = Thank you for your rating.

## Booking an appointment

book-step-service = What is it about?
book-step-time = When does it suit you?
book-step-contact = Who is coming?
book-services = Services. You can choose several.
book-choose-service = Please choose at least one service.
book-find-time = Show free times
book-none = No appointment is free at the moment. During opening hours you can knock without one.
book-as-list = Show as a list
book-as-calendar = Show as a calendar
book-times = Free times on { $day }
book-time = { $time }
book-day-none = Nothing is free on this day.
book-day-free = { $count ->
    [0] nothing free
    [one] one free time
   *[other] { $count } free times
  }
book-day-unknown = not loaded yet
book-month-free = { $count ->
    [0] Nothing is free in this month.
    [one] Something is free on one day in this month.
   *[other] Something is free on { $count } days in this month.
}
book-loading = Free times are being loaded …
book-load-again = Load again
book-more-days = Show more days
book-no-more-days = There are no more free days at the moment.
book-month-before = Previous month
book-month-after = Next month
book-grid-hint = The arrow keys change the day, page up and page down the month.
book-alternatives = These times are nearest
book-back = Back
book-other-time = Choose another time
book-held = This time is held for you until { $until }.
book-held-ends = This reservation ends at { $until }. After that, simply choose a time again. What you have filled in stays.
book-field-name = Name
book-field-mail = Email address
book-field-phone = Telephone
book-field-language = Language
book-field-interpreter = Interpreter: for which language?
book-field-accessibility = What do you need to take part well?
book-field-companion_mail = Email address of a companion
book-field-privacy_accepted = Data protection
book-field-services = Services
book-field-start = Time
book-mail-hint = We will send the invitation and the link there.
book-phone-hint = We call you there if an email does not arrive.
book-accessibility-hint = For example sign language, subtitles or more time.
book-privacy-hint = What you enter is deleted after the appointment.
book-submit = Book appointment
book-done = Your appointment is booked
book-done-text = We have sent the invitation to { $mail }.
book-nearly-done = Nearly done
book-nearly-done-text = We have sent an email to { $mail }. Please open the link in it and confirm the appointment. Only then does it count.
book-nearly-done-until = Please confirm by { $until }. After that it lapses.
book-code = Your appointment number: { $code }
book-manage-link = To your appointment

## Managing an appointment

manage-title = Your appointment
manage-loading = Your appointment is loading …
manage-when = When
manage-office = Office
manage-services = Service
manage-code = Appointment number
manage-documents = Please have ready
manage-held-heading = The appointment is not booked yet
manage-unconfirmed-heading = Please confirm your appointment
manage-unconfirmed-text = The appointment counts only once you confirm it.
manage-confirm = Confirm appointment
manage-confirmed-heading = Your appointment is booked
manage-moved-heading = Your appointment has been moved
manage-arrived-heading = You have checked in
manage-over-heading = The appointment is over
manage-over-text = You can book a new appointment.
manage-cancelled-heading = The appointment is cancelled
manage-cancelled-text = You can book a new appointment.
manage-expired-heading = The appointment has lapsed
manage-expired-text = It was not confirmed in time. You can book a new appointment.
manage-no-show-heading = The appointment is over
manage-no-show-text = It did not take place. You can book a new appointment.
manage-book-again = Book a new appointment
manage-come = I am here
manage-come-from = You can check in here from { $from }. Then it will be your turn without queueing.
manage-here-still = Your appointment does not lapse while the other visit lasts. Press “{ manage-come }” here again afterwards.
manage-here-link = To the open visit
manage-to-visit = To the conversation
manage-by-mail = To move or cancel the appointment, use the link in our email.
manage-calendar = Add to calendar
manage-move = Move
manage-cancel = Cancel
manage-cancel-heading = Cancel the appointment?
manage-cancel-text = The time then becomes free for others.
manage-cancel-yes = Yes, cancel
manage-cancel-no = Keep the appointment
waiting-title = Waiting list for an earlier appointment
waiting-how = Your appointment stays as it is. When an earlier one that suits your request becomes free, we hold it for you and send you an email. Then you decide.
waiting-off = You are not on the waiting list.
waiting-on = You are on the waiting list.
waiting-place = Your place: { $place } of { $of }.
waiting-join = Join the waiting list
waiting-leave = Leave the waiting list
waiting-own = Your appointment now
waiting-not-possible = The waiting list is for booked appointments that have not begun.
waiting-back = To your appointment
waiting-link = To the waiting list
waiting-manage-heading = Would you like an earlier time?
waiting-book-hint = No early day suits you? Book a time that does first. Then you can join the waiting list for an earlier one.
manage-offer-earlier = An earlier appointment is free for you
manage-offer-office = We are offering you another time
manage-offer-until = This time is held for you until { $until }. You keep your present appointment until you take the new time.
manage-offer-take = Take this time
manage-offer-decline = This does not suit me
manage-links = Interpreter and companion
manage-links-text = An interpreter or companion gets a link of their own. It leads to the conversation. It cannot change the appointment.
manage-link-interpreter = Link for an interpreter
manage-link-companion = Link for a companion
manage-link-for-interpreter = For the interpreter
manage-link-for-companion = For the companion

# Somebody comes along: an interpreter or a companion.
bring-heading = Bring somebody in
bring-text = Whoever interprets for you or accompanies you gets a link of their own to the video call. They cannot read what you write. The link works until the conversation ends.
bring-interpreter = Link for an interpreter
bring-companion = Link for a companion
bring-link-interpreter = For interpreting
bring-link-companion = For the companion
bring-copy = Copy the link
bring-copied = The link has been copied.
bring-share = Share the link
beside-waiting-heading = It will begin soon
beside-waiting-text = You will join a conversation at the office “{ $office }”. This page waits by itself until it begins.
beside-ready-heading = You are joining a conversation
beside-ready-text = Conversation { $ticket } at the office “{ $office }”
beside-ready-clerk = Conversation { $ticket } at the office “{ $office }” with { $clerk }
beside-over-heading = The conversation has ended
beside-over-text = The conversation is over, or the link has been opened on another device. You can close this page.
beside-out-heading = You are no longer in the conversation
beside-out-text = The office has ended your participation. Nobody sees or hears you any more. You can close this page. If the office asks you back, open the link once more.
beside-join-text = Take part with picture and sound, or with sound only.
manage-join = To the conversation
manage-join-text = Come to this page at the time of the appointment. It waits by itself until the conversation begins.
