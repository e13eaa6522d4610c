# Seiten, die der Server schreibt: Eingang, Büro, Seiten der Stadt, Einbettung.

page-product = Virtuelles Bürgerbüro
page-title = { $title } · { $city }
page-skip = Zum Inhalt springen
page-home = Zum Eingang
page-nav = Hauptnavigation
page-footer-nav = Rechtliches
page-language-switch = English
page-language-hint = This page is also available in English.
page-no-script = Für Anklopfen, Warten und Gespräch braucht diese Seite JavaScript. Bitte schalten Sie es ein, oder rufen Sie uns an.
page-stale = Keine Verbindung. Diese Angaben sind vielleicht nicht mehr aktuell; wir versuchen es weiter.
page-source = Freie Software unter der EUPL-1.2

lobby-title = Virtuelles Bürgerbüro
lobby-heading = Willkommen im virtuellen Bürgerbüro
lobby-lead = Suchen Sie sich ein Büro aus, klopfen Sie an und sprechen Sie mit uns – ohne Anreise, ohne Konto.
lobby-description = Das virtuelle Bürgerbüro der Stadt { $city }: sehen, wer geöffnet hat, anklopfen und online mit uns sprechen.
lobby-how = So geht es
lobby-how-knock-title = Anklopfen
lobby-how-knock = Sagen Sie kurz, worum es geht. Sie bekommen eine Nummer.
lobby-how-wait-title = Warten
lobby-how-wait = Sie sehen Ihren Platz und werden gerufen, sobald Sie dran sind.
lobby-how-talk-title = Sprechen
lobby-how-talk = Schreiben Sie mit uns und zeigen Sie uns Unterlagen.
lobby-how-talk-calls = Sprechen Sie mit uns mit Bild und Ton, oder schreiben Sie. Zeigen Sie uns Ihre Unterlagen.
lobby-offices = Unsere Büros
lobby-services = Hier können Sie
lobby-more-services = { $count ->
    [one] und ein weiteres Anliegen
   *[other] und { $count } weitere Anliegen
}
lobby-office-more = Alles zu diesem Büro
lobby-office-more-of = Alles zu diesem Büro: { $office }
lobby-knock = Anklopfen
lobby-knock-at = Anklopfen: { $office }
lobby-running = Sie haben eine laufende Nummer: { $ticket } ({ $office }).
lobby-running-back = Zurück zu Ihrer Nummer

office-back = Alle Büros
office-state-heading = Im Moment
office-status-free = Frei
office-status-busy = Geöffnet, mit Wartezeit
office-status-paused = Kurze Pause
office-status-closed = Geschlossen
office-announce = { $office }: { $status }
office-waiting = { $count ->
    [0] Niemand wartet.
    [one] Eine Person wartet.
   *[other] { $count } Personen warten.
}
office-wait-none = Sie kommen voraussichtlich sofort dran.
office-wait = Wartezeit { $wait }.
office-wait-unknown = Gerade ist kein Platz besetzt. Klopfen Sie an: Das Büro wird benachrichtigt.
office-paused-hint = Gerade nehmen wir niemanden neu an. Wer schon wartet, behält seinen Platz.
office-full-hint = Die Warteschlange ist voll. Bitte versuchen Sie es etwas später.
office-notice = Hinweis aus dem Büro
office-today = Heute
office-today-closed = geschlossen
office-next-opening = Öffnet wieder
office-closes = Geöffnet bis { $time } Uhr
office-always-open = Vorführung: Dieses Büro ist unabhängig von den Öffnungszeiten offen.

office-knock-heading = Anklopfen
office-closed-heading = Gerade geschlossen
office-closed-text = Anklopfen können Sie, sobald das Büro geöffnet ist.
office-closed-next = Das Büro öffnet { $when }.
office-paused-heading = Gerade ist Pause
office-full-heading = Die Warteschlange ist voll
office-booking = Termin vereinbaren
office-next-appointment = Nächster freier Termin: { $when }
office-fully-booked = Zurzeit sind alle Termine vergeben.

office-services-heading = Was Sie hier erledigen können
office-service-minutes = { $count ->
    [one] Dauert etwa eine Minute
   *[other] Dauert etwa { $count } Minuten
}
office-service-remote = Geht hier online
office-service-in-person = Nur vor Ort
office-service-address = Adresse
office-service-documents = Bitte bereithalten
office-service-no-documents = Sie brauchen keine Unterlagen.
office-hours-heading = Öffnungszeiten
office-hours-day = Tag
office-hours-open = Geöffnet
office-hours-closed = geschlossen
office-hours-today-mark = heute
office-hours-notices = Abweichende Zeiten
office-hours-note = Feiertage und Ausnahmen zeigt die Zeile „Heute“ oben.

faq-heading = Häufige Fragen
faq-office-heading = Häufige Fragen an dieses Büro
faq-search = Fragen durchsuchen
faq-search-hint = Die Suche findet auch die Fragen an die einzelnen Büros. Zum Beispiel: „Ausweis“ oder „Gebühr“.
faq-found-none = Keine Frage passt dazu. Klopfen Sie gern an und fragen Sie uns.
faq-found-one = Eine Frage passt dazu.
faq-found-other = { $count } Fragen passen dazu.

embed-title = Virtuelles Bürgerbüro: wer gerade geöffnet hat
embed-open = Zum virtuellen Bürgerbüro

beside-page-title = Zu einem Gespräch dazukommen
visit-page-title = Ihr Besuch
visit-page-loading = Ihre Nummer wird geladen …

missing-title = Seite nicht gefunden
missing-text = Diese Seite gibt es nicht (mehr). Vielleicht ist die Adresse falsch geschrieben.

time-period = { $from } bis { $to } Uhr
time-and = { $first } und { $second }
time-today = heute um { $time } Uhr
time-tomorrow = morgen um { $time } Uhr
time-weekday = am { $weekday } um { $time } Uhr
time-date = am { $weekday }, dem { $day }. { $month }, um { $time } Uhr
time-day = { $weekday }, { $day }. { $month }
time-wait-range = etwa { $low } bis { $high } Minuten
time-wait-up-to = { $high ->
    [one] höchstens eine Minute
   *[other] bis zu { $high } Minuten
}
time-wait-about = { $high ->
    [one] etwa eine Minute
   *[other] etwa { $high } Minuten
}
time-wait-hours = über { $hours ->
    [one] eine Stunde
   *[other] { $hours } Stunden
}
weekday-1 = Montag
weekday-2 = Dienstag
weekday-3 = Mittwoch
weekday-4 = Donnerstag
weekday-5 = Freitag
weekday-6 = Samstag
weekday-7 = Sonntag
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember

## Termine
book-page-title = Termin buchen
book-page-loading = Einen Augenblick …
book-page-lead = Termin bei: { $office }
booking-page-title = Ihr Termin
waiting-list-page-title = Warteliste für einen früheren Termin
