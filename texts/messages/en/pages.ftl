# Pages the server writes: lobby, office, pages of the city, embedding.

page-product = Virtual citizens' office
page-title = { $title } · { $city }
page-skip = Skip to content
page-home = To the entrance
page-nav = Main navigation
page-footer-nav = Legal information
page-language-switch = Deutsch
page-language-hint = Diese Seite gibt es auch auf Deutsch.
page-no-script = Knocking, waiting and talking need JavaScript on this page. Please switch it on, or give us a call.
page-stale = No connection. This information may be out of date; we keep trying.
page-source = Free software under the EUPL-1.2

lobby-title = Virtual citizens' office
lobby-heading = Welcome to the virtual citizens' office
lobby-lead = Choose an office, knock and talk to us – no trip into town, no account.
lobby-description = The virtual citizens' office of { $city }: see who is open, knock and talk to us online.
lobby-how = How it works
lobby-how-knock-title = Knock
lobby-how-knock = Tell us briefly what it is about. You get a number.
lobby-how-wait-title = Wait
lobby-how-wait = You see your place and are called as soon as it is your turn.
lobby-how-talk-title = Talk
lobby-how-talk = Write with us and show us documents.
lobby-how-talk-calls = Talk to us by video, or write. Show us your documents.
lobby-offices = Our offices
lobby-services = Here you can
lobby-more-services = { $count ->
    [one] and one more service
   *[other] and { $count } more services
}
lobby-office-more = More about this office
lobby-office-more-of = More about this office: { $office }
lobby-knock = Knock
lobby-knock-at = Knock: { $office }
lobby-running = You have a number: { $ticket } ({ $office }).
lobby-running-back = Back to your number

office-back = All offices
office-state-heading = Right now
office-status-free = Free
office-status-busy = Open, with a wait
office-status-paused = Short break
office-status-closed = Closed
office-announce = { $office }: { $status }
office-waiting = { $count ->
    [0] Nobody is waiting.
    [one] One person is waiting.
   *[other] { $count } people are waiting.
}
office-wait-none = It will probably be your turn at once.
office-wait = Waiting time { $wait }.
office-wait-unknown = No desk is staffed at the moment. Knock, and the office will be told.
office-paused-hint = We are not taking anybody new right now. Those who are waiting keep their place.
office-full-hint = The queue is full. Please try again a little later.
office-notice = Notice from the office
office-today = Today
office-today-closed = closed
office-next-opening = Opens again
office-closes = Open until { $time }
office-always-open = Demonstration: this office is open regardless of its opening hours.

office-knock-heading = Knock
office-closed-heading = Closed at the moment
office-closed-text = You can knock as soon as the office is open.
office-closed-next = The office opens { $when }.
office-paused-heading = A short break
office-full-heading = The queue is full
office-booking = Make an appointment
office-next-appointment = Next free appointment: { $when }
office-fully-booked = All appointments are taken at the moment.

office-services-heading = What you can do here
office-service-minutes = { $count ->
    [one] Takes about a minute
   *[other] Takes about { $count } minutes
}
office-service-remote = Can be done online here
office-service-in-person = In person only
office-service-address = Address
office-service-documents = Please have ready
office-service-no-documents = You do not need any documents.
office-hours-heading = Opening hours
office-hours-day = Day
office-hours-open = Open
office-hours-closed = closed
office-hours-today-mark = today
office-hours-notices = Days with other hours
office-hours-note = Public holidays and exceptions are shown in the line “Today” above.

faq-heading = Frequent questions
faq-office-heading = Frequent questions to this office
faq-search = Search the questions
faq-search-hint = The search also finds the questions to each office. For example: “identity card” or “fee”.
faq-found-none = No question matches. Feel free to knock and ask us.
faq-found-one = One question matches.
faq-found-other = { $count } questions match.

embed-title = Virtual citizens' office: who is open right now
embed-open = To the virtual citizens' office

beside-page-title = Join a conversation
visit-page-title = Your visit
visit-page-loading = Loading your number …

missing-title = Page not found
missing-text = This page does not exist (any more). Perhaps the address is misspelt.

time-period = { $from } to { $to }
time-and = { $first } and { $second }
time-today = today at { $time }
time-tomorrow = tomorrow at { $time }
time-weekday = on { $weekday } at { $time }
time-date = on { $weekday }, { $day } { $month }, at { $time }
time-day = { $weekday }, { $day } { $month }
time-wait-range = about { $low } to { $high } minutes
time-wait-up-to = { $high ->
    [one] one minute at most
   *[other] up to { $high } minutes
}
time-wait-about = { $high ->
    [one] about a minute
   *[other] about { $high } minutes
}
time-wait-hours = more than { $hours ->
    [one] one hour
   *[other] { $hours } hours
}
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## Termine
book-page-title = Book an appointment
book-page-loading = One moment …
book-page-lead = Appointment at: { $office }
booking-page-title = Your appointment
waiting-list-page-title = Waiting list for an earlier appointment
